// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

// mod_fcgid, mod_wsgi and mod_proxy_fcgi keep their settings to themselves, so the directives of
// theirs that decide what is executed, or by whom, are read a second time. httpd hands a directive
// to every module that has one of that name, with the module that was added last first, and stops
// at the first that refuses it (server/config.c, ap_walk_config_sub()). So a reader must neither
// refuse anything nor be there without the module that owns the directive, and what it takes in
// must be forgotten where that module refuses: whatever stands in an .htaccess file goes to that
// file's own settings, which httpd throws away then.

/// pre_config: reads along what the modules own that are loaded by now, each directive where its
/// owner takes it (req_override).
int read_along(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp);

}  // namespace permguard
