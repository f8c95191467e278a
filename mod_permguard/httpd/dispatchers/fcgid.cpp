// SPDX-License-Identifier: Apache-2.0
#include "httpd/dispatchers/fcgid.h"

#include <cstring>

#include "httpd/config.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/dispatchers/foreign.h"
#include "httpd/target.h"

namespace permguard {
namespace {

bool fits(const FcgidWrapper& wrapper, const char* extension) noexcept {
  return wrapper.extension ? extension && std::strcmp(wrapper.extension, extension) == 0
                           : !extension;
}

/// The last one for `extension`, or for every file where that is null.
const FcgidWrapper* last_wrapper(const apr_array_header_t& wrappers,
                                 const char* extension) noexcept {
  const auto* rows = reinterpret_cast<const FcgidWrapper*>(wrappers.elts);
  for (int i = wrappers.nelts; i-- > 0;) {
    if (fits(rows[i], extension)) return &rows[i];
  }
  return nullptr;
}

/// fcgid_conf.c, get_wrapper_info().
const FcgidWrapper* wrapper_of(const request_rec* r) noexcept {
  const apr_array_header_t* wrappers = directory_config(r->per_dir_config).fcgid_wrappers;
  if (!wrappers || !r->filename) return nullptr;
  const char* extension = std::strrchr(r->filename, '.');
  const FcgidWrapper* own = extension ? last_wrapper(*wrappers, extension) : nullptr;
  return own ? own : last_wrapper(*wrappers, nullptr);
}

const FcgidPath* last_path(const apr_array_header_t& paths, const char* program) noexcept {
  const auto* rows = reinterpret_cast<const FcgidPath*>(paths.elts);
  for (int i = paths.nelts; i-- > 0;) {
    const char* command = rows[i].command;
    if (program ? command && std::strcmp(command, program) == 0 : !command) return &rows[i];
  }
  return nullptr;
}

/// NAME=VALUE → VALUE where NAME is PATH.
const char* value_of_path(const char* assignment) noexcept {
  return std::strncmp(assignment, "PATH=", 5) == 0 ? assignment + 5 : nullptr;
}

}  // namespace

void take_fcgid_wrapper(cmd_parms* command, DirectoryConfig& directory, const char* arguments) {
  const char* line = next_word(command, arguments);
  const char* extension = next_word(command, arguments);
  const char* flag = next_word(command, arguments);
  if (!line) return;
  FcgidWrapper wrapper;
  wrapper.path = ap_getword_white(command->pool, &line);
  wrapper.is_virtual = flag != nullptr;
  if (extension && !flag && ap_cstr_casecmp(extension, "virtual") == 0) {
    wrapper.is_virtual = true;
  } else {
    wrapper.extension = extension;
  }
  push(directory.fcgid_wrappers, command->pool, wrapper);
}

FcgidGuards merge_fcgid_guards(const FcgidGuards& base, const FcgidGuards& over) noexcept {
  return {.access = over.access ? over.access : base.access,
          .user = over.user ? over.user : base.user,
          .right = over.right ? over.right : base.right};
}

void take_fcgid_guard(cmd_parms* command, DirectoryConfig& directory, const char* arguments) {
  FcgidGuards& guards = directory.fcgid_guards;
  const char* program = next_word(command, arguments);
  const char* name = command->cmd->name;
  if (std::strstr(name, "AccessChecker")) guards.access = program;
  if (std::strstr(name, "Authenticator")) guards.user = program;
  if (std::strstr(name, "Authorizer")) guards.right = program;
}

void take_fcgid_variable(cmd_parms* command, ServerConfig& server, const char* arguments) {
  const char* name = next_word(command, arguments);
  if (!name || std::strcmp(name, "PATH") != 0) return;
  const char* value = next_word(command, arguments);
  push(server.fcgid_paths, command->pool,
       FcgidPath{.command = nullptr, .path = value && *value ? value : nullptr});
}

void take_fcgid_options(cmd_parms* command, ServerConfig& server, const char* arguments) {
  FcgidPath row{.command = ap_getword_conf(command->pool, &arguments), .path = nullptr};
  while (*arguments) {
    const char* option = ap_getword_conf(command->pool, &arguments);
    if (ap_cstr_casecmp(option, "InitialEnv") != 0) continue;
    const char* path = value_of_path(ap_getword_conf(command->pool, &arguments));
    if (path) row.path = path;
  }
  push(server.fcgid_paths, command->pool, row);
}

bool fcgid_refuses(request_rec* r) noexcept {
  if (execution_is_off(r, "cgi-script")) return true;
  const FcgidWrapper* wrapper = wrapper_of(r);
  return !(wrapper && wrapper->is_virtual) && file_is_refused(r);
}

void complete_fcgid(request_rec* r, Target& target) {
  const FcgidWrapper* wrapper = wrapper_of(r);
  if (!wrapper) return;
  if (wrapper->is_virtual) {
    target.path = wrapper->path;
    target.role = Role::wrapper;
  } else {
    target.wrapper = wrapper->path;
    target.need = Need::read;
  }
}

const char* fcgid_path_of(const server_rec* server, const char* program) noexcept {
  const apr_array_header_t* paths = server_config(server).fcgid_paths;
  if (!paths) return nullptr;
  const FcgidPath* own = last_path(*paths, program);
  if (!own) own = last_path(*paths, nullptr);
  return own ? own->path : nullptr;
}

}  // namespace permguard
