// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/interpreter.h"

namespace permguard {

/// What execve (or env, for its command) goes on to after one file of the chain.
struct NextFile {
  enum class Kind : std::uint8_t {
    none,     ///< the chain ends here
    file,     ///< open `path`
    command,  ///< look `path` up in `search_path`
    endless,  ///< env would execute the script itself again
    refused   ///< env itself ends with the complaint `complaint`
  };
  Kind kind = Kind::none;
  Role role = Role::interpreter;
  std::string path;
  std::string search_path;
  std::string directory;  ///< where a relative path starts
  std::string complaint;
  std::vector<std::string> arguments{};  ///< of a command that env runs: the words after it
  bool guessed = false;  ///< env's words hold a variable whose value is not known: taken for empty
};

/// Where a script's process starts: its PATH and its working directory.
struct ExecContext {
  std::string search_path;
  std::string directory;
};

/// Whether an interpreter of this path is coreutils' env, which looks its argument up in PATH.
bool is_env(std::string_view interpreter);

/// `name` as it was meant: without the CRs of a line that ends in CR LF.
std::string without_returns(std::string name);

/// What the kernel opens after a file with this head: the interpreter of a `#!` line, the
/// loader of an ELF program, or nothing.
NextFile next_for_kernel(const FileHead& head, const ExecContext& context);

/// What env executes when it is the interpreter of `script`, whose first line is `shebang`.
NextFile next_for_env(const std::string& script, const Shebang& shebang,
                      const ExecContext& context);

/// What env executes when another env runs it with the words `arguments`.
NextFile next_for_env(const std::string& script, const std::vector<std::string>& arguments,
                      const ExecContext& context);

/// The file glibc's execvp(3) ends at for `name`: the first candidate of `search_path` for
/// which `attempt` (0 or the errno execve would give) succeeds. EACCES, ENOENT, ENOTDIR and
/// the like let the search go on, also where it is the interpreter that is missing; EACCES is
/// remembered. A name with a slash is not looked up.
struct CommandLookup {
  std::string path;  ///< the file; where nothing can be executed, the first refused with EACCES
  int error = 0;     ///< 0, EACCES, or ENOENT (then `path` is the bare name)
};
CommandLookup find_command(const std::string& name, const std::string& search_path,
                           const std::string& directory,
                           const std::function<int(const std::string&)>& attempt);

/// `role` as a part of a wrapper, where `outer` is Role::wrapper; else `role`.
Role joined(Role outer, Role role);

/// `path`, or `directory` + "/" + `path` where it is relative.
std::string absolute(const std::string& path, const std::string& directory);

/// The same for a process in `directory`, whose /proc/self/cwd is not the caller's: proc(5).
std::string as_seen_from(const std::string& path, const std::string& directory);

/// The directory part of `path`; "/" for a name at the root, "." where there is no slash.
std::string directory_of(const std::string& path);

/// Whether `path` is `directory` or lies below it, by the names; neither ends with a slash but "/".
bool lies_in(const std::string& path, const std::string& directory);

}  // namespace permguard
