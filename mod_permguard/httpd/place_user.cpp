// SPDX-License-Identifier: Apache-2.0
#include "httpd/place_user.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "core/suexec.h"
#include "httpd/conftree.h"

namespace permguard {
namespace {

std::optional<Identity> known(const std::string& spec) {
  Result<Identity> who = spec.empty() ? failure<Identity>(ENOENT) : lookup_identity(spec);
  return who ? std::optional(std::move(who.value)) : std::nullopt;
}

/// mod_userdir: "/home/ann/public_html/cgi-bin" is served as ~ann's where ann's home is /home/ann.
std::optional<SuexecTarget> user_of_directory(const std::string& path, const ServerUsers& users) {
  for (const std::string& directory : users.user_dirs) {
    const std::size_t at = (path + "/").find("/" + directory + "/");
    if (at == std::string::npos || at == 0) continue;
    const std::size_t slash = path.rfind('/', at - 1);
    std::optional<Identity> who = known(path.substr(slash + 1, at - slash - 1));
    auto target =
        who ? lookup_suexec_target(who->uid, who->gid, true) : failure<SuexecTarget>(ENOENT);
    if (target && target.value.home == path.substr(0, at)) return std::move(target.value);
  }
  return std::nullopt;
}

std::optional<Identity> wsgi_user(const std::string& own_group, const DirectoryConfig& settings) {
  const char* configured = settings.wsgi.group ? settings.wsgi.group : "";
  const WsgiDaemon* daemon = wsgi_daemon(own_group.empty() ? configured : own_group.c_str());
  return daemon && daemon->who ? std::optional(*daemon->who) : std::nullopt;
}

/// mod_userdir's hook runs before mod_suexec's.
std::optional<SuexecTarget> suexec_target(const ScriptPlace& place, const ServerUsers& users) {
  if (!ap_unixd_config.suexec_enabled) return std::nullopt;
  if (auto target = user_of_directory(place.path, users)) return target;
  const std::optional<Identity> who = known(users.suexec);
  auto target =
      who ? lookup_suexec_target(who->uid, who->gid, false) : failure<SuexecTarget>(ENOENT);
  return target ? std::optional(std::move(target.value)) : std::nullopt;
}

}  // namespace

void learn_users(const ap_directive_t& node, const std::vector<std::string>& words,
                 ServerUsers& users) {
  if (words.size() > 1 && equal(node.directive, "SuexecUserGroup")) {
    users.suexec = words[0] + ":" + words[1];
  } else if (words.size() > 1 && equal(node.directive, "AssignUserID")) {
    users.assigned = words[0] + ":" + words[1];
  } else if (equal(node.directive, "UserDir")) {
    for (const std::string& word : words) {
      const bool is_switch = equal(word, "enabled") || equal(word, "disabled");
      if (is_switch) break;
      if (word.find_first_of("/*") != 0) users.user_dirs.push_back(word);
    }
  }
}

void name_user(ScriptPlace& place, const DirectoryConfig& settings, const ServerUsers& users,
               const std::string& wsgi_group) {
  const Identity* named = settings.run_as.value_or(nullptr);
  std::optional<Identity> found = named ? std::optional(*named) : std::nullopt;
  if (!found && place.handler == Handler::wsgi) found = wsgi_user(wsgi_group, settings);
  if (!found) found = known(users.assigned);
  if (!found && place.handler != Handler::wsgi) {
    place.suexec = suexec_target(place, users);
    if (place.suexec) found = place.suexec->who;
  }
  take_user(place, found ? *found : server_identity());
}

void take_user(ScriptPlace& place, const Identity& who) {
  const Identity self = server_identity();
  const bool same = who.uid == self.uid && who.gid == self.gid;
  place.who = who;
  place.certainty = same ? Certainty::certain : Certainty::modelled;
}

}  // namespace permguard
