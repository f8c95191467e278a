// SPDX-License-Identifier: Apache-2.0
#include "httpd/dispatchers/read_along.h"

#include <array>

#include "httpd/boundary.h"
#include "httpd/config.h"
#include "httpd/directive_words.h"
#include "httpd/dispatchers/fcgid.h"
#include "httpd/dispatchers/wsgi.h"
#include "httpd/journal.h"
#include "httpd/proxy_target.h"

namespace permguard {
namespace {

using RawDirective = const char*(cmd_parms*, void*, const char*);

/// The settings of mod_permguard itself for the section or file in which a directive stands. Makes
/// them where there are none yet, and those of the virtual host.
DirectoryConfig& directory_of(cmd_parms* command) {
  return *static_cast<DirectoryConfig*>(ap_set_config_vectors(
      command->server, command->context, command->path, &permguard_module, command->pool));
}

template <void (*Take)(cmd_parms*, DirectoryConfig&, const char*)>
const char* take_for_directory(cmd_parms* command, void*, const char* arguments) {
  Take(command, directory_of(command), arguments);
  return nullptr;
}

template <void (*Take)(cmd_parms*, ServerConfig&, const char*)>
const char* take_for_server(cmd_parms* command, void*, const char* arguments) {
  if (is_read_for_request(command)) return nullptr;
  directory_of(command);
  Take(command, config_of(command), arguments);
  return nullptr;
}

/// Failing for want of memory must not refuse what the owner would take.
template <auto Take>
constexpr RawDirective* kForDirectory = guarded_at_start<take_for_directory<Take>, nullptr>;
template <auto Take>
constexpr RawDirective* kForServer = guarded_at_start<take_for_server<Take>, nullptr>;

struct Foreign {
  const char* owner;
  const char* name;
  RawDirective* take;
};

constexpr std::array kForeign = {
    Foreign{"mod_fcgid.c", "FcgidWrapper", kForDirectory<take_fcgid_wrapper>},
    Foreign{"mod_fcgid.c", "FCGIWrapper", kForDirectory<take_fcgid_wrapper>},
    Foreign{"mod_fcgid.c", "FcgidAccessChecker", kForDirectory<take_fcgid_guard>},
    Foreign{"mod_fcgid.c", "FastCgiAccessChecker", kForDirectory<take_fcgid_guard>},
    Foreign{"mod_fcgid.c", "FcgidAuthenticator", kForDirectory<take_fcgid_guard>},
    Foreign{"mod_fcgid.c", "FastCgiAuthenticator", kForDirectory<take_fcgid_guard>},
    Foreign{"mod_fcgid.c", "FcgidAuthorizer", kForDirectory<take_fcgid_guard>},
    Foreign{"mod_fcgid.c", "FastCgiAuthorizer", kForDirectory<take_fcgid_guard>},
    Foreign{"mod_fcgid.c", "FcgidInitialEnv", kForServer<take_fcgid_variable>},
    Foreign{"mod_fcgid.c", "DefaultInitEnv", kForServer<take_fcgid_variable>},
    Foreign{"mod_fcgid.c", "FcgidCmdOptions", kForServer<take_fcgid_options>},
    Foreign{"mod_wsgi.c", "WSGIDaemonProcess", kForServer<take_wsgi_daemon>},
    Foreign{"mod_wsgi.c", "WSGIProcessGroup", kForDirectory<take_wsgi_group>},
    Foreign{"mod_wsgi.c", "WSGIHandlerScript", kForDirectory<take_wsgi_handler>},
    Foreign{"mod_wsgi.c", "WSGIDispatchScript", kForDirectory<take_wsgi_dispatch>},
    Foreign{"mod_proxy_fcgi.c", "ProxyFCGISetEnvIf", kForDirectory<take_fcgi_variable>},
};

/// A module record of its own for the directives: a table that depends on what is loaded cannot
/// be the one that LoadModule takes in before the modules after it are known.
constinit module_struct reader{MODULE_MAGIC_NUMBER_MAJOR,
                               MODULE_MAGIC_NUMBER_MINOR,
                               -1,
                               "mod_permguard_read_along.c",
                               nullptr,
                               nullptr,
                               MODULE_MAGIC_COOKIE,
                               nullptr,
                               nullptr,
                               nullptr,
                               nullptr,
                               nullptr,
                               nullptr,
                               nullptr,
                               AP_MODULE_FLAG_NONE};

const command_rec* directive_of(const module_struct& owner, const char* name) noexcept {
  for (const command_rec* row = owner.cmds; row && row->name; ++row) {
    if (ap_cstr_casecmp(row->name, name) == 0) return row;
  }
  return nullptr;
}

/// The owner counts the words and complains about them.
command_rec read_like(const command_rec& own, RawDirective* take) noexcept {
  command_rec row = own;
  row.func.raw_args = take;
  row.args_how = RAW_ARGS;
  return row;
}

apr_array_header_t* directives_of_loaded_modules(apr_pool_t* pool) {
  apr_array_header_t* rows = apr_array_make(pool, kForeign.size() + 1, sizeof(command_rec));
  for (const Foreign& foreign : kForeign) {
    const module_struct* owner = ap_find_linked_module(foreign.owner);
    const command_rec* own = owner ? directive_of(*owner, foreign.name) : nullptr;
    if (own) *static_cast<command_rec*>(apr_array_push(rows)) = read_like(*own, foreign.take);
  }
  return rows;
}

/// Before the configuration's pool, where the table lies, and the DSO are gone.
apr_status_t stop_reading(void*) noexcept {
  ap_remove_module(&reader);
  reader.next = nullptr;  // ap_remove_module() leaves it where another module was added since
  reader.cmds = nullptr;
  return APR_SUCCESS;
}

}  // namespace

int read_along(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*) {
  apr_array_header_t* rows = directives_of_loaded_modules(pconf);
  if (apr_is_empty_array(rows)) return OK;
  apr_array_push(rows);  // zeroed: the end of the table
  reader.cmds = reinterpret_cast<const command_rec*>(rows->elts);
  if (const char* error = ap_add_module(&reader, pconf, nullptr)) {
    log_internal_error(error);
    return OK;
  }
  apr_pool_cleanup_register(pconf, nullptr, stop_reading, apr_pool_cleanup_null);
  return OK;
}

}  // namespace permguard
