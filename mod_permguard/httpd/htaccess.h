// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/lead.h"
#include "httpd/apache.h"

namespace permguard {

// What of a request its .htaccess files decided, whose owner need not be the administrator. None of
// these looks at anything before it is asked; all are empty where there is no .htaccess.

/// The .htaccess that names `program`, a word that a directive of mod_fcgid or mod_wsgi has left in
/// the configuration of `r`.
FindLeads htaccess_naming(const request_rec* r, const char* program);

/// The .htaccess that sends `r` to the backend it is proxied to.
FindLeads htaccess_routing(const request_rec* r);

/// The .htaccess that sets the PATH of what `r` runs.
FindLeads htaccess_setting_path(const request_rec* r);

}  // namespace permguard
