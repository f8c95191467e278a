// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "httpd/discovery.h"
#include "httpd/engine.h"
#include "httpd/place_audit.h"
#include "incidents/store.h"

namespace permguard {

/// What the watch of one configuration goes by.
struct WatchPlan {
  std::vector<ScriptPlace> places;   ///< those to be audited: distinct_places()
  std::vector<ScriptPlace> known;    ///< all of the configuration, as discovered
  std::vector<std::string> dropped;  ///< directories that the configuration before had watched
  std::int64_t since = 0;            ///< what was seen later was seen under this configuration
};

/// One run of the watch on its way into shared memory and the log: what is new is logged once,
/// what is gone is closed and logged as recovered, even when no request came.
class WatchReport {
 public:
  using Keys = std::set<std::string>;
  /// What the run before found, so that what the incident table has no room for is told once all
  /// the same.
  struct Told {
    Keys keys;
    Keys unplaced;              ///< of those, for which the table had no room
    std::uint64_t evicted = 0;  ///< incidents evicted before that run
  };

  /// `pool` lives as long as the run; `told` is of the run before.
  WatchReport(const Engine& engine, apr_pool_t* pool, const WatchPlan& plan, const Told& told);

  /// Keeps what was found in one place; `seconds`: how long it took.
  void take(const ScriptPlace& place, PlaceReport&& report, double seconds);

  /// After the last place: asks the open incidents again, while `go_on` says so.
  void settle(const std::function<bool()>& go_on);

  /// For the next run.
  Told result() && { return {std::move(standing_), std::move(unplaced_), evicted_}; }

 private:
  /// A place that was examined to its end.
  struct Covered {
    const ScriptPlace* place;
    bool by_suexec;  ///< suexec's policy was judged too
  };

  void store(const ScriptPlace& place, PlaceReport&& report, double seconds);
  void publish(const ScriptPlace& place, std::span<const Finding> findings);
  bool still_stands(const SharedState::Open& incident) const;
  bool has_left_configuration(const SharedState::Open& incident) const;
  bool drift_stands(const SharedState::Open& incident) const;
  bool forbidden_stands(const SharedState::Open& incident) const;
  std::string search_path_of_place(const Finding& finding) const;
  DirectoryConfig settings_of(const SharedState::Open& incident) const;
  Diagnosis ask_again(const SharedState::Open& incident) const;
  bool was_evicted(const std::string& key) const;
  bool was_covered(const std::string& target) const;
  bool was_judged_by_suexec(const std::string& target, uid_t user) const;

  const Engine& engine_;
  apr_pool_t* pool_;
  const WatchPlan& plan_;
  const Told& told_;
  std::uint64_t evicted_;
  Keys standing_;  ///< keys of all findings of this run
  Keys errors_;    ///< of those, what was told as an error
  Keys unplaced_;
  std::map<std::string, WatchView> views_;  ///< by directory: several places may lie there
  std::vector<Covered> covered_;
};

}  // namespace permguard
