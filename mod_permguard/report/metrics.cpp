// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>

#include "report/metrics_text.h"

namespace permguard {
namespace {

using Type = MetricsText::Type;
using CodeRoleCounts = std::array<std::array<std::uint64_t, kRoleCount>, kCodeCount>;

void add_checks(MetricsText& text, const CounterValues& counters) {
  text.family("permguard_checks", Type::counter, "", "Targets checked before dispatch.");
  for (std::size_t handler = 0; handler < kHandlerCount; ++handler) {
    for (std::size_t result = 0; result < kCheckResultCount; ++result) {
      text.sample({{"handler", name_of(static_cast<Handler>(handler))},
                   {"result", name_of(static_cast<CheckResult>(result))}},
                  counters.checks[handler][result]);
    }
  }
}

void add_exonerated(MetricsText& text, const CounterValues& counters) {
  text.family("permguard_exonerated", Type::counter, "",
              "Requests that failed although their script passed the check.");
  for (std::size_t handler = 0; handler < kHandlerCount; ++handler) {
    text.sample({{"handler", name_of(static_cast<Handler>(handler))}},
                counters.exonerated[handler]);
  }
}

// A script's own errors. Their counters are there before the first finding, so that increase()
// sees it.
bool is_usual(std::size_t code, std::size_t role) {
  return static_cast<Role>(role) == Role::script && static_cast<Code>(code) < Code::connect_denied;
}
bool is_never_usual(std::size_t, std::size_t) {
  return false;
}

// Else only what was ever found: the catalogue times the roles would be hundreds of zeros.
void add_by_code(MetricsText& text, const CodeRoleCounts& counts,
                 bool (*shown_at_zero)(std::size_t, std::size_t)) {
  for (std::size_t code = 0; code < kCodeCount; ++code) {
    for (std::size_t role = 0; role < kRoleCount; ++role) {
      if (counts[code][role] == 0 && !shown_at_zero(code, role)) continue;
      text.sample(
          {{"code", name_of(static_cast<Code>(code))}, {"role", name_of(static_cast<Role>(role))}},
          counts[code][role]);
    }
  }
}

std::string seconds_text(std::uint64_t nanoseconds) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%llu.%09llu",
                static_cast<unsigned long long>(nanoseconds / 1'000'000'000),
                static_cast<unsigned long long>(nanoseconds % 1'000'000'000));
  return text.data();
}

void add_durations(MetricsText& text, const CounterValues& counters) {
  text.family("permguard_check_duration_seconds", Type::histogram, "seconds",
              "Time one check took.");
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket < counters.duration_buckets.size(); ++bucket) {
    count += counters.duration_buckets[bucket];
    const bool last = bucket == kDurationBounds.size();
    text.part("_bucket", {{"le", last ? "+Inf" : number_text(kDurationBounds[bucket])}},
              std::to_string(count));
  }
  text.part("_sum", {}, seconds_text(counters.duration_ns));
  text.part("_count", {}, std::to_string(count));
}

void add_incidents(MetricsText& text, const CounterValues& counters, const Tally& tally) {
  text.family("permguard_findings", Type::counter, "", "Findings met by requests.");
  add_by_code(text, counters.findings, is_usual);
  text.family("permguard_incidents_open", Type::gauge, "", "Incidents that stand.");
  text.sample({}, tally.open_incidents);
  text.family("permguard_incidents_evicted", Type::counter, "",
              "Incidents the table had no place for.");
  text.sample({}, counters.incidents_evicted);
}

void add_watch(MetricsText& text, const StatusSnapshot& snapshot, const Tally& tally) {
  text.family("permguard_watch_directories", Type::gauge, "", "Directories the watch examines.");
  text.sample({}, snapshot.watch.size());
  text.family("permguard_watch_files", Type::gauge, "", "Files the watch examined last.");
  text.sample({}, tally.watch_files);
  text.family("permguard_watch_findings", Type::gauge, "", "Findings of the watch that stand.");
  add_by_code(text, tally.watch_findings, is_never_usual);
  text.family("permguard_watch_last_run_timestamp_seconds", Type::gauge, "seconds",
              "When the directory that waits longest was examined; 0: none was.");
  text.sample({}, static_cast<std::uint64_t>(tally.watch_last_run));
  text.family("permguard_watch_duration_seconds", Type::gauge, "seconds",
              "Time the watch's last run took.");
  text.sample({}, tally.watch_seconds);
}

}  // namespace

std::string status_metrics(const StatusSnapshot& snapshot, MetricsFormat format) {
  const Tally tally = tally_of(snapshot);
  MetricsText text(format);
  add_checks(text, snapshot.counters);
  add_exonerated(text, snapshot.counters);
  add_incidents(text, snapshot.counters, tally);
  add_durations(text, snapshot.counters);
  add_watch(text, snapshot, tally);
  text.family("permguard_events_dropped", Type::counter, "", "Lines the event log could not take.");
  text.sample({}, snapshot.counters.events_dropped);
  text.family("permguard_build", Type::info, "", "The module's version.");
  text.sample({{"version", snapshot.version}}, std::uint64_t{1});
  return text.finish();
}

}  // namespace permguard
