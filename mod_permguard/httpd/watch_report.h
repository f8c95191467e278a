// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "httpd/discovery.h"
#include "httpd/engine.h"
#include "httpd/place_audit.h"
#include "httpd/shared_state.h"

namespace permguard {

/// One run of the watch on its way into shared memory and the log: what is new is logged once,
/// what is gone is closed and logged as recovered, even when no request came.
class WatchReport {
 public:
  /// `pool` lives as long as the run.
  WatchReport(const Engine& engine, apr_pool_t* pool) : engine_(engine), pool_(pool) {}

  /// Keeps what was found in one place; `seconds`: how long it took.
  void take(const ScriptPlace& place, PlaceReport&& report, double seconds);

  /// After the last place: asks the open incidents again.
  void settle();

 private:
  void publish(const ScriptPlace& place, std::span<const Finding> findings);
  bool still_stands(const SharedState::Open& incident) const;
  bool drift_stands(const SharedState::Open& incident) const;
  Diagnosis ask_again(const SharedState::Open& incident) const;
  bool was_covered(const std::string& target) const;

  const Engine& engine_;
  apr_pool_t* pool_;
  std::set<std::string> standing_;    ///< keys of all findings of this run
  std::vector<std::string> covered_;  ///< places that were examined to their end
};

}  // namespace permguard
