// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>

#include "core/drift.h"
#include "core/finding.h"
#include "core/identity.h"
#include "httpd/apache.h"
#include "httpd/dispatchers/fcgid.h"
#include "httpd/dispatchers/wsgi.h"

namespace permguard {

enum class Mode : std::uint8_t { off, explain, report, enforce };

/// Argument of PermGuard.
struct ModeSetting {
  Mode mode = Mode::enforce;
  bool strict = false;  ///< enforce only: modelled errors are answered too

  bool operator==(const ModeSetting&) const = default;
};

/// A set of findings' codes.
using CodeSet = std::bitset<kCodeCount>;

/// What stands in a server, vhost or directory; unset members are inherited. At the level of a
/// server these directives land in its lookup_defaults, so that httpd itself merges them, and
/// requests that fail before the directory walk still find them there.
struct DirectoryConfig {
  std::optional<ModeSetting> mode;
  std::optional<int> status;                     ///< PermGuardStatusCode; 0: auto
  std::optional<const Identity*> run_as;         ///< PermGuardRunAs; null: auto
  std::optional<CodeSet> forbidden;              ///< PermGuardForbid
  std::optional<const DesiredState*> desired;    ///< PermGuardExpect; null: none
  apr_array_header_t* fcgid_wrappers = nullptr;  ///< of FcgidWrapper
  FcgidGuards fcgid_guards{};
  bool renames_script = false;  ///< ProxyFCGISetEnvIf may tell the backend another SCRIPT_FILENAME
  WsgiSettings wsgi{};

  ModeSetting effective_mode() const { return mode.value_or(ModeSetting{}); }
};

/// What a handler's target needs.
enum class HandlerUse : std::uint8_t { execute, read, off };

/// One PermGuardHandler directive.
struct HandlerRule {
  const char* name = nullptr;  ///< as r->handler spells it
  HandlerUse use = HandlerUse::off;
  const char* file = nullptr;  ///< where it stands
  int line = 0;
};

/// One PermGuardWatch directive that names a directory.
struct WatchRule {
  const char* directory = nullptr;  ///< absolute
  Need need = Need::execute;
  const Identity* who = nullptr;  ///< as=USER; null: as for any other place
  const char* file = nullptr;     ///< where it stands
  int line = 0;
};

/// Argument of PermGuardConfigTest.
enum class ConfigTest : std::uint8_t { off, warn, fail };

/// What stands in a server or vhost; unset members are inherited from the main server.
struct ServerConfig {
  apr_array_header_t* handlers = nullptr;     ///< of HandlerRule; the last that fits counts
  apr_array_header_t* fpm_pools = nullptr;    ///< of const char*: globs of PermGuardFpmPools
  std::optional<unsigned> log_interval;       ///< PermGuardLogInterval, seconds
  std::optional<unsigned> incidents;          ///< PermGuardIncidents, main server only
  const char* event_log = nullptr;            ///< PermGuardEventLog, main server only; null: none
  const char* status_key = nullptr;           ///< PermGuardStatusKey, main server only; null: none
  std::optional<bool> health_fails;           ///< PermGuardHealth fail, main server only
  apr_array_header_t* watches = nullptr;      ///< of WatchRule; of this server, not inherited
  std::optional<bool> finds_places;           ///< PermGuardWatch auto (true) or off
  std::optional<unsigned> watch_interval;     ///< PermGuardWatchInterval, seconds, main server only
  std::optional<ConfigTest> config_test;      ///< PermGuardConfigTest, main server only
  apr_array_header_t* fcgid_paths = nullptr;  ///< of FcgidPath
  apr_array_header_t* wsgi_daemons = nullptr;  ///< of WsgiDaemon; each stands in its own server

  unsigned effective_log_interval() const { return log_interval.value_or(60); }
  unsigned effective_incidents() const { return incidents.value_or(256); }
  unsigned effective_watch_interval() const { return watch_interval.value_or(60); }
  ConfigTest effective_config_test() const { return config_test.value_or(ConfigTest::warn); }
};

/// Constructors and mergers of the module record.
void* create_directory_config(apr_pool_t* pool, char* directory) noexcept;
void* merge_directory_config(apr_pool_t* pool, void* base, void* over) noexcept;
void* create_server_config(apr_pool_t* pool, server_rec* server) noexcept;
void* merge_server_config(apr_pool_t* pool, void* base, void* over) noexcept;

/// `over` laid over `base` in `pool`, as httpd does it with sections.
DirectoryConfig merged(apr_pool_t* pool, const DirectoryConfig& base, const DirectoryConfig& over);

/// The merged settings. Never dangling, whatever the vector holds.
const DirectoryConfig& directory_config(const ap_conf_vector_t* per_directory) noexcept;
const ServerConfig& server_config(const server_rec* server) noexcept;

/// The PermGuardHandler that counts for the handler `name`, as r->handler spells it; or null.
const HandlerRule* handler_rule(const char* name, const ServerConfig& config) noexcept;

/// ServerName and port of a vhost, or "main server".
std::string vhost_name(const server_rec* server);

/// `PermGuard`'s argument as the status page shows it: "enforce strict".
const char* name_of(ModeSetting setting) noexcept;

}  // namespace permguard
