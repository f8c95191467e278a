// SPDX-License-Identifier: Apache-2.0
#include "httpd/dispatchers/wsgi.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "httpd/config.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/dispatchers/foreign.h"
#include "httpd/pool.h"
#include "httpd/target.h"

namespace permguard {
namespace {

/// One OPTION=VALUE, whose value may stand in quotes.
struct Option {
  std::string_view name;
  const char* value;
};

std::optional<Option> next_option(apr_pool_t* pool, const char*& rest) {
  while (apr_isspace(*rest)) ++rest;
  const char* equals = std::strchr(rest, '=');
  if (!equals) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(equals - rest));
  rest = equals + 1;
  return Option{name, ap_getword_conf(pool, &rest)};
}

struct DaemonOptions {
  const char* user = nullptr;
  const char* group = nullptr;
  const char* more_groups = nullptr;
  const char* root = nullptr;
};

DaemonOptions daemon_options(apr_pool_t* pool, const char* rest) {
  DaemonOptions options;
  while (const std::optional<Option> option = next_option(pool, rest)) {
    if (option->name == "user") options.user = option->value;
    if (option->name == "group") options.group = option->value;
    if (option->name == "supplementary-groups") options.more_groups = option->value;
    if (option->name == "chroot") options.root = option->value;
  }
  return options;
}

/// Without group= the daemon keeps httpd's Group, whatever the user's own is.
std::string daemon_spec(const DaemonOptions& options) {
  const std::string user = options.user ? options.user : ap_unixd_config.user_name;
  const std::string group =
      options.group ? options.group : "#" + std::to_string(ap_unixd_config.group_id);
  return user + ":" + group;
}

/// supplementary-groups replaces the user's own groups.
void set_groups(apr_pool_t* pool, Identity& who, const char* names) {
  who.groups = {who.gid};
  while (*names) who.groups.push_back(ap_gname2id(ap_getword(pool, &names, ',')));
  std::sort(who.groups.begin(), who.groups.end());
}

/// Null where the daemon stays httpd's own user. A user that does not exist is mod_wsgi's error.
const Identity* daemon_user(apr_pool_t* pool, const DaemonOptions& options) {
  if (geteuid() != 0 || (!options.user && !options.group && !options.more_groups)) return nullptr;
  Result<Identity> who = lookup_identity(daemon_spec(options));
  if (!who) return nullptr;
  if (options.more_groups) set_groups(pool, who.value, options.more_groups);
  return make_in_pool<Identity>(pool, std::move(who.value));
}

const WsgiHandlerScript* handler_script(const request_rec* r, const char* name) noexcept {
  const apr_array_header_t* scripts = directory_config(r->per_dir_config).wsgi.scripts;
  if (!scripts || !name) return nullptr;
  const auto* rows = reinterpret_cast<const WsgiHandlerScript*>(scripts->elts);
  for (int i = scripts->nelts; i-- > 0;) {
    if (std::strcmp(rows[i].name, name) == 0) return &rows[i];
  }
  return nullptr;
}

bool alias_forces_wsgi(const request_rec* r) noexcept {
  const char* forced = apr_table_get(r->notes, "alias-forced-type");
  return forced && ap_cstr_casecmp(forced, "wsgi-script") == 0;
}

/// mod_wsgi.c, wsgi_hook_handler(): WSGIHandlerScript's own group, else WSGIScriptAlias's, else
/// WSGIProcessGroup's.
const char* configured_group(const request_rec* r) {
  const WsgiHandlerScript* script = handler_script(r, r->handler);
  if (script && script->group) return script->group;
  if (!script && alias_forces_wsgi(r)) {
    if (const char* own = apr_table_get(r->notes, "mod_wsgi.process_group")) return own;
  }
  return directory_config(r->per_dir_config).wsgi.group;
}

const char* variable_of(const request_rec* r, const char* name) {
  if (const char* note = apr_table_get(r->notes, name)) return note;
  if (const char* variable = apr_table_get(r->subprocess_env, name)) return variable;
  return std::getenv(name);
}

/// mod_wsgi.c, wsgi_process_group(), for %{GLOBAL} and %{ENV:name}; "" is the embedded mode.
/// Null for the others, whose names are made up for each request.
const char* expanded_group(const request_rec* r, const char* group) {
  if (!group || std::strcmp(group, "%{GLOBAL}") == 0) return "";
  if (group[0] != '%') return group;
  const std::string_view text = group;
  if (!text.starts_with("%{ENV:") || !text.ends_with('}')) return nullptr;
  const std::string name(text.substr(6, text.size() - 7));
  const char* value = variable_of(r, name.c_str());
  if (!value) return nullptr;
  return value[0] == '%' && std::strcmp(value, "%{GLOBAL}") != 0 ? nullptr
                                                                 : expanded_group(r, value);
}

}  // namespace

void take_wsgi_daemon(cmd_parms* command, ServerConfig& server, const char* arguments) {
  WsgiDaemon daemon;
  daemon.name = ap_getword_conf(command->pool, &arguments);
  const DaemonOptions options = daemon_options(command->pool, arguments);
  daemon.who = daemon_user(command->pool, options);
  daemon.root = options.root;
  push(server.wsgi_daemons, command->pool, daemon);
}

void take_wsgi_group(cmd_parms* command, DirectoryConfig& directory, const char* arguments) {
  directory.wsgi.group = next_word(command, arguments);
}

void take_wsgi_handler(cmd_parms* command, DirectoryConfig& directory, const char* arguments) {
  WsgiHandlerScript script;
  script.name = ap_getword_conf(command->pool, &arguments);
  script.path = ap_getword_conf(command->pool, &arguments);
  while (const std::optional<Option> option = next_option(command->pool, arguments)) {
    if (option->name == "process-group") script.group = option->value;
  }
  push(directory.wsgi.scripts, command->pool, script);
}

void take_wsgi_dispatch(cmd_parms*, DirectoryConfig& directory, const char*) {
  directory.wsgi.script_decides = true;
}

WsgiSettings merge_wsgi(apr_pool_t* pool, const WsgiSettings& base, const WsgiSettings& over) {
  return {.group = over.group ? over.group : base.group,
          .scripts = joined_arrays(pool, base.scripts, over.scripts),
          .script_decides = over.script_decides || base.script_decides};
}

const WsgiDaemon* wsgi_daemon(const char* name) noexcept {
  for (const server_rec* server = ap_server_conf; server; server = server->next) {
    const apr_array_header_t* daemons = server_config(server).wsgi_daemons;
    if (!daemons) continue;
    const auto* rows = reinterpret_cast<const WsgiDaemon*>(daemons->elts);
    for (int i = 0; i < daemons->nelts; ++i) {
      if (std::strcmp(rows[i].name, name) == 0) return &rows[i];
    }
  }
  return nullptr;
}

WsgiPlace wsgi_place_of(const request_rec* r) {
  using Kind = WsgiPlace::Kind;
  if (directory_config(r->per_dir_config).wsgi.script_decides) return {};
  const char* group = expanded_group(r, configured_group(r));
  if (!group) return {};
  if (!*group) return {.kind = Kind::embedded, .daemon = nullptr};
  const WsgiDaemon* daemon = wsgi_daemon(group);
  return {.kind = daemon ? Kind::daemon : Kind::unknown, .daemon = daemon};
}

bool is_wsgi_handler(const request_rec* r, const char* name) noexcept {
  return handler_script(r, name) != nullptr;
}

bool wsgi_refuses(request_rec* r) noexcept {
  return execution_is_off(r, "wsgi-script") || file_is_refused(r);
}

void complete_wsgi(request_rec* r, Target& target) {
  if (const WsgiHandlerScript* script = handler_script(r, r->handler)) target.path = script->path;
  const WsgiPlace place = wsgi_place_of(r);
  if (place.daemon) target.root = place.daemon->root;
}

}  // namespace permguard
