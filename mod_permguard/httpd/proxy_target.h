// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/finding.h"
#include "httpd/apache.h"

namespace permguard {

struct DirectoryConfig;

/// Where mod_proxy will send a request, as far as permissions of this machine are concerned.
/// All text belongs to the request.
struct ProxyTarget {
  const char* socket = nullptr;  ///< path of the backend's unix socket; null: TCP
  const char* host = nullptr;    ///< of a FastCGI, SCGI or uwsgi backend on TCP
  std::uint16_t port = 0;
  const char* script = nullptr;  ///< what a FastCGI backend is told to run; null: not FastCGI
  Need need = Need::read;        ///< what the backend needs of the script
  /// `script` comes from the URL: PATH_INFO may follow it, and %XX may stand in it.
  bool from_url = false;
  /// How much of `script` the configuration says, before what comes from the URL.
  std::size_t configured = std::string::npos;
  const char* path_info = nullptr;  ///< the part of `script` that httpd knows to be PATH_INFO
  /// Connections are kept: one made earlier works, whatever became of the socket's file.
  bool keeps_connections = false;
  /// "balancer://NAME…": mod_proxy_balancer chooses among several backends when it sends the
  /// request; until then this is the first of them. Null: there is no choice.
  const char* balancer = nullptr;

  /// What the request is about: the script, else the socket, else the host.
  const char* subject() const noexcept { return script ? script : socket ? socket : host; }
  /// Whether there is a file that can be asked for before dispatch.
  bool has_file() const noexcept { return script || socket; }
};

/// Whether mod_proxy's handler would take the request.
bool is_proxied(const request_rec* r) noexcept;

/// Where `r`, whose handler phase begins, will be sent: by `SetHandler "proxy:…"`, by ProxyPass,
/// ProxyPassMatch or RewriteRule [P]. Null where there is nothing to judge: not proxied; a TCP
/// backend that speaks neither FastCGI, SCGI nor uwsgi, or is another machine and
/// `reader_is_named` is false; an address that httpd itself will call bad. Asks the kernel for
/// nothing.
/// Sources: mod_proxy.c, proxy_handler(); proxy_util.c, fixup_uds_filename() and
/// ap_proxy_get_worker_ex(); mod_proxy_fcgi.c, proxy_fcgi_canon() and send_environment();
/// mod_proxy_balancer.c, proxy_balancer_pre_request().
ProxyTarget* proxy_target_of(request_rec* r, bool reader_is_named) noexcept;

/// `target` with the backend that the balancer has chosen for `r`, which has been sent.
const ProxyTarget* as_sent(request_rec* r, const ProxyTarget& target) noexcept;

/// ProxyFCGISetEnvIf EXPRESSION NAME [VALUE], of mod_proxy_fcgi: see dispatchers/read_along.h. What
/// it makes of SCRIPT_FILENAME is known to mod_proxy_fcgi alone.
void take_fcgi_variable(cmd_parms* command, DirectoryConfig& directory, const char* arguments);

/// post_config: learns whether and where mod_proxy is loaded.
void find_proxy() noexcept;

}  // namespace permguard
