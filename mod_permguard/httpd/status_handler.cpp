// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "httpd/config.h"
#include "httpd/hooks.h"
#include "httpd/shared_memory.h"
#include "httpd/status_key.h"
#include "httpd/status_query.h"
#include "httpd/watch_task.h"
#include "incidents/standing.h"
#include "report/json.h"
#include "report/pages.h"
#include "version.h"

namespace permguard {
namespace {

constexpr char kHandlerName[] = "permguard-status";
/// Of all but the page, which has its own.
constexpr char kNothingElse[] =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether `node` is `SetHandler permguard-status` at this place of the configuration.
bool is_the_directive(apr_pool_t* pool, const ap_directive_t& node, const ap_expr_info_t& place) {
  if (ap_cstr_casecmp(node.directive, "SetHandler") != 0) return false;
  if (node.line_num != static_cast<int>(place.line_number)) return false;
  if (!node.filename || !place.filename || std::strcmp(node.filename, place.filename) != 0) {
    return false;
  }
  const char* rest = node.args;
  return ap_cstr_casecmp(ap_getword_conf(pool, &rest), kHandlerName) == 0;
}

bool stands_in_configuration(apr_pool_t* pool, const ap_directive_t* node,
                             const ap_expr_info_t& place) {
  for (; node; node = node->next) {
    if (is_the_directive(pool, *node, place)) return true;
    if (stands_in_configuration(pool, node->first_child, place)) return true;
  }
  return false;
}

/// Whether the SetHandler in force stands in the server's configuration. One of an .htaccess
/// has that file's name, which no directive of the configuration has; and its page would show a
/// tenant the paths of others.
bool is_set_by_administrator(const request_rec* r) {
  const auto* core =
      static_cast<const core_dir_config*>(ap_get_core_module_config(r->per_dir_config));
  return core->expr_handler && stands_in_configuration(r->pool, ap_conftree, *core->expr_handler);
}

StatusSnapshot snapshot_of(const request_rec* r) {
  StatusSnapshot snapshot;
  snapshot.version = PERMGUARD_VERSION;
  snapshot.now = apr_time_sec(r->request_time);
  snapshot.started = server_started();
  int generation = 0;
  ap_mpm_query(AP_MPMQ_GENERATION, &generation);
  snapshot.generation = static_cast<std::uint64_t>(generation);
  snapshot.health_fails = server_config(ap_server_conf).health_fails.value_or(false);
  for (const server_rec* server = ap_server_conf; server; server = server->next) {
    const ModeSetting mode = directory_config(server->lookup_defaults).effective_mode();
    std::string place = server->defn_name ? server->defn_name : "";
    if (server->defn_name) place += ":" + std::to_string(server->defn_line_number);
    snapshot.vhosts.push_back({vhost_name(server), name_of(mode), place});
  }
  shared_state().expire(snapshot.now);
  shared_state().fill(snapshot);
  keep_to_configuration(snapshot.watch);
  drop_repaired(snapshot);
  return snapshot;
}

int send(request_rec* r, const char* type, const std::string& body) {
  ap_set_content_type_ex(r, type, 1);
  ap_set_content_length(r, static_cast<apr_off_t>(body.size()));
  ap_rwrite(body.data(), static_cast<int>(body.size()), r);
  return OK;
}

int send_page(request_rec* r, const StatusSnapshot& snapshot, std::optional<int> refresh) {
  const HtmlPage page = status_page(snapshot, refresh, r->uri);
  apr_table_set(r->headers_out, "Content-Security-Policy", page.content_security_policy.c_str());
  return send(r, "text/html; charset=UTF-8", page.body);
}

int send_metrics(request_rec* r, const StatusSnapshot& snapshot) {
  const MetricsFormat format = negotiate_metrics(apr_table_get(r->headers_in, "Accept"));
  apr_table_mergen(r->headers_out, "Vary", "Accept");
  return send(r, content_type(format), status_metrics(snapshot, format));
}

int send_health(request_rec* r, const StatusSnapshot& snapshot) {
  if (snapshot.health_fails && health_of(snapshot) == Health::fail) {
    r->status = HTTP_SERVICE_UNAVAILABLE;
  }
  return send(r, "application/health+json", dump(health_json(snapshot)) + "\n");
}

int send_status(request_rec* r, const StatusQuery& query) {
  const StatusSnapshot snapshot = snapshot_of(r);
  switch (query.view) {
    case StatusView::json:
      return send(r, "application/json", dump(status_json(snapshot)) + "\n");
    case StatusView::automatic:
      return send(r, "text/plain; charset=UTF-8", status_auto(snapshot));
    case StatusView::metrics:
      return send_metrics(r, snapshot);
    case StatusView::health:
      return send_health(r, snapshot);
    case StatusView::page:
      break;
  }
  return send_page(r, snapshot, query.refresh);
}

/// Refusals have them too.
void set_common_headers(request_rec* r) {
  apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
  apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
}

void set_headers(request_rec* r, const StatusQuery& query) {
  apr_table_setn(r->headers_out, "Content-Security-Policy", kNothingElse);
  if (query.refresh) {
    apr_table_setn(r->headers_out, "Refresh", apr_itoa(r->pool, *query.refresh));
  }
}

}  // namespace

/// Counts only: whoever may see /server-status needs no key of ours.
int add_to_server_status(request_rec* r, int flags) {
  const StatusSnapshot snapshot = snapshot_of(r);
  const bool tables = (flags & AP_STATUS_NOTABLE) == 0;
  const std::string text =
      flags & AP_STATUS_SHORT ? status_auto(snapshot) : status_section(snapshot, tables);
  ap_rwrite(text.data(), static_cast<int>(text.size()), r);
  return OK;
}

int serve_status(request_rec* r) {
  if (std::strcmp(r->handler, kHandlerName) != 0) return DECLINED;
  // A tenant's SSI page would show what the administrator's browser sent the key for.
  if (r->main || !is_set_by_administrator(r)) return HTTP_NOT_FOUND;
  set_common_headers(r);
  const std::optional<StatusQuery> query = parse_status_query(r->args ? r->args : "");
  const bool tells_no_path = query && query->view == StatusView::health;
  if (!tells_no_path && !has_status_key(r)) return ask_for_status_key(r);
  ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);  // HEAD goes with GET
  if (r->method_number != M_GET) return HTTP_METHOD_NOT_ALLOWED;
  if (!query) return HTTP_BAD_REQUEST;
  set_headers(r, *query);
  return send_status(r, *query);
}

}  // namespace permguard
