// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

// A FastCGI program that runs, a WSGI application that is loaded and a PHP script that opcache
// holds go on although nobody could start or read them any more. What has once been let through
// since httpd (re)started may be such a one, so `enforce` must not answer for it.

/// post_config: memory that all children of this generation share.
void open_residents(apr_pool_t* pconf);

/// Remembers that `path` was let through. Lock-free, allocates nothing.
void remember_resident(const char* path) noexcept;

/// Whether `path` may have been let through; false is certain.
bool may_be_resident(const char* path) noexcept;

}  // namespace permguard
