// SPDX-License-Identifier: Apache-2.0
#include "httpd/config.h"

#include <new>
#include <type_traits>

#include "httpd/dispatchers/foreign.h"

namespace permguard {
namespace {

// Pools free without destructors, and these live in pools.
static_assert(std::is_trivially_destructible_v<DirectoryConfig>);
static_assert(std::is_trivially_destructible_v<ServerConfig>);

constexpr DirectoryConfig kDefaultDirectory;
constexpr ServerConfig kDefaultServer;

template <class T>
T* make(apr_pool_t* pool, const T& value) noexcept {
  return new (apr_palloc(pool, sizeof(T))) T(value);
}

template <class T>
std::optional<T> merged(const std::optional<T>& base, const std::optional<T>& over) noexcept {
  return over ? over : base;
}

}  // namespace

void* create_directory_config(apr_pool_t* pool, char*) noexcept {
  return make(pool, kDefaultDirectory);
}

void* merge_directory_config(apr_pool_t* pool, void* base_config, void* over_config) noexcept {
  const auto& base = *static_cast<DirectoryConfig*>(base_config);
  const auto& over = *static_cast<DirectoryConfig*>(over_config);
  return make(pool,
              DirectoryConfig{
                  .mode = merged(base.mode, over.mode),
                  .status = merged(base.status, over.status),
                  .run_as = merged(base.run_as, over.run_as),
                  .forbidden = merged(base.forbidden, over.forbidden),
                  .desired = merged(base.desired, over.desired),
                  .fcgid_wrappers = joined_arrays(pool, base.fcgid_wrappers, over.fcgid_wrappers),
                  .fcgid_guards = merge_fcgid_guards(base.fcgid_guards, over.fcgid_guards),
                  .renames_script = base.renames_script || over.renames_script,
                  .wsgi = merge_wsgi(pool, base.wsgi, over.wsgi)});
}

DirectoryConfig merged(apr_pool_t* pool, const DirectoryConfig& base, const DirectoryConfig& over) {
  DirectoryConfig below = base, above = over;
  return *static_cast<DirectoryConfig*>(merge_directory_config(pool, &below, &above));
}

void* create_server_config(apr_pool_t* pool, server_rec*) noexcept {
  ServerConfig* config = make(pool, kDefaultServer);
  config->handlers = apr_array_make(pool, 0, sizeof(HandlerRule));
  config->fpm_pools = apr_array_make(pool, 0, sizeof(const char*));
  config->watches = apr_array_make(pool, 0, sizeof(WatchRule));
  return config;
}

void* merge_server_config(apr_pool_t* pool, void* base_config, void* over_config) noexcept {
  const auto& base = *static_cast<ServerConfig*>(base_config);
  const auto& over = *static_cast<ServerConfig*>(over_config);
  return make(pool,
              ServerConfig{.handlers = apr_array_append(pool, base.handlers, over.handlers),
                           .fpm_pools = base.fpm_pools,
                           .log_interval = merged(base.log_interval, over.log_interval),
                           .incidents = merged(base.incidents, over.incidents),
                           .event_log = base.event_log,
                           .status_key = base.status_key,
                           .health_fails = merged(base.health_fails, over.health_fails),
                           .watches = over.watches,
                           .finds_places = merged(base.finds_places, over.finds_places),
                           .watch_interval = merged(base.watch_interval, over.watch_interval),
                           .config_test = merged(base.config_test, over.config_test),
                           .fcgid_paths = joined_arrays(pool, base.fcgid_paths, over.fcgid_paths),
                           .wsgi_daemons = over.wsgi_daemons});
}

const DirectoryConfig& directory_config(const ap_conf_vector_t* per_directory) noexcept {
  const void* config = ap_get_module_config(per_directory, &permguard_module);
  return config ? *static_cast<const DirectoryConfig*>(config) : kDefaultDirectory;
}

const ServerConfig& server_config(const server_rec* server) noexcept {
  const void* config = ap_get_module_config(server->module_config, &permguard_module);
  return config ? *static_cast<const ServerConfig*>(config) : kDefaultServer;
}

const HandlerRule* handler_rule(const char* name, const ServerConfig& config) noexcept {
  if (!config.handlers) return nullptr;
  const auto* rules = reinterpret_cast<const HandlerRule*>(config.handlers->elts);
  for (int i = config.handlers->nelts; i-- > 0;) {
    if (ap_cstr_casecmp(rules[i].name, name) == 0) return &rules[i];
  }
  return nullptr;
}

std::string vhost_name(const server_rec* server) {
  if (!server->is_virtual) return "main server";
  std::string name = server->server_hostname ? server->server_hostname : "";
  if (server->port != 0) name += ":" + std::to_string(server->port);
  return name;
}

const char* name_of(ModeSetting setting) noexcept {
  switch (setting.mode) {
    case Mode::off:
      return "off";
    case Mode::explain:
      return "explain";
    case Mode::report:
      return "report";
    case Mode::enforce:
      break;
  }
  return setting.strict ? "enforce strict" : "enforce";
}

}  // namespace permguard
