// SPDX-License-Identifier: Apache-2.0
#include "httpd/watch_task.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "httpd/boundary.h"
#include "httpd/bounded_child.h"
#include "httpd/discovery.h"
#include "httpd/engine.h"
#include "httpd/examination.h"
#include "httpd/journal.h"
#include "httpd/place_audit.h"
#include "httpd/place_overlap.h"
#include "httpd/pool.h"
#include "httpd/run_as.h"
#include "httpd/shared_memory.h"
#include "httpd/watch_report.h"
#include "httpd/watch_schedule.h"

namespace permguard {
namespace {

constexpr unsigned kFilesPerSecond = 1000;
/// How long children of the configuration before are taken to go on.
constexpr std::int64_t kOldSeconds = 2;
/// How long the start may wait for the places to be found.
constexpr auto kLongestLook = std::chrono::seconds(3);
constexpr apr_interval_time_t kTick = apr_time_from_sec(1);

using Clock = std::chrono::steady_clock;

/// What the watching thread of one child uses. Made on the heap and never freed: the thread may
/// still run while the child's pools are destroyed.
struct Watcher {
  Engine engine;
  WatchPlan plan;
  WatchReport::Told told;
};

constinit Watcher* child_watcher = nullptr;
constinit const WatchPlan* watched = nullptr;  ///< null: nothing is
constinit Clock::rep due = 0;                  ///< when the next run is; 0: before the first tick

bool is_stopping() noexcept {
  int state = AP_MPMQ_STOPPING;
  return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS || state == AP_MPMQ_STOPPING;
}

/// Lets kFilesPerSecond files pass in a second, and none once the child is to end.
class Pace {
 public:
  bool go_on() {
    while (passed_ >= kFilesPerSecond && !is_stopping()) {
      if (Clock::now() - second_ >= std::chrono::seconds(1)) {
        second_ = Clock::now();
        passed_ = 0;
      } else {
        apr_sleep(apr_time_from_msec(20));
      }
    }
    ++passed_;
    return !is_stopping();
  }

 private:
  Clock::time_point second_ = Clock::now();
  unsigned passed_ = 0;
};

PlaceEyes eyes_for(const Watcher& watcher, const ScriptPlace& place, Pace& pace) {
  const Engine& engine = watcher.engine;
  PlaceEyes eyes{
      engine.filesystem, engine.names, engine.surroundings, {}, search_path_for(place), {}};
  if (place.who.uid == engine.self.uid && place.who.gid == engine.self.gid) {
    eyes.make_kernel = [] { return std::make_unique<AccessKernel>(); };
  }
  if (!engine.identity_switches) {
    eyes.make_server_kernel = [] { return std::make_unique<AccessKernel>(); };
  }
  eyes.go_on = [&pace] { return pace.go_on(); };
  return eyes;
}

/// One run over all places; false where the child is to end.
bool run(Watcher& watcher, apr_pool_t* pool) {
  Pace pace;
  WatchReport report(watcher.engine, pool, watcher.plan, watcher.told);
  for (ScriptPlace& place : watcher.plan.places) {
    // Such a child, as mpm-itk's, is root until a request comes.
    if (watcher.engine.identity_switches) place.certainty = Certainty::modelled;
    const Clock::time_point began = Clock::now();
    PlaceReport found = audit_place(place, eyes_for(watcher, place, pace));
    if (found.incomplete) return false;
    const std::chrono::duration<double> took = Clock::now() - began;
    report.take(place, std::move(found), took.count());
  }
  report.settle([] { return !is_stopping(); });
  watcher.told = std::move(report).result();
  return true;
}

std::chrono::seconds pause() {
  return std::chrono::seconds(server_config(ap_server_conf).effective_watch_interval());
}

std::vector<std::string> directories_of(const std::vector<ScriptPlace>& places) {
  std::vector<std::string> directories;
  directories.reserve(places.size());
  for (const ScriptPlace& place : places) directories.push_back(place.path);
  return directories;
}

/// What the child has learnt of itself before it had threads is copied: learning it again would put
/// an execve in the way of other threads.
Watcher* make_watcher(const Engine& engine, const WatchPlan& plan) {
  auto* made = new Watcher;
  made->engine.surroundings = engine.surroundings;
  made->engine.self = engine.self;
  made->engine.identity_switches = engine.identity_switches;
  made->plan = plan;
  made->plan.dropped = shared_state().retain_watch(directories_of(plan.places));
  return made;
}

/// The first tick is one tick after the start.
Clock::time_point first_due(const std::vector<ScriptPlace>& places) {
  const std::int64_t last = shared_state().oldest_watch(directories_of(places));
  const std::chrono::seconds age(now_seconds() - last);
  return Clock::now() + first_pause(age, pause()) - std::chrono::microseconds(kTick);
}

/// Nothing is set up before the first run, so that a child that is stopped at once has nothing to
/// disturb.
apr_status_t tick(int state, void* data, apr_pool_t* pool) {
  if (state != AP_WATCHDOG_STATE_RUNNING || !engine() || is_stopping()) return APR_SUCCESS;
  const auto& plan = *static_cast<const WatchPlan*>(data);
  if (due == 0) due = first_due(plan.places).time_since_epoch().count();
  if (Clock::now().time_since_epoch().count() < due) return APR_SUCCESS;
  if (!child_watcher) child_watcher = make_watcher(*engine(), plan);
  run(*child_watcher, pool);
  due = (Clock::now() + pause()).time_since_epoch().count();
  return APR_SUCCESS;
}

/// Until when what is seen may have been seen under another configuration; 0: there was none.
std::int64_t old_until() {
  int generation = 0;
  const bool known = ap_mpm_query(AP_MPMQ_GENERATION, &generation) == APR_SUCCESS;
  return known && generation == 0 ? 0 : now_seconds() + kOldSeconds;
}

/// PermGuardWatch off leaves the named directories, and those of other servers.
std::vector<ScriptPlace> watched_of(std::vector<ScriptPlace> places) {
  std::erase_if(places, [](const ScriptPlace& place) {
    const bool is_named = place.handler == Handler::other;
    return !is_named && !server_config(place.server).finds_places.value_or(true);
  });
  return distinct_places(std::move(places));
}

/// Whether the places can be looked at without waiting for ever, as on a mount whose server is
/// gone: a child tries it first.
bool can_look_at_places(apr_pool_t* pool, server_rec* main_server) {
  const auto look = [&]() -> int {
    discover_places(pool, ap_conftree, main_server);
    return 0;
  };
  return in_bounded_child(look, kLongestLook).has_value();
}

void warn_of_too_many(server_rec* main_server, const std::vector<std::string>& directories) {
  const std::set<std::string> different(directories.begin(), directories.end());
  if (different.size() <= SharedState::kMostWatched) return;
  const std::string text = "PermGuardWatch: of " + std::to_string(different.size()) +
                           " directories the status page shows " +
                           std::to_string(SharedState::kMostWatched) + "; all are watched";
  log_startup_warning(main_server, 0, text.c_str());
}

}  // namespace

void keep_to_configuration(std::vector<WatchView>& views) {
  std::map<std::string_view, WatchView*> known;
  for (WatchView& view : views) known.emplace(view.directory, &view);
  std::vector<WatchView> kept;
  std::set<std::string_view> shown;
  for (const ScriptPlace& place : watched ? watched->places : std::vector<ScriptPlace>()) {
    if (kept.size() == SharedState::kMostWatched) break;
    if (!shown.insert(place.path).second) continue;
    const auto found = known.find(place.path);
    kept.push_back(found == known.end() ? WatchView{place.path, 0, false, {}, 0, 0}
                                        : std::move(*found->second));
  }
  views = std::move(kept);
}

void start_watch(apr_pool_t* pconf, server_rec* main_server) {
  watched = nullptr;
  if (server_config(main_server).effective_watch_interval() == 0) return;
  if (!can_look_at_places(pconf, main_server)) {
    log_startup_warning(
        main_server, 0,
        "PermGuardWatch: the places were not found within 3 s, perhaps because a file "
        "system does not answer: nothing is watched");
    return;
  }
  std::vector<ScriptPlace> known = discover_places(pconf, ap_conftree, main_server);
  auto* plan = make_in_pool<WatchPlan>(
      pconf, WatchPlan{watched_of(known), std::move(known), {}, old_until()});
  const std::vector<std::string> directories = directories_of(plan->places);
  watched = plan;
  warn_of_too_many(main_server, directories);
  // Without a place there may yet be incidents to close that the configuration before has left.
  if (directories.empty() && plan->since == 0) return;
  const auto get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
  const auto register_callback = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
  ap_watchdog_t* watchdog = nullptr;
  if (!get_instance || !register_callback ||
      get_instance(&watchdog, "permguard", 0, 1, pconf) != APR_SUCCESS ||
      register_callback(watchdog, kTick, plan, guarded<tick, APR_SUCCESS>) != APR_SUCCESS) {
    log_startup_warning(main_server, 0, "PermGuardWatch needs mod_watchdog: nothing is watched");
  }
}

}  // namespace permguard
