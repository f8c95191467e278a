// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "httpd/apache.h"
#include "httpd/boundary.h"

namespace permguard {

template <class T>
apr_status_t destroy_in_pool(void* object) {
  static_cast<T*>(object)->~T();
  return APR_SUCCESS;
}

/// A T that lives as long as `pool`, which runs its destructor. Only for pools that end before
/// the DSO is unloaded: the configuration's, a child's, a request's.
template <class T, class... Arguments>
T* make_in_pool(apr_pool_t* pool, Arguments&&... arguments) {
  static_assert(alignof(T) <= 8, "apr_palloc aligns to 8 bytes");
  T* object = new (apr_palloc(pool, sizeof(T))) T{std::forward<Arguments>(arguments)...};
  if constexpr (!std::is_trivially_destructible_v<T>) {
    apr_pool_cleanup_register(pool, object, guarded<destroy_in_pool<T>, APR_SUCCESS>,
                              apr_pool_cleanup_null);
  }
  return object;
}

}  // namespace permguard
