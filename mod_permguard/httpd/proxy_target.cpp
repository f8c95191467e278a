// SPDX-License-Identifier: Apache-2.0
#include "httpd/proxy_target.h"

#include <dlfcn.h>

#include <array>
#include <cstring>

#include "core/listener.h"
#include "httpd/config.h"
#include "httpd/dispatchers/foreign.h"
#include "httpd/pool.h"

namespace permguard {
namespace {

using WorkerLookup = decltype(&ap_proxy_get_worker_ex);
using BalancerLookup = decltype(&ap_proxy_get_balancer);

// mod_proxy may be absent, or loaded after this module: no symbol of it may be linked.
constinit const module* proxy_module_record = nullptr;
constinit WorkerLookup find_worker = nullptr;
constinit BalancerLookup find_balancer = nullptr;

constexpr char kProxy[] = "proxy:";
constexpr std::size_t kProxyLength = sizeof kProxy - 1;

/// What a backend on TCP speaks, where the failure to reach it is worth explaining.
struct Protocol {
  const char* scheme;
  std::uint16_t port;  ///< the default of its mod_proxy_*.c
  bool runs_scripts;   ///< it is told which file to run
};
constexpr std::array kProtocols = {Protocol{"fcgi:", 8000, true}, Protocol{"scgi:", 4000, false},
                                   Protocol{"uwsgi:", 3031, false}};

bool starts_with(const char* text, const char* word) noexcept {
  return ap_cstr_casecmpn(text, word, std::strlen(word)) == 0;
}

bool comes_by_handler(const request_rec* r) noexcept {
  return r->proxyreq == PROXYREQ_NONE && r->handler &&
         std::strncmp(r->handler, kProxy, kProxyLength) == 0;
}

bool comes_by_url(const request_rec* r) noexcept {
  return r->proxyreq == PROXYREQ_REVERSE && std::strncmp(r->filename, kProxy, kProxyLength) == 0;
}

/// A backend's address as mod_proxy will have it when it looks for the worker.
struct Route {
  const char* url = nullptr;     ///< scheme://host[:port]/path
  const char* socket = nullptr;  ///< named beside the URL
};

/// "scheme:/path" and "scheme:///path" mean localhost where a socket is named beside them.
const char* with_host(apr_pool_t* pool, const char* url) noexcept {
  const char* colon = std::strchr(url, ':');
  if (!colon || colon[1] != '/') return nullptr;
  if (colon[2] == '/' && colon[3] != '/') return url;
  const char* path = colon[2] == '/' ? colon + 3 : colon + 1;
  return apr_pstrcat(pool, apr_pstrmemdup(pool, url, static_cast<apr_size_t>(colon - url)),
                     "://localhost", path, nullptr);
}

Route route_of_handler(const request_rec* r) noexcept {
  const char* name = r->handler + kProxyLength;
  const char* bar = starts_with(name, "unix:") ? std::strchr(name, '|') : nullptr;
  if (!bar) return {.url = apr_pstrcat(r->pool, name, r->filename, nullptr)};
  apr_uri_t socket;
  const char* text = apr_pstrmemdup(r->pool, name, static_cast<apr_size_t>(bar - name));
  if (apr_uri_parse(r->pool, text, &socket) != APR_SUCCESS || !socket.path) return {};
  if (socket.hostname && *socket.hostname) return {};
  return {.url = with_host(r->pool, apr_pstrcat(r->pool, bar + 1, r->filename, nullptr)),
          .socket = ap_runtime_dir_relative(r->pool, socket.path)};
}

Route route_of(const request_rec* r) noexcept {
  if (comes_by_handler(r)) return route_of_handler(r);
  return {.url = r->filename + kProxyLength, .socket = apr_table_get(r->notes, "uds_path")};
}

const Protocol* protocol_of(const char* url) noexcept {
  for (const Protocol& row : kProtocols) {
    if (starts_with(url, row.scheme)) return &row;
  }
  return nullptr;
}

proxy_server_conf* proxy_config(const request_rec* r) noexcept {
  return static_cast<proxy_server_conf*>(
      ap_get_module_config(r->server->module_config, proxy_module_record));
}

proxy_worker* worker_for(const request_rec* r, const char* url) noexcept {
  if (!find_worker) return nullptr;
  return find_worker(r->pool, nullptr, proxy_config(r), url, AP_PROXY_WORKER_NO_UDS);
}

/// The member that mod_proxy_balancer has sent `r` to, or would look at first.
const proxy_worker* member_for(const request_rec* r, const char* url) noexcept {
  const proxy_balancer* balancer =
      find_balancer ? find_balancer(r->pool, proxy_config(r), url, 0) : nullptr;
  if (!balancer) return nullptr;
  const char* chosen = apr_table_get(r->subprocess_env, "BALANCER_WORKER_NAME");
  const auto* members = reinterpret_cast<const proxy_worker* const*>(balancer->workers->elts);
  const proxy_worker* first = nullptr;
  for (int i = 0; i < balancer->workers->nelts; ++i) {
    if (chosen && std::strcmp(members[i]->s->name_ex, chosen) == 0) return members[i];
    if (!first && PROXY_WORKER_IS_USABLE(members[i])) first = members[i];
  }
  return first || balancer->workers->nelts == 0 ? first : members[0];
}

/// Who gets the request.
struct Backend {
  const proxy_worker* worker = nullptr;
  const char* url = nullptr;     ///< scheme://host[:port]…; null: nobody
  const char* socket = nullptr;  ///< null: TCP
  const char* balancer = nullptr;
};

Backend member_of_balancer(const request_rec* r, const char* url) noexcept {
  const proxy_worker* member = member_for(r, url);
  if (!member) return {};
  return {.worker = member,
          .url = member->s->name_ex,
          .socket = *member->s->uds_path ? member->s->uds_path : nullptr,
          .balancer = url};
}

Backend backend_of(const request_rec* r, const Route& route) noexcept {
  if (starts_with(route.url, BALANCER_PREFIX)) return member_of_balancer(r, route.url);
  const proxy_worker* worker = worker_for(r, route.url);
  // A worker's own socket beats the one that the handler's name holds.
  return {.worker = worker,
          .url = route.url,
          .socket = worker && *worker->s->uds_path ? worker->s->uds_path : route.socket};
}

/// mod_proxy_fcgi closes its connections unless it is told otherwise.
bool keeps_connections(const proxy_worker* worker, bool fastcgi) noexcept {
  if (!worker) return false;
  return fastcgi ? worker->s->disablereuse_set && !worker->s->disablereuse
                 : !worker->s->disablereuse;
}

/// The path of "scheme://host/path"; of several slashes at its beginning the last counts.
const char* path_of(const char* url) noexcept {
  const char* path = std::strchr(std::strstr(url, "://") + 3, '/');
  while (path && path[1] == '/') ++path;
  return path;
}

/// FPM takes off the query, which a RewriteRule may leave there.
const char* without_query(apr_pool_t* pool, const char* path) noexcept {
  const char* query = std::strchr(path, '?');
  return query ? apr_pstrmemdup(pool, path, static_cast<apr_size_t>(query - path)) : path;
}

/// How long `path` is without the end it has in common with `uri`.
std::size_t length_before_uri(const char* path, const char* uri) noexcept {
  std::size_t length = std::strlen(path);
  for (std::size_t left = std::strlen(uri); length > 0 && left > 0; --length, --left) {
    if (path[length - 1] != uri[left - 1]) break;
  }
  return length;
}

void set_script(ProxyTarget& target, const request_rec* r, const char* url) noexcept {
  if (comes_by_handler(r)) {
    target.script = r->finfo.filetype == APR_DIR ? nullptr : r->filename;
    return;
  }
  target.from_url = true;
  target.script = without_query(r->pool, path_of(url));
  target.configured = length_before_uri(target.script, r->uri);
  target.path_info = r->path_info;
}

bool set_address(ProxyTarget& target, apr_pool_t* pool, const char* url, std::uint16_t port) {
  apr_uri_t address;
  const char* path = std::strchr(std::strstr(url, "://") + 3, '/');
  const char* authority =
      path ? apr_pstrmemdup(pool, url, static_cast<apr_size_t>(path - url)) : url;
  if (apr_uri_parse(pool, authority, &address) != APR_SUCCESS || !address.hostname) return false;
  target.host = address.hostname;
  target.port = address.port_str ? address.port : port;
  return true;
}

/// False where there is nothing to judge.
bool set_backend(ProxyTarget& target, apr_pool_t* pool, const Backend& backend,
                 bool reader_is_named) {
  if (!backend.url || !std::strstr(backend.url, "://")) return false;
  const Protocol* protocol = protocol_of(backend.url);
  target.keeps_connections = keeps_connections(backend.worker, protocol && protocol->runs_scripts);
  target.balancer = backend.balancer;
  target.socket = backend.socket;
  target.host = nullptr;
  if (target.socket) return true;
  if (!protocol || !set_address(target, pool, backend.url, protocol->port)) return false;
  return is_loopback(target.host) || (reader_is_named && protocol->runs_scripts);
}

}  // namespace

bool is_proxied(const request_rec* r) noexcept {
  return proxy_module_record && r->filename && (comes_by_handler(r) || comes_by_url(r));
}

ProxyTarget* proxy_target_of(request_rec* r, bool reader_is_named) noexcept {
  const Route route = route_of(r);
  if (!route.url || !std::strstr(route.url, "://") || !path_of(route.url)) return nullptr;
  const Backend backend = backend_of(r, route);
  ProxyTarget target;
  if (!set_backend(target, r->pool, backend, reader_is_named)) return nullptr;
  const Protocol* protocol = protocol_of(backend.url);
  const bool renamed = directory_config(r->per_dir_config).renames_script;
  if (protocol && protocol->runs_scripts && !renamed) set_script(target, r, route.url);
  return target.subject() ? make_in_pool<ProxyTarget>(r->pool, target) : nullptr;
}

const ProxyTarget* as_sent(request_rec* r, const ProxyTarget& target) noexcept {
  if (!target.balancer) return &target;
  ProxyTarget sent = target;
  const bool known = set_backend(sent, r->pool, member_of_balancer(r, target.balancer), true);
  return known ? make_in_pool<ProxyTarget>(r->pool, sent) : &target;
}

void take_fcgi_variable(cmd_parms* command, DirectoryConfig& directory, const char* arguments) {
  next_word(command, arguments);
  const char* name = next_word(command, arguments);
  if (name && ap_cstr_casecmp(name, "SCRIPT_FILENAME") == 0) directory.renames_script = true;
}

void find_proxy() noexcept {
  proxy_module_record = ap_find_linked_module("mod_proxy.c");
  const auto symbol = [](const char* name) {
    return proxy_module_record ? dlsym(RTLD_DEFAULT, name) : nullptr;
  };
  find_worker = reinterpret_cast<WorkerLookup>(symbol("ap_proxy_get_worker_ex"));
  find_balancer = reinterpret_cast<BalancerLookup>(symbol("ap_proxy_get_balancer"));
}

}  // namespace permguard
