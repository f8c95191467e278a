// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/finding.h"
#include "httpd/apache.h"
#include "httpd/proxy_target.h"
#include "report/status_snapshot.h"

namespace permguard {

/// What a request is about to have executed or read. `path` belongs to the request.
struct Target {
  Handler handler = Handler::other;
  Need need = Need::execute;
  const char* path = nullptr;
  const ProxyTarget* proxy = nullptr;  ///< where mod_proxy sends the request, if it does
};

/// The target of a request whose handler phase begins; nothing where the handler is none of
/// ours, or where stock httpd answers before anything is executed: ExecCGI off, no such file, a
/// directory, rejected PATH_INFO, an nph- script in SSI (mod_cgi.c, cgi_handler()).
/// Decided by comparisons alone: it runs for every static file.
std::optional<Target> target_of(request_rec* r) noexcept;

/// The target of a request that httpd refused while it looked for the file, so that only the
/// URL's mapping is known: filename and path_info together.
std::optional<Target> unreached_target_of(request_rec* r);

/// check_config: a PermGuardHandler whose name neither the module nor the configuration knows is
/// an error. Says so in the log.
bool handlers_are_known(apr_pool_t* pool, server_rec* servers);

/// post_config: learns which modules run the built-in handlers' targets.
void find_dispatchers() noexcept;

}  // namespace permguard
