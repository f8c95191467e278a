// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <type_traits>

#include "httpd/apache.h"

namespace permguard {

/// The next word of a directive's arguments, without quotes; null where there is none.
inline const char* next_word(const cmd_parms* command, const char*& arguments) {
  return *arguments ? ap_getword_conf(command->pool, &arguments) : nullptr;
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
