// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace permguard {

/// Where execvp(3) of glibc looks when PATH is not set at all: confstr(_CS_PATH).
inline constexpr const char* kDefaultSearchPath = "/bin:/usr/bin";

/// What `env` of coreutils does with its arguments when it is the interpreter: the kernel hands
/// it `argument` as one word, then the script's path.
///
/// env finds `command` by execvp(3) of glibc: a name with a slash is executed as it is; otherwise
/// every component of PATH is tried in order, an empty one being the current directory (after
/// -C). ENOENT, ENOTDIR, ESTALE, ENODEV, ETIMEDOUT and EACCES go on to the next; EACCES is the
/// answer if nothing runs; any other errno ends the search. Where the kernel answers ENOEXEC,
/// execvp runs the file by /bin/sh: a command found by env may be a text file without `#!`,
/// which a script started by httpd may not be (apr_proc_create of APR 1.7 calls execve for
/// APR_PROGRAM, which mod_cgi and mod_cgid use).
struct EnvCommand {
  std::string command;  ///< the program, as execvp gets it
  /// `command` is the script itself: env executes it again, for ever.
  bool command_is_script = false;
  /// PATH after -i, -u PATH or PATH=…, kDefaultSearchPath where it was removed; nullopt: the
  /// script's own.
  std::optional<std::string> path;
  std::optional<std::string> directory;  ///< -C / --chdir, relative to the working directory
  std::string error;                     ///< why env runs nothing; then `command` is empty
  std::vector<std::string> arguments{};  ///< the words after `command`, the script's path last
};

/// Gives the value of ${NAME} inside -S, from the script's environment.
using LookUpVariable = std::function<std::optional<std::string>(std::string_view name)>;

/// Parses env's command line as coreutils 9.1 does: options, then NAME=VALUE words, then the
/// command (coreutils manual, "env invocation", "-S/--split-string usage"). `argument` is
/// Shebang::argument; `script` the path of the file with that line, which is env's next word
/// and so becomes an option's value, an assignment or the command where `argument` names none.
/// An empty `command` without `error` is a command named "", which does not exist.
/// Without -S a blank inside `argument` is part of the command's name. Never fails, for any
/// bytes.
EnvCommand parse_env(std::string_view argument, bool has_argument, std::string_view script,
                     const LookUpVariable& lookup);

/// The same for an env that gets `words` as its arguments, as from another env.
EnvCommand parse_env_words(std::vector<std::string> words, std::string_view script,
                           const LookUpVariable& lookup);

}  // namespace permguard
