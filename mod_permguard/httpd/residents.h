// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "httpd/apache.h"

namespace permguard {

// A FastCGI program that runs, a WSGI application that is loaded and a PHP script that opcache
// holds go on although nobody could start or read them any more. What has once been let through
// may be such a one, so `enforce` must not answer for it.

/// Who holds what was let through.
enum class Holder : std::uint8_t {
  httpd,   ///< a process of httpd's, until the next (re)start
  backend  ///< a process of its own, as PHP-FPM, which outlives httpd's restarts
};

/// post_config: memory that all children share; what backends hold is kept over restarts.
void open_residents(apr_pool_t* pconf, server_rec* server);

/// Remembers that `path` was let through. Lock-free, allocates nothing.
void remember_resident(Holder holder, const char* path) noexcept;

/// Whether `path` may have been let through; false is certain.
bool may_be_resident(Holder holder, const char* path) noexcept;

}  // namespace permguard
