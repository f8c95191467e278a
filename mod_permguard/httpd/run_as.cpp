// SPDX-License-Identifier: Apache-2.0
#include "httpd/run_as.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "httpd/dispatchers/dispatcher.h"
#include "httpd/engine.h"
#include "httpd/pool.h"
#include "httpd/proxied.h"
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

/// Of a process that httpd forked before any request came.
Executor server_user() noexcept {
  const Engine& child = *engine();
  return child.identity_switches
             ? Executor{.who = &child.server_user, .certainty = Certainty::modelled}
             : Executor{.who = &child.self, .certainty = Certainty::certain};
}

Executor wsgi_executor(request_rec* r) {
  const WsgiPlace place = wsgi_place_of(r);
  if (place.kind == WsgiPlace::Kind::unknown) return {};
  if (!place.daemon) return this_process(r);
  const Identity* own = place.daemon->who;
  Executor executor = own ? Executor{.who = own, .certainty = Certainty::modelled} : server_user();
  if (own && is_this_process(*own)) executor.certainty = Certainty::certain;
  if (place.daemon->root) executor.certainty = Certainty::modelled;
  return executor;
}

/// Of what httpd starts, by suexec where that is on.
Executor program_executor(request_rec* r, Handler dispatcher) {
  if (const ap_unix_identity_t* user = suexec_identity(r)) return suexec_executor(r, *user);
  return is_forked_ahead(dispatcher) ? server_user() : this_process(r);
}

/// Whether `target` is read by httpd's own process, which starts nothing.
bool is_read_in_process(const Target& target) noexcept {
  return target.need == Need::read && !is_forked_ahead(target.dispatcher);
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

Executor executor_of(request_rec* r, const Target& target, const DirectoryConfig& config) {
  if (target.proxy) return reader_of(*target.proxy, config);
  if (const Identity* named = config.run_as.value_or(nullptr)) {
    return {named, is_this_process(*named) ? Certainty::certain : Certainty::modelled};
  }
  if (target.dispatcher == Handler::wsgi) return wsgi_executor(r);
  if (is_read_in_process(target)) return this_process(r);
  return program_executor(r, target.dispatcher);
}

const char* search_path_of(const request_rec* r) noexcept {
  const char* own = apr_table_get(r->subprocess_env, "PATH");
  return own ? own : search_path_of();
}

const char* search_path_of(const request_rec* r, const Target& target) noexcept {
  if (target.dispatcher != Handler::fcgid) return search_path_of(r);
  return search_path_for(Handler::fcgid, r->server, target.wrapper ? target.wrapper : target.path);
}

const char* search_path_for(Handler handler, const server_rec* server,
                            const char* program) noexcept {
  const char* own = handler == Handler::fcgid ? fcgid_path_of(server, program) : nullptr;
  return own ? own : search_path_of();
}

const char* search_path_of() noexcept {
  const char* inherited = std::getenv("PATH");
  return inherited ? inherited : DEFAULT_PATH;
}

}  // namespace permguard
