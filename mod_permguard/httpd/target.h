// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/finding.h"
#include "httpd/apache.h"
#include "httpd/proxy_target.h"
#include "incidents/status.h"

namespace permguard {

struct Trace;

/// What a request is about to have executed or read. The paths live as long as the request.
struct Target {
  Handler handler = Handler::other;     ///< as the metrics label it
  Handler dispatcher = Handler::other;  ///< the same, but never `ssi`
  Need need = Need::execute;
  const char* path = nullptr;
  const ProxyTarget* proxy = nullptr;  ///< where mod_proxy sends the request, if it does
  Role role = Role::script;
  const char* wrapper = nullptr;  ///< a program that is executed to read `path`, or null
  const char* root = nullptr;     ///< the chroot of the process that reads `path`, or null
  bool stays_resident = false;    ///< once started or loaded it goes on, whatever becomes of it
};

/// The target of a request whose handler phase begins; nothing where the handler is none of
/// ours, or where stock httpd answers before anything is executed: ExecCGI off, no such file, a
/// directory, rejected PATH_INFO, an nph- script in SSI (mod_cgi.c, cgi_handler()).
/// Decided by comparisons alone: it runs for every static file.
std::optional<Target> target_of(request_rec* r);

/// The target that the handler phase of `r` had, of which `trace` is left.
Target past_target(request_rec* r, const Trace& trace);

/// The target of a request that httpd refused while it looked for the file, so that only the
/// URL's mapping is known: filename and path_info together.
std::optional<Target> unreached_target_of(request_rec* r);

/// check_config: a PermGuardHandler whose name neither the module nor the configuration knows is
/// an error. Says so in the log.
bool handlers_are_known(apr_pool_t* pool, server_rec* servers);

}  // namespace permguard
