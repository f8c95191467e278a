// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/suexec.h"
#include "support/temp_tree.h"

namespace permguard::oracle {

/// Users of that world, all in its own user data base.
inline constexpr uid_t kAnn = 53001;      ///< group ann; home /var/home/ann
inline constexpr uid_t kBob = 53002;      ///< group bob; home /var/home/bob
inline constexpr uid_t kLowly = 51;       ///< below suexec's minimum; group ann
inline constexpr uid_t kUnknown = 53999;  ///< not in the data base
inline constexpr gid_t kLowGroup = 52;    ///< below suexec's minimum

/// A mount namespace with an empty /var, its own user data base and its own configuration of
/// suexec-custom, so that the installed suexec can be given any tree without a trace on the
/// machine. The calling thread is in it as long as the object lives.
class SuexecWorld {
 public:
  SuexecWorld();
  ~SuexecWorld();
  SuexecWorld(const SuexecWorld&) = delete;
  SuexecWorld& operator=(const SuexecWorld&) = delete;

  /// Empty, or why this machine does not allow such a world.
  const std::string& forbidden() const { return forbidden_; }
  /// Empties /var/www, /var/www-old, /var/other and the homes, and makes them anew.
  void reset();
  /// Writes suexec-custom's file for www-data; without `text` there is none.
  void configure(const std::optional<std::string>& text);
  /// A copy of `binary` with its owner, on a new tmpfs below /var mounted with `flags`.
  std::string copy_of(const std::string& binary, unsigned mode, unsigned long flags);

 private:
  bool mount_all();

  permguard::test::TempTree etc_;  ///< what is bound over files of /etc
  int before_ = -1;
  std::string forbidden_;
};

/// What one run of the real suexec showed.
struct SuexecRun {
  int exit_code = -1;   ///< kNoDirectory and kNoExec: the server's user did not get to suexec
  bool marker = false;  ///< the script ran and said so
  std::string log;      ///< what suexec added to its log
};
inline constexpr int kNoDirectory = 200;
inline constexpr int kNoExec = 201;
inline constexpr const char* kMarker = "the script ran";

/// Runs `binary` as httpd does: as `caller`, in the script's directory, the ids as numbers.
/// `no_new_privs`: in a process that has set that flag.
SuexecRun run_suexec(const std::string& binary, const Identity& caller, const SuexecTarget& target,
                     const std::string& script, bool no_new_privs = false);

}  // namespace permguard::oracle
