// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "support/temp_tree.h"

namespace permguard::test {

inline constexpr const char* kPristineSuexec = "/usr/lib/apache2/suexec-pristine";
inline constexpr const char* kCustomSuexec = "/usr/lib/apache2/suexec-custom";

/// Users of that world, all in its own user data base.
inline constexpr uid_t kAnn = 53001;      ///< group ann; home /var/home/ann
inline constexpr uid_t kBob = 53002;      ///< group bob; home /var/home/bob
inline constexpr uid_t kLowly = 51;       ///< below suexec's minimum; group ann
inline constexpr uid_t kUnknown = 53999;  ///< not in the data base
inline constexpr gid_t kLowGroup = 52;    ///< below suexec's minimum

/// A mount namespace with an empty /var, its own user data base and its own configuration of
/// suexec-custom, so that the installed suexec can be given any tree without a trace on the
/// machine. The calling thread is in it as long as the object lives, and so are the processes it
/// starts. What lies at the paths `kept` is there too, read-only; without them: this build and its
/// sources, wherever they lie.
class SuexecWorld {
 public:
  SuexecWorld();
  explicit SuexecWorld(const std::vector<std::string>& kept);
  ~SuexecWorld();
  SuexecWorld(const SuexecWorld&) = delete;
  SuexecWorld& operator=(const SuexecWorld&) = delete;

  /// Empty, or why this machine does not allow such a world.
  const std::string& forbidden() const { return forbidden_; }
  /// Empties /var/www, /var/www-old, /var/other and the homes, and makes them anew.
  void reset();
  /// Writes suexec-custom's file for www-data; without `text` there is none.
  void configure(const std::optional<std::string>& text);
  /// Makes `binary` the one httpd uses.
  void install(const std::string& binary);
  /// A copy of `binary` with its owner: /var/copy/suexec, on a new tmpfs mounted with `flags`.
  std::string copy_of(const std::string& binary, unsigned mode, unsigned long flags);

 private:
  bool mount_all(const std::vector<std::string>& kept);

  TempTree etc_;  ///< what is bound over files of /etc
  int before_ = -1;
  std::string forbidden_;
};

}  // namespace permguard::test
