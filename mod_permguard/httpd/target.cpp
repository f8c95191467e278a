// SPDX-License-Identifier: Apache-2.0
#include "httpd/target.h"

#include <cstring>
#include <string_view>

#include "httpd/config.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/journal.h"
#include "httpd/trace.h"

namespace permguard {
namespace {

/// What the handler `name` does with its target where `r` is.
struct Dispatch {
  const Dispatcher* known = nullptr;
  HandlerUse use = HandlerUse::off;

  Handler handler() const noexcept { return known ? known->handler : Handler::other; }
};

Dispatch dispatch_of(const request_rec* r, const char* name) noexcept {
  Dispatch dispatch{.known = dispatcher_for(r, name)};
  if (dispatch.known && is_loaded(*dispatch.known)) dispatch.use = dispatch.known->use;
  if (const HandlerRule* rule = handler_rule(name, server_config(r->server)))
    dispatch.use = rule->use;
  return dispatch;
}

bool is_answered_by_httpd(request_rec* r, const Dispatch& dispatch) noexcept {
  return dispatch.known ? dispatch.known->refuses(r) : file_is_refused(r);
}

Target target_at(const request_rec* r, const Dispatch& dispatch, const char* path) noexcept {
  return {.handler = is_included(r) ? Handler::ssi : dispatch.handler(),
          .dispatcher = dispatch.handler(),
          .need = dispatch.use == HandlerUse::read ? Need::read : Need::execute,
          .path = path,
          .stays_resident = dispatch.known && dispatch.known->stays_resident};
}

void complete(request_rec* r, const Dispatcher* known, Target& target) {
  if (known && known->complete) known->complete(r, target);
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
      for (const char* flag : {"H=", "handler="}) {  // of a RewriteRule
        const char* forced = std::strstr(word, flag);
        if (forced && std::strstr(forced, name)) return true;
      }
    }
  }
  return false;
}

bool rule_is_known(apr_pool_t* pool, const server_rec* server, const HandlerRule& rule) {
  if (dispatcher_named(rule.name) || configuration_mentions(pool, ap_conftree, rule.name))
    return true;
  const char* text =
      apr_psprintf(pool,
                   "PermGuardHandler: unknown handler '%s' on line %d of %s; allowed: cgi-script, "
                   "application/x-httpd-cgi, fcgid-script, wsgi-script, application/x-httpd-wsgi, "
                   "application/x-httpd-php, application/x-httpd-php-source, php-script, "
                   "proxy:fcgi, proxy:unix:, and every handler that "
                   "the configuration names, for example by AddHandler or SetHandler",
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

std::optional<Target> target_of(request_rec* r) {
  if (is_proxied(r)) return proxied_target_of(r);
  const Dispatch dispatch = dispatch_of(r, r->handler);
  if (dispatch.use == HandlerUse::off || is_answered_by_httpd(r, dispatch)) return std::nullopt;
  Target target = target_at(r, dispatch, r->filename);
  complete(r, dispatch.known, target);
  return target;
}

Target past_target(request_rec* r, const Trace& trace) {
  const ProxyTarget* proxy = trace.proxy ? as_sent(r, *trace.proxy) : nullptr;
  Target target{.handler = trace.handler,
                .dispatcher = trace.handler,
                .need = trace.need,
                .path = proxy ? proxy->subject() : r->filename,
                .proxy = proxy};
  complete(r, dispatcher_of(trace.handler), target);
  return target;
}

std::optional<Target> unreached_target_of(request_rec* r) {
  if (!r->filename || r->filename[0] != '/') return std::nullopt;
  Dispatch dispatch{.known = nullptr, .use = HandlerUse::read};
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

}  // namespace permguard
