// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/suexec.h"

namespace permguard::oracle {

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
