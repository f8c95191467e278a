// SPDX-License-Identifier: Apache-2.0
#include "httpd/proxy_target.h"

#include <dlfcn.h>

#include <cstring>

#include "core/listener.h"
#include "httpd/pool.h"

namespace permguard {
namespace {

using WorkerLookup = decltype(&ap_proxy_get_worker_ex);

// mod_proxy may be absent, or loaded after this module: no symbol of it may be linked.
constinit const module* proxy_module_record = nullptr;
constinit WorkerLookup find_worker = nullptr;

constexpr char kProxy[] = "proxy:";
constexpr std::size_t kProxyLength = sizeof kProxy - 1;
constexpr std::uint16_t kFastCgiPort = 8000;  // mod_proxy_fcgi's default

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

proxy_worker* worker_for(const request_rec* r, const char* url) noexcept {
  if (!find_worker) return nullptr;
  auto* config = static_cast<proxy_server_conf*>(
      ap_get_module_config(r->server->module_config, proxy_module_record));
  return find_worker(r->pool, nullptr, config, url, AP_PROXY_WORKER_NO_UDS);
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

bool set_address(ProxyTarget& target, apr_pool_t* pool, const char* url, const char* path) {
  apr_uri_t address;
  const char* authority = apr_pstrmemdup(pool, url, static_cast<apr_size_t>(path - url));
  if (apr_uri_parse(pool, authority, &address) != APR_SUCCESS || !address.hostname) return false;
  target.host = address.hostname;
  target.port = address.port_str ? address.port : kFastCgiPort;
  return true;
}

}  // namespace

bool is_proxied(const request_rec* r) noexcept {
  return proxy_module_record && r->filename && (comes_by_handler(r) || comes_by_url(r));
}

ProxyTarget* proxy_target_of(request_rec* r, bool reader_is_named) noexcept {
  const Route route = route_of(r);
  if (!route.url || !std::strstr(route.url, "://") || !path_of(route.url)) return nullptr;
  const bool fastcgi = starts_with(route.url, "fcgi:");
  const proxy_worker* worker = worker_for(r, route.url);
  ProxyTarget target{.keeps_connections = keeps_connections(worker, fastcgi)};
  // A worker's own socket beats the one that the handler's name holds.
  target.socket = worker && *worker->s->uds_path ? worker->s->uds_path : route.socket;
  if (!target.socket) {
    if (!fastcgi || !set_address(target, r->pool, route.url, path_of(route.url))) return nullptr;
    if (!reader_is_named && !is_loopback(target.host)) return nullptr;
  }
  if (fastcgi) set_script(target, r, route.url);
  return target.subject() ? make_in_pool<ProxyTarget>(r->pool, target) : nullptr;
}

void find_proxy() noexcept {
  proxy_module_record = ap_find_linked_module("mod_proxy.c");
  void* symbol = proxy_module_record ? dlsym(RTLD_DEFAULT, "ap_proxy_get_worker_ex") : nullptr;
  find_worker = reinterpret_cast<WorkerLookup>(symbol);
}

}  // namespace permguard
