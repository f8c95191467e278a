// SPDX-License-Identifier: Apache-2.0
#include "incidents/status.h"

#include <algorithm>

namespace permguard {
namespace {

void add_incident(Tally& tally, const IncidentView& incident) {
  if (!incident.open) return;
  ++tally.open_incidents;
  ++(incident.finding.severity == Severity::error ? tally.open_errors : tally.open_warnings);
}

void add_watch_findings(Tally& tally, Code code, Role role, Severity severity,
                        std::uint64_t count) {
  (severity == Severity::error ? tally.watch_errors : tally.watch_warnings) += count;
  tally.watch_findings[static_cast<std::size_t>(code)][static_cast<std::size_t>(role)] += count;
}

void add_watch(Tally& tally, const WatchView& watch) {
  tally.watch_files += watch.files;
  tally.watch_seconds += watch.duration_seconds;
  if (watch.last_run > 0 && (tally.watch_last_run == 0 || watch.last_run < tally.watch_last_run)) {
    tally.watch_last_run = watch.last_run;
  }
  for (const WatchFinding& each : watch.findings) {
    add_watch_findings(tally, each.finding.code, each.finding.role, each.finding.severity, 1);
  }
  for (const auto& [kind, count] : watch.left_out) {
    const auto [code, role, severity] = kind;
    add_watch_findings(tally, code, role, severity, count);
  }
}

}  // namespace

const char* name_of(Handler handler) {
  constexpr std::array<const char*, kHandlerCount> kNames = {"cgi",   "fcgid", "wsgi", "php",
                                                             "proxy", "ssi",   "other"};
  return kNames[static_cast<std::size_t>(handler)];
}

const char* name_of(CheckResult result) {
  constexpr std::array<const char*, kCheckResultCount> kNames = {"healthy", "reported", "blocked"};
  return kNames[static_cast<std::size_t>(result)];
}

const char* name_of(Health health) {
  constexpr std::array<const char*, 3> kNames = {"pass", "warn", "fail"};
  return kNames[static_cast<std::size_t>(health)];
}

Tally tally_of(const StatusSnapshot& snapshot) {
  Tally tally;
  for (const IncidentView& incident : snapshot.incidents) add_incident(tally, incident);
  for (const WatchView& watch : snapshot.watch) add_watch(tally, watch);
  return tally;
}

Health health_of(const Tally& tally) {
  if (tally.open_errors + tally.watch_errors > 0) return Health::fail;
  return tally.open_warnings + tally.watch_warnings > 0 ? Health::warn : Health::pass;
}

Health health_of(const StatusSnapshot& snapshot) {
  return health_of(tally_of(snapshot));
}

}  // namespace permguard
