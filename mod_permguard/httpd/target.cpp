// SPDX-License-Identifier: Apache-2.0
#include "httpd/target.h"

#include <array>
#include <cstring>
#include <string_view>

#include "httpd/config.h"
#include "httpd/journal.h"

namespace permguard {
namespace {

/// A handler the module knows without being told.
struct BuiltIn {
  const char* name;
  Handler handler;
  HandlerUse use;
};

constexpr std::array kBuiltIn = {
    BuiltIn{"cgi-script", Handler::cgi, HandlerUse::execute},
    BuiltIn{"application/x-httpd-cgi", Handler::cgi, HandlerUse::execute},
    // Stand for all that mod_proxy sends to FastCGI over TCP, and to a unix socket.
    BuiltIn{"proxy:fcgi", Handler::proxy, HandlerUse::read},
    BuiltIn{"proxy:unix:", Handler::proxy, HandlerUse::read},
};

/// mod_cgi or mod_cgid is loaded; without them httpd would serve a script's text.
constinit bool cgi_is_dispatched = false;

const BuiltIn* built_in(const char* name) noexcept {
  for (const BuiltIn& row : kBuiltIn) {
    if (std::strcmp(row.name, name) == 0) return &row;
  }
  return nullptr;
}

const HandlerRule* rule_for(const char* name, const ServerConfig& config) noexcept {
  if (!config.handlers) return nullptr;
  const auto* rules = reinterpret_cast<const HandlerRule*>(config.handlers->elts);
  for (int i = config.handlers->nelts; i-- > 0;) {
    if (ap_cstr_casecmp(rules[i].name, name) == 0) return &rules[i];
  }
  return nullptr;
}

bool alias_forces_cgi(const request_rec* r) noexcept {
  const char* forced = apr_table_get(r->notes, "alias-forced-type");
  return forced && ap_cstr_casecmp(forced, "cgi-script") == 0;
}

/// mod_cgi and mod_cgid refuse these before they execute anything.
bool cgi_is_refused(request_rec* r) noexcept {
  if (!(ap_allow_options(r) & OPT_EXECCGI) && !alias_forces_cgi(r)) {
    return true;
  }
  const char* slash = std::strrchr(r->filename, '/');
  const bool parses_no_headers = std::strncmp(slash ? slash + 1 : r->filename, "nph-", 4) == 0;
  return parses_no_headers && r->protocol && std::strcmp(r->protocol, "INCLUDED") == 0;
}

bool is_answered_by_httpd(const request_rec* r) noexcept {
  if (!r->filename || r->filename[0] != '/') return true;
  if (r->finfo.filetype == APR_NOFILE || r->finfo.filetype == APR_DIR) return true;
  return r->used_path_info == AP_REQ_REJECT_PATH_INFO && r->path_info && *r->path_info;
}

/// What the handler `name` does with its target in the server of `r`.
struct Dispatch {
  Handler handler = Handler::other;
  HandlerUse use = HandlerUse::off;
};

Dispatch dispatch_of(const request_rec* r, const char* name) noexcept {
  Dispatch dispatch;
  if (const BuiltIn* known = built_in(name)) {
    const bool runs = known->handler != Handler::cgi || cgi_is_dispatched;
    dispatch = {known->handler, runs ? known->use : HandlerUse::off};
  }
  if (const HandlerRule* rule = rule_for(name, server_config(r->server))) dispatch.use = rule->use;
  return dispatch;
}

Target target_at(const request_rec* r, const Dispatch& dispatch, const char* path) noexcept {
  const bool in_ssi = r->main && r->protocol && std::strcmp(r->protocol, "INCLUDED") == 0;
  return {.handler = in_ssi ? Handler::ssi : dispatch.handler,
          .need = dispatch.use == HandlerUse::read ? Need::read : Need::execute,
          .path = path};
}

/// Whether a directive of the configuration mentions the handler `name` as one of its words, as
/// AddHandler, SetHandler, Action, AddType, WSGIHandlerScript or a RewriteRule's H= do.
bool configuration_mentions(apr_pool_t* pool, const ap_directive_t* node, const char* name) {
  for (; node; node = node->next) {
    if (node->first_child && configuration_mentions(pool, node->first_child, name)) return true;
    if (ap_cstr_casecmp(node->directive, "PermGuardHandler") == 0) continue;
    const char* rest = node->args;
    while (rest && *rest) {
      const char* word = ap_getword_conf(pool, &rest);
      if (ap_cstr_casecmp(word, name) == 0) return true;
      if (const char* forced = std::strstr(word, "H="); forced && std::strstr(forced, name)) {
        return true;
      }
    }
  }
  return false;
}

bool rule_is_known(apr_pool_t* pool, const server_rec* server, const HandlerRule& rule) {
  if (built_in(rule.name) || configuration_mentions(pool, ap_conftree, rule.name)) return true;
  const char* text =
      apr_psprintf(pool,
                   "PermGuardHandler: unknown handler '%s' on line %d of %s; allowed: cgi-script, "
                   "application/x-httpd-cgi, proxy:fcgi, proxy:unix:, and every handler that the "
                   "configuration names, for example by "
                   "AddHandler or SetHandler",
                   rule.name, rule.line, rule.file);
  log_startup_error(server, APR_SUCCESS, text);
  return false;
}

std::optional<Target> proxied_target_of(request_rec* r) noexcept {
  const bool reader_is_named = directory_config(r->per_dir_config).run_as.value_or(nullptr);
  ProxyTarget* proxy = proxy_target_of(r, reader_is_named);
  if (!proxy) return std::nullopt;
  const Dispatch dispatch = dispatch_of(r, proxy->socket ? "proxy:unix:" : "proxy:fcgi");
  if (dispatch.use == HandlerUse::off) return std::nullopt;
  Target target = target_at(r, dispatch, proxy->subject());
  proxy->need = target.need;
  target.proxy = proxy;
  return target;
}

}  // namespace

std::optional<Target> target_of(request_rec* r) noexcept {
  if (is_proxied(r)) return proxied_target_of(r);
  const Dispatch dispatch = dispatch_of(r, r->handler);
  if (dispatch.use == HandlerUse::off || is_answered_by_httpd(r)) return std::nullopt;
  if (dispatch.handler == Handler::cgi && cgi_is_refused(r)) return std::nullopt;
  return target_at(r, dispatch, r->filename);
}

std::optional<Target> unreached_target_of(request_rec* r) {
  if (!r->filename || r->filename[0] != '/') return std::nullopt;
  Dispatch dispatch{Handler::other, HandlerUse::read};
  if (r->handler) dispatch = dispatch_of(r, r->handler);
  if (dispatch.use == HandlerUse::off) return std::nullopt;
  const char* rest = r->path_info ? r->path_info : "";
  return target_at(r, dispatch, apr_pstrcat(r->pool, r->filename, rest, nullptr));
}

bool handlers_are_known(apr_pool_t* pool, server_rec* servers) {
  bool known = true;
  for (const server_rec* server = servers; server; server = server->next) {
    const apr_array_header_t* handlers = server_config(server).handlers;
    const auto* rules = reinterpret_cast<const HandlerRule*>(handlers->elts);
    for (int i = 0; i < handlers->nelts; ++i) {
      known = rule_is_known(pool, server, rules[i]) && known;
    }
  }
  return known;
}

void find_dispatchers() noexcept {
  cgi_is_dispatched = ap_find_linked_module("mod_cgi.c") || ap_find_linked_module("mod_cgid.c");
}

}  // namespace permguard
