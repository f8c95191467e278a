// SPDX-License-Identifier: Apache-2.0
#include "httpd/directives.h"

#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/identity.h"
#include "httpd/boundary.h"
#include "httpd/config.h"
#include "httpd/directive_words.h"
#include "httpd/pool.h"
#include "httpd/watch_directives.h"

namespace permguard {
namespace {

std::optional<unsigned> number_in(const char* text, unsigned least, unsigned most) {
  const std::string_view digits = text;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

const char* set_mode(cmd_parms* command, void* config, const char* word, const char* extra) {
  constexpr const char* kAllowed = "off, explain, report, enforce, enforce strict";
  if (const char* error = ap_check_cmd_context(command, kEverywhereButTenants)) return error;
  ModeSetting setting;
  if (is(word, "off"))
    setting.mode = Mode::off;
  else if (is(word, "explain"))
    setting.mode = Mode::explain;
  else if (is(word, "report"))
    setting.mode = Mode::report;
  else if (!is(word, "enforce"))
    return bad_value(command, word, kAllowed);
  if (extra && (setting.mode != Mode::enforce || !is(extra, "strict"))) {
    return bad_value(command, apr_pstrcat(command->pool, word, " ", extra, nullptr), kAllowed);
  }
  setting.strict = extra != nullptr;
  static_cast<DirectoryConfig*>(config)->mode = setting;
  return nullptr;
}

const char* set_status(cmd_parms* command, void* config, const char* word) {
  if (const char* error = ap_check_cmd_context(command, kEverywhereButTenants)) return error;
  int status = 0;
  if (is(word, "403"))
    status = HTTP_FORBIDDEN;
  else if (is(word, "404"))
    status = HTTP_NOT_FOUND;
  else if (is(word, "500"))
    status = HTTP_INTERNAL_SERVER_ERROR;
  else if (is(word, "503"))
    status = HTTP_SERVICE_UNAVAILABLE;
  else if (!is(word, "auto"))
    return bad_value(command, word, "auto, 403, 404, 500, 503");
  static_cast<DirectoryConfig*>(config)->status = status;
  return nullptr;
}

const char* set_run_as(cmd_parms* command, void* config, const char* spec) {
  constexpr const char* kAllowed = "auto, USER, USER:GROUP, #UID, #UID:#GID";
  if (const char* error = ap_check_cmd_context(command, kEverywhereButTenants)) return error;
  auto& run_as = static_cast<DirectoryConfig*>(config)->run_as;
  if (is(spec, "auto")) {
    run_as = nullptr;
    return nullptr;
  }
  Result<Identity> identity = lookup_identity(spec);
  if (identity.error == ENOENT) {
    return bad_value(
        command, spec,
        apr_pstrcat(command->pool, "users and groups that exist (this one is unknown): ", kAllowed,
                    nullptr));
  }
  if (!identity) return bad_value(command, spec, kAllowed);
  run_as = make_in_pool<Identity>(command->pool, std::move(identity.value));
  return nullptr;
}

const char* add_handler(cmd_parms* command, void*, const char* name, const char* word) {
  if (const char* error = ap_check_cmd_context(command, kEverywhereButTenants)) return error;
  HandlerRule rule{.name = apr_pstrdup(command->pool, name),
                   .use = HandlerUse::off,
                   .file = command->directive->filename,
                   .line = command->directive->line_num};
  if (is(word, "execute"))
    rule.use = HandlerUse::execute;
  else if (is(word, "read"))
    rule.use = HandlerUse::read;
  else if (!is(word, "off"))
    return bad_value(command, word, "execute, read, off");
  *static_cast<HandlerRule*>(apr_array_push(config_of(command).handlers)) = rule;
  return nullptr;
}

/// A directive of a server with one number; `Member` is where it goes.
template <std::optional<unsigned> ServerConfig::*Member>
const char* set_number(cmd_parms* command, const char* text, unsigned forbidden, unsigned least,
                       unsigned most) {
  if (const char* error = ap_check_cmd_context(command, forbidden)) return error;
  const std::optional<unsigned> value = number_in(text, least, most);
  if (!value) {
    return bad_value(command, text,
                     apr_psprintf(command->pool, "a whole number from %u to %u", least, most));
  }
  config_of(command).*Member = value;
  return nullptr;
}

const char* set_log_interval(cmd_parms* command, void*, const char* seconds) {
  return set_number<&ServerConfig::log_interval>(command, seconds, kEverywhereButTenants, 0,
                                                 std::numeric_limits<std::int32_t>::max());
}

const char* set_incidents(cmd_parms* command, void*, const char* count) {
  return set_number<&ServerConfig::incidents>(command, count, kMainServer, 1, 65'536);
}

const char* add_fpm_pools(cmd_parms* command, void*, const char* pattern) {
  if (const char* error = ap_check_cmd_context(command, kMainServer)) return error;
  const char* path = ap_server_root_relative(command->pool, pattern);
  if (!path) return bad_value(command, pattern, "the path of a pool file of PHP-FPM, or a glob");
  *static_cast<const char**>(apr_array_push(config_of(command).fpm_pools)) = path;
  return nullptr;
}

const char* set_watch_interval(cmd_parms* command, void*, const char* seconds) {
  return set_number<&ServerConfig::watch_interval>(command, seconds, kMainServer, 0,
                                                   std::numeric_limits<std::int32_t>::max());
}

const char* set_event_log(cmd_parms* command, void*, const char* target) {
  if (const char* error = ap_check_cmd_context(command, kMainServer)) return error;
  const bool program = target[0] == '|';
  const char* path = program ? target : ap_server_root_relative(command->pool, target);
  if (!path || !path[0] || (program && !target[1])) {
    return bad_value(command, target, "the path of a file, or \"|program\"");
  }
  config_of(command).event_log = path;
  return nullptr;
}

const char* set_status_key(cmd_parms* command, void*, const char* file) {
  if (const char* error = ap_check_cmd_context(command, GLOBAL_ONLY)) return error;
  const bool none = is(file, "none");
  const char* path = none ? nullptr : ap_server_root_relative(command->pool, file);
  if (!none && (!path || !file[0])) return bad_value(command, file, "the path of a file, or none");
  config_of(command).status_key = path;
  return nullptr;
}

const char* set_health(cmd_parms* command, void*, const char* word) {
  if (const char* error = ap_check_cmd_context(command, kMainServer)) return error;
  if (!is(word, "warn") && !is(word, "fail")) return bad_value(command, word, "warn, fail");
  config_of(command).health_fails = is(word, "fail");
  return nullptr;
}

constexpr int kServerOrDirectory = RSRC_CONF | ACCESS_CONF;

}  // namespace

const command_rec kDirectives[] = {
    AP_INIT_TAKE12("PermGuard", taken_by<set_mode>, nullptr, kServerOrDirectory,
                   "off, explain, report, or enforce [strict]"),
    AP_INIT_TAKE1("PermGuardStatusCode", taken_by<set_status>, nullptr, kServerOrDirectory,
                  "what enforce answers: auto, 403, 404, 500 or 503"),
    AP_INIT_TAKE1("PermGuardRunAs", taken_by<set_run_as>, nullptr, kServerOrDirectory,
                  "who executes or reads: auto or USER[:GROUP]"),
    AP_INIT_TAKE2("PermGuardHandler", taken_by<add_handler>, nullptr, RSRC_CONF,
                  "the name of a handler and what its target needs: execute, read or off"),
    AP_INIT_TAKE1("PermGuardLogInterval", taken_by<set_log_interval>, nullptr, RSRC_CONF,
                  "seconds between two lines about the same incident; 0: every time"),
    AP_INIT_TAKE1("PermGuardIncidents", taken_by<set_incidents>, nullptr, RSRC_CONF,
                  "how many incidents are kept in shared memory"),
    AP_INIT_ITERATE("PermGuardFpmPools", taken_by<add_fpm_pools>, nullptr, RSRC_CONF,
                    "pool files of PHP-FPM, beside /etc/php/*/fpm/pool.d/*.conf"),
    AP_INIT_TAKE1("PermGuardEventLog", taken_by<set_event_log>, nullptr, RSRC_CONF,
                  "a file, or a program behind '|', that gets every event as a line of JSON"),
    AP_INIT_TAKE1("PermGuardStatusKey", taken_by<set_status_key>, nullptr, RSRC_CONF,
                  "a file of root's with the key that the status page asks for, or none"),
    AP_INIT_TAKE1("PermGuardHealth", taken_by<set_health>, nullptr, RSRC_CONF,
                  "whether ?health answers 503 while an error finding stands: warn or fail"),
    AP_INIT_ITERATE("PermGuardForbid", taken_by<forbid>, nullptr, kServerOrDirectory,
                    "risks that count as errors: their codes, or none"),
    AP_INIT_TAKE123("PermGuardExpect", taken_by<expect>, nullptr, ACCESS_CONF,
                    "desired state of scripts: mode=NNNN owner=USER group=GROUP, or none"),
    AP_INIT_TAKE123("PermGuardWatch", taken_by<watch>, nullptr, RSRC_CONF,
                    "what is audited in the background: auto, off, or DIR [need=...] [as=USER]"),
    AP_INIT_TAKE1("PermGuardWatchInterval", taken_by<set_watch_interval>, nullptr, RSRC_CONF,
                  "seconds between two background audits; 0: none"),
    AP_INIT_TAKE1("PermGuardConfigTest", taken_by<set_config_test>, nullptr, RSRC_CONF,
                  "what configtest does with error findings: off, warn or fail"),
    {nullptr, {nullptr}, nullptr, 0, RAW_ARGS, nullptr}};

}  // namespace permguard
