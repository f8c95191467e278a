// SPDX-License-Identifier: Apache-2.0
#include "httpd/dispatchers/dispatcher.h"

#include <array>
#include <cstddef>
#include <cstring>

#include "httpd/dispatchers/fcgid.h"
#include "httpd/dispatchers/wsgi.h"

namespace permguard {
namespace {

/// AcceptPathInfo Off.
bool rest_is_refused(request_rec* r) noexcept {
  return r->used_path_info == AP_REQ_REJECT_PATH_INFO && r->path_info && *r->path_info;
}

/// mod_cgi.c and mod_cgid.c, cgi_handler() and cgid_handler().
bool cgi_refuses(request_rec* r) noexcept {
  if (execution_is_off(r, "cgi-script") || file_is_refused(r)) return true;
  const char* slash = std::strrchr(r->filename, '/');
  const bool parses_no_headers = std::strncmp(slash ? slash + 1 : r->filename, "nph-", 4) == 0;
  return parses_no_headers && is_included(r);
}

constexpr std::array kDispatchers = {
    Dispatcher{"cgi-script", Handler::cgi, HandlerUse::execute, cgi_refuses, nullptr, false},
    Dispatcher{"application/x-httpd-cgi", Handler::cgi, HandlerUse::execute, cgi_refuses, nullptr,
               false},
    Dispatcher{"fcgid-script", Handler::fcgid, HandlerUse::execute, fcgid_refuses, complete_fcgid,
               true},
    Dispatcher{"wsgi-script", Handler::wsgi, HandlerUse::read, wsgi_refuses, complete_wsgi, true},
    Dispatcher{"application/x-httpd-wsgi", Handler::wsgi, HandlerUse::read, wsgi_refuses,
               complete_wsgi, true},
    // mod_php, php_handler(). opcache does not read a file again that it holds.
    Dispatcher{"application/x-httpd-php", Handler::php, HandlerUse::read, file_is_refused, nullptr,
               true},
    Dispatcher{"application/x-httpd-php-source", Handler::php, HandlerUse::read, file_is_refused,
               nullptr, true},
    Dispatcher{"php-script", Handler::php, HandlerUse::read, file_is_refused, nullptr, true},
    // Stand for all that mod_proxy sends to FastCGI over TCP, and to a unix socket.
    Dispatcher{"proxy:fcgi", Handler::proxy, HandlerUse::read, file_is_refused, nullptr, false},
    Dispatcher{"proxy:unix:", Handler::proxy, HandlerUse::read, file_is_refused, nullptr, false},
};

constexpr Dispatcher kWsgiHandlerScript = {
    "", Handler::wsgi, HandlerUse::read, rest_is_refused, complete_wsgi, true};

/// By Handler.
constinit std::array<bool, kHandlerCount> loaded{};
constinit bool cgi_is_forked_ahead = false;

bool& loaded_flag(Handler handler) noexcept {
  return loaded[static_cast<std::size_t>(handler)];
}

}  // namespace

const Dispatcher* dispatcher_named(const char* name) noexcept {
  for (const Dispatcher& row : kDispatchers) {
    if (std::strcmp(row.name, name) == 0) return &row;
  }
  return nullptr;
}

const Dispatcher* dispatcher_for(const request_rec* r, const char* name) noexcept {
  const Dispatcher* known = dispatcher_named(name);
  return !known && is_wsgi_handler(r, name) ? &kWsgiHandlerScript : known;
}

const Dispatcher* dispatcher_of(Handler handler) noexcept {
  for (const Dispatcher& row : kDispatchers) {
    if (row.handler == handler) return &row;
  }
  return nullptr;
}

bool is_loaded(const Dispatcher& dispatcher) noexcept {
  return loaded_flag(dispatcher.handler);
}

bool is_forked_ahead(Handler handler) noexcept {
  return handler == Handler::fcgid || (handler == Handler::cgi && cgi_is_forked_ahead);
}

void find_dispatchers() noexcept {
  const bool cgi = ap_find_linked_module("mod_cgi.c");
  const bool cgid = ap_find_linked_module("mod_cgid.c");
  cgi_is_forked_ahead = cgid && !cgi;
  loaded_flag(Handler::cgi) = cgi || cgid;
  loaded_flag(Handler::fcgid) = ap_find_linked_module("mod_fcgid.c");
  loaded_flag(Handler::wsgi) = ap_find_linked_module("mod_wsgi.c");
  loaded_flag(Handler::php) =
      ap_find_linked_module("mod_php.c") || ap_find_linked_module("mod_php7.c");
  loaded_flag(Handler::proxy) = true;  // is_proxied() knows better
}

bool execution_is_off(request_rec* r, const char* forced) noexcept {
  if (ap_allow_options(r) & OPT_EXECCGI) return false;
  const char* alias = apr_table_get(r->notes, "alias-forced-type");
  return !alias || ap_cstr_casecmp(alias, forced) != 0;
}

bool file_is_refused(request_rec* r) noexcept {
  if (!r->filename || r->filename[0] != '/') return true;
  if (r->finfo.filetype == APR_NOFILE || r->finfo.filetype == APR_DIR) return true;
  return rest_is_refused(r);
}

bool is_included(const request_rec* r) noexcept {
  return r->main && r->protocol && std::strcmp(r->protocol, "INCLUDED") == 0;
}

}  // namespace permguard
