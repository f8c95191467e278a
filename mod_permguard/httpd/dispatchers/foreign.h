// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <type_traits>

#include "httpd/apache.h"
#include "httpd/config.h"

namespace permguard {

/// Without `module` its directive stays the error that it is without mod_permguard; else null.
inline const char* unless_loaded(const cmd_parms& command, const char* module) {
  if (ap_find_linked_module(module)) return nullptr;
  return apr_psprintf(
      command.pool,
      "Invalid command '%s', perhaps misspelled or defined by a module not included "
      "in the server configuration",
      command.directive->directive);
}

/// The settings of the server or vhost in which a directive stands.
inline ServerConfig& own_server_config(const cmd_parms& command) {
  return *static_cast<ServerConfig*>(
      ap_get_module_config(command.server->module_config, &permguard_module));
}

/// What stands in `base`, then what stands in `over`; both may be null.
inline apr_array_header_t* joined_arrays(apr_pool_t* pool, apr_array_header_t* base,
                                         apr_array_header_t* over) {
  if (!base || !over) return base ? base : over;
  return apr_array_append(pool, base, over);
}

/// Appends to an array that is made when it is first needed.
template <class T>
void push(apr_array_header_t*& array, apr_pool_t* pool, const T& row) {
  static_assert(std::is_trivially_destructible_v<T>);
  if (!array) array = apr_array_make(pool, 4, sizeof(T));
  new (apr_array_push(array)) T(row);
}

}  // namespace permguard
