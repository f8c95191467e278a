// SPDX-License-Identifier: Apache-2.0
#include "httpd/run_as.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "httpd/engine.h"
#include "httpd/pool.h"
#include "httpd/suexec.h"

namespace permguard {
namespace {

const Identity& identity_now(request_rec* r) {
  const Engine& child = *engine();
  return child.identity_switches ? *make_in_pool<Identity>(r->pool, current_identity())
                                 : child.self;
}

Executor suexec_executor(request_rec* r, const ap_unix_identity_t& user) {
  Result<SuexecTarget> found = lookup_suexec_target(user.uid, user.gid, user.userdir != 0);
  if (!found) return {};
  const auto* target = make_in_pool<SuexecTarget>(r->pool, std::move(found.value));
  return {.who = &target->who, .certainty = Certainty::modelled, .suexec = target};
}

bool has_groups_of(const Identity& one, const Identity& other) noexcept {
  return std::all_of(other.groups.begin(), other.groups.end(),
                     [&one](gid_t group) { return one.in_group(group); });
}

}  // namespace

Executor this_process(request_rec* r) {
  return {&identity_now(r), Certainty::certain};
}

bool is_this_process(const Identity& who) noexcept {
  const Engine& child = *engine();
  const Identity& self = child.self;
  return !child.identity_switches && who.uid == self.uid && who.gid == self.gid &&
         has_groups_of(who, self) && has_groups_of(self, who);
}

Executor executor_of(request_rec* r, const DirectoryConfig& config) {
  if (const Identity* named = config.run_as.value_or(nullptr)) {
    return {named, is_this_process(*named) ? Certainty::certain : Certainty::modelled};
  }
  if (const ap_unix_identity_t* user = suexec_identity(r)) return suexec_executor(r, *user);
  return this_process(r);
}

const char* search_path_of(const request_rec* r) noexcept {
  const char* own = apr_table_get(r->subprocess_env, "PATH");
  return own ? own : search_path_of();
}

const char* search_path_of() noexcept {
  const char* inherited = std::getenv("PATH");
  return inherited ? inherited : DEFAULT_PATH;
}

}  // namespace permguard
