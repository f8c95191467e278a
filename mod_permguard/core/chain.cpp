// SPDX-License-Identifier: Apache-2.0
#include "core/chain.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace permguard {
namespace {

std::string_view last_component(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool lets_the_search_go_on(int error) {
  switch (error) {
    case EACCES:
    case ENOENT:
    case ESTALE:
    case ENOTDIR:
    case ENODEV:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

/// env's own environment is the script's, of which only PATH is known here. `guessed` becomes true
/// where another variable is asked for.
LookUpVariable variables_of(const ExecContext& context, bool& guessed) {
  return [&context, &guessed](std::string_view name) {
    const bool known = name == "PATH";
    guessed = guessed || !known;
    return known ? std::optional(context.search_path) : std::nullopt;
  };
}

NextFile next_of(EnvCommand env, const ExecContext& context) {
  NextFile next;
  next.role = Role::command;
  next.path = std::move(env.command);
  next.arguments = std::move(env.arguments);
  next.search_path = env.path.value_or(context.search_path);
  next.directory = env.directory ? absolute(*env.directory, context.directory) : context.directory;
  next.complaint = std::move(env.error);
  // Not "absolute", which makes the present directory of it.
  if (env.directory == "" && next.complaint.empty())
    next.complaint = "cannot change directory to ''";
  next.kind = !next.complaint.empty() ? NextFile::Kind::refused
              : env.command_is_script ? NextFile::Kind::endless
                                      : NextFile::Kind::command;
  if (next.kind == NextFile::Kind::refused) next.path.clear();
  return next;
}

}  // namespace

bool is_env(std::string_view interpreter) {
  return last_component(interpreter) == "env";
}

std::string without_returns(std::string name) {
  while (!name.empty() && name.back() == '\r') {
    name.pop_back();
  }
  return name;
}

NextFile next_for_kernel(const FileHead& head, const ExecContext& context) {
  NextFile next;
  next.directory = context.directory;
  next.search_path = context.search_path;
  if (head.shebang) {
    next.kind = NextFile::Kind::file;
    next.path = head.shebang->interpreter;
  } else if (head.elf && !head.elf->loader.empty()) {
    next.kind = NextFile::Kind::file;
    next.role = Role::loader;
    next.path = head.elf->loader;
  }
  return next;
}

NextFile next_for_env(const std::string& script, const Shebang& shebang,
                      const ExecContext& context) {
  bool guessed = false;
  const LookUpVariable variables = variables_of(context, guessed);
  NextFile next =
      next_of(parse_env(shebang.argument, shebang.has_argument, script, variables), context);
  next.guessed = guessed;
  return next;
}

NextFile next_for_env(const std::string& script, const std::vector<std::string>& arguments,
                      const ExecContext& context) {
  bool guessed = false;
  NextFile next =
      next_of(parse_env_words(arguments, script, variables_of(context, guessed)), context);
  next.guessed = guessed;
  return next;
}

CommandLookup find_command(const std::string& name, const std::string& search_path,
                           const std::string& directory,
                           const std::function<int(const std::string&)>& attempt) {
  if (name.find('/') != std::string::npos) {
    return {absolute(name, directory), attempt(absolute(name, directory))};
  }
  CommandLookup refused{name, ENOENT};
  for (std::size_t begin = 0; begin <= search_path.size();) {
    const std::size_t end = std::min(search_path.find(':', begin), search_path.size());
    if (end - begin >= PATH_MAX) {  // execvp skips it
      begin = end + 1;
      continue;
    }
    std::string candidate = search_path.substr(begin, end - begin);
    if (!candidate.empty()) candidate += '/';
    candidate = absolute(candidate.append(name), directory);
    const int error = attempt(candidate);
    if (!lets_the_search_go_on(error)) {
      return {candidate, error};
    }
    if (error == EACCES && refused.error != EACCES) {
      refused = {candidate, EACCES};
    }
    begin = end + 1;
  }
  return refused;
}

std::string as_seen_from(const std::string& path, const std::string& directory) {
  for (const std::string_view own : {"/proc/self/cwd/", "/proc/thread-self/cwd/"}) {
    if (path.starts_with(own)) return absolute(path.substr(own.size()), directory);
  }
  return absolute(path, directory);
}

Role joined(Role outer, Role role) {
  if (outer != Role::wrapper) {
    return role;
  }
  switch (role) {
    case Role::interpreter:
      return Role::wrapper_interpreter;
    case Role::command:
      return Role::wrapper_command;
    case Role::loader:
      return Role::wrapper_loader;
    default:
      return role;
  }
}

std::string absolute(const std::string& path, const std::string& directory) {
  if (!path.empty() && path.front() == '/') {
    return path;
  }
  return directory + (directory.empty() || directory.back() != '/' ? "/" : "") + path;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool lies_in(const std::string& path, const std::string& directory) {
  return directory == "/" || (path.starts_with(directory) &&
                              (path.size() == directory.size() || path[directory.size()] == '/'));
}

}  // namespace permguard
