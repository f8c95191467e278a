// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"
#include "httpd/boundary.h"
#include "httpd/config.h"

namespace permguard {

// What the functions behind directives share.

/// What a directive answers that failed for want of memory.
inline constexpr char kFailed[] = "mod_permguard could not take in this directive";

template <auto Function>
inline constexpr auto taken_by = guarded_at_start<Function, kFailed>;

// A tenant must not switch off what the administrator wants, hence neither OR_* below nor
// AllowOverrideList; <Limit> would look as if it confined the directive to some methods.
inline constexpr unsigned kEverywhereButTenants = NOT_IN_HTACCESS | NOT_IN_LIMIT;
inline constexpr unsigned kMainServer = NOT_IN_HTACCESS | GLOBAL_ONLY;

/// httpd prints file and line before what a directive returns.
inline const char* bad_value(cmd_parms* command, const char* value, const char* allowed) {
  return apr_psprintf(command->pool, "%s: '%s' is not possible here; allowed: %s",
                      command->cmd->name, value, allowed);
}

inline bool is(const char* argument, const char* word) {
  return argument && ap_cstr_casecmp(argument, word) == 0;
}

/// Whether a request is being served, not the server started: what such a directive leaves behind
/// lives in the request's pool. The sign is ap_check_cmd_context()'s, for NOT_IN_HTACCESS.
inline bool is_read_for_request(const cmd_parms* command) {
  return command->pool == command->temp_pool;
}

/// The settings of the server the directive stands in. A request gets settings that nobody reads:
/// the server's are shared by all threads and outlive the request.
inline ServerConfig& config_of(const cmd_parms* command) {
  if (is_read_for_request(command)) {
    return *static_cast<ServerConfig*>(create_server_config(command->pool, command->server));
  }
  return *static_cast<ServerConfig*>(
      ap_get_module_config(command->server->module_config, &permguard_module));
}

}  // namespace permguard
