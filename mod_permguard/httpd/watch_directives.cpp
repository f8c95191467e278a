// SPDX-License-Identifier: Apache-2.0
#include "httpd/watch_directives.h"

#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include "httpd/directive_words.h"
#include "httpd/pool.h"

namespace permguard {
namespace {

constexpr char kExpectAllowed[] = "mode=NNNN (octal), owner=USER, group=GROUP, each once, or none";
constexpr char kWatchAllowed[] = "auto, off, or DIR [need=execute|read|connect] [as=USER[:GROUP]]";

/// The risks of the catalogue, as an administrator may forbid them.
bool is_risk(Code code) {
  return code >= Code::world_writable && code <= Code::dir_world_writable;
}

const char* risk_names(apr_pool_t* pool) {
  const char* names = "none alone, or any of";
  for (const CodeInfo& row : catalogue()) {
    if (is_risk(row.code)) names = apr_pstrcat(pool, names, " ", row.name, nullptr);
  }
  return names;
}

bool has_one_word(cmd_parms* command) {
  const char* words = command->directive->args;
  ap_getword_conf(command->pool, &words);
  return *words == '\0';
}

/// The rest of `word` after "key=", or null.
const char* value_of(const char* word, const char* key) {
  const std::size_t length = std::strlen(key);
  const bool matches = strncasecmp(word, key, length) == 0 && word[length] == '=';
  return matches ? word + length + 1 : nullptr;
}

bool take_mode(const char* text, DesiredState& desired) {
  const std::string_view digits = text;
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), mode, 8);
  const bool valid = error == std::errc() && end == digits.data() + digits.size() && mode <= 07777;
  if (!valid || desired.mode) return false;
  desired.mode = mode;
  return true;
}

bool take_owner(const char* name, DesiredState& desired) {
  const Result<Identity> who = lookup_identity(name);
  if (!who || desired.uid || std::strchr(name, ':')) return false;
  desired.uid = who.value.uid;
  return true;
}

bool take_group(const char* name, DesiredState& desired) {
  const Result<Identity> who = lookup_identity(std::string("#0:") + name);
  if (!who || desired.gid || std::strchr(name, ':')) return false;
  desired.gid = who.value.gid;
  return true;
}

bool take_expectation(const char* word, DesiredState& desired) {
  if (const char* mode = value_of(word, "mode")) return take_mode(mode, desired);
  if (const char* owner = value_of(word, "owner")) return take_owner(owner, desired);
  if (const char* group = value_of(word, "group")) return take_group(group, desired);
  return false;
}

/// `need=` or `as=` after a directory.
bool take_watch_option(cmd_parms* command, const char* word, WatchRule& rule) {
  if (const char* need = value_of(word, "need")) {
    const std::optional<Need> known = need_from_name(need);
    rule.need = known.value_or(Need::execute);
    return known.has_value();
  }
  const char* user = value_of(word, "as");
  if (!user || rule.who) return false;
  Result<Identity> who = lookup_identity(user);
  if (!who) return false;
  rule.who = make_in_pool<Identity>(command->pool, std::move(who.value));
  return true;
}

const char* add_watch(cmd_parms* command, const char* directory, const char* two,
                      const char* three) {
  const char* absolute = ap_server_root_relative(command->pool, directory);
  if (!absolute) return bad_value(command, directory, kWatchAllowed);
  WatchRule rule{.directory = absolute,
                 .file = command->directive->filename,
                 .line = command->directive->line_num};
  for (const char* word : {two, three}) {
    if (word && !take_watch_option(command, word, rule)) {
      return bad_value(command, word, kWatchAllowed);
    }
  }
  *static_cast<WatchRule*>(apr_array_push(config_of(command).watches)) = rule;
  return nullptr;
}

}  // namespace

const char* forbid(cmd_parms* command, void* config, const char* code) {
  if (const char* error = ap_check_cmd_context(command, kEverywhereButTenants)) return error;
  auto& forbidden = static_cast<DirectoryConfig*>(config)->forbidden;
  if (is(code, "none")) {
    if (!has_one_word(command)) {
      return bad_value(command, command->directive->args, risk_names(command->pool));
    }
    forbidden = CodeSet();
    return nullptr;
  }
  const std::optional<Code> known = code_from_name(code);
  if (!known || !is_risk(*known)) return bad_value(command, code, risk_names(command->pool));
  if (!forbidden) forbidden = CodeSet();
  forbidden->set(static_cast<std::size_t>(*known));
  return nullptr;
}

const char* expect(cmd_parms* command, void* config, const char* one, const char* two,
                   const char* three) {
  if (const char* error = ap_check_cmd_context(command, kEverywhereButTenants)) return error;
  auto& desired = static_cast<DirectoryConfig*>(config)->desired;
  if (is(one, "none") && !two) {
    desired = nullptr;
    return nullptr;
  }
  DesiredState state;
  for (const char* word : {one, two, three}) {
    if (word && !take_expectation(word, state)) return bad_value(command, word, kExpectAllowed);
  }
  desired = make_in_pool<DesiredState>(command->pool, std::move(state));
  return nullptr;
}

const char* watch(cmd_parms* command, void*, const char* one, const char* two, const char* three) {
  if (const char* error = ap_check_cmd_context(command, kEverywhereButTenants)) return error;
  const bool is_switch = is(one, "auto") || is(one, "off");
  if (!is_switch) return add_watch(command, one, two, three);
  if (two) return bad_value(command, two, kWatchAllowed);
  ServerConfig& config = config_of(command);
  config.finds_places = is(one, "auto");
  if (is(one, "off")) apr_array_clear(config.watches);
  return nullptr;
}

const char* set_config_test(cmd_parms* command, void*, const char* word) {
  if (const char* error = ap_check_cmd_context(command, kMainServer)) return error;
  auto& setting = config_of(command).config_test;
  if (is(word, "off"))
    setting = ConfigTest::off;
  else if (is(word, "warn"))
    setting = ConfigTest::warn;
  else if (is(word, "fail"))
    setting = ConfigTest::fail;
  else
    return bad_value(command, word, "off, warn, fail");
  return nullptr;
}

}  // namespace permguard
