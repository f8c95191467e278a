// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

struct DirectoryConfig;
struct ServerConfig;
struct Target;

// What read_along() takes in of mod_fcgid's directives: see dispatchers/read_along.h.

/// One FcgidWrapper: the program that mod_fcgid starts instead of the script.
struct FcgidWrapper {
  const char* extension = nullptr;  ///< ".php"; null: every file
  const char* path = nullptr;       ///< the command line's first word
  bool is_virtual = false;          ///< no file need stand at the URL
};

/// One FcgidInitialEnv or FcgidCmdOptions that says something about PATH.
struct FcgidPath {
  const char* command = nullptr;  ///< which program gets it; null: all that have none of their own
  const char* path = nullptr;     ///< null: the server's own
};

/// The programs that mod_fcgid asks, before any handler, whether a request is allowed. Null: none.
struct FcgidGuards {
  const char* access = nullptr;  ///< FcgidAccessChecker
  const char* user = nullptr;    ///< FcgidAuthenticator
  const char* right = nullptr;   ///< FcgidAuthorizer
};
FcgidGuards merge_fcgid_guards(const FcgidGuards& base, const FcgidGuards& over) noexcept;

/// FcgidAccessChecker, FcgidAuthenticator, FcgidAuthorizer PROGRAM
void take_fcgid_guard(cmd_parms* command, DirectoryConfig& directory, const char* arguments);
/// FcgidWrapper COMMAND [EXTENSION] [virtual]
void take_fcgid_wrapper(cmd_parms* command, DirectoryConfig& directory, const char* arguments);
/// FcgidInitialEnv NAME [VALUE]
void take_fcgid_variable(cmd_parms* command, ServerConfig& server, const char* arguments);
/// FcgidCmdOptions COMMAND OPTION…
void take_fcgid_options(cmd_parms* command, ServerConfig& server, const char* arguments);

/// mod_fcgid.c, fcgid_handler().
bool fcgid_refuses(request_rec* r) noexcept;

/// Adds the wrapper, where there is one: then the script is only read.
void complete_fcgid(request_rec* r, Target& target);

/// PATH as mod_fcgid gives it to `program`; null: as the server has it.
const char* fcgid_path_of(const server_rec* server, const char* program) noexcept;

}  // namespace permguard
