// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>

#include "incidents/standing.h"
#include "report/html_text.h"
#include "report/log_text.h"
#include "report/page_parts.h"
#include "report/sentence.h"

namespace permguard::page {
namespace {

constexpr std::size_t kTablePath = 240;
// So many findings of one directory are unfolded at first.
constexpr std::size_t kUnfolded = 3;

std::string text(const std::string& bytes) {
  return "<bdi>" + html_visible(bytes) + "</bdi>";
}

// "0.004 s": milliseconds are exact enough for a run over directories.
std::string duration(double seconds) {
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), seconds,
                                 std::chars_format::fixed, 3);
  return std::string(digits.data(), end.ptr) + " s";
}

std::string last_run(const WatchView& watch, std::int64_t now) {
  return watch.last_run > 0 ? moment(watch.last_run, now) : "not yet";
}

std::string files(const WatchView& watch) {
  return number(watch.files) + (watch.truncated ? " (truncated)" : "");
}

// Those that are no open incident: the incidents are shown as such.
std::string findings_in(const WatchView& watch, const std::vector<const WatchFinding*>& beyond,
                        std::int64_t now) {
  const std::uint64_t left_out = total(watch.left_out);
  if (beyond.empty() && left_out == 0) return {};
  std::string cases;
  std::size_t at = 0;
  for (const WatchFinding* each : beyond) {
    cases += finding_case(each->finding, each->who, nullptr, now, at++ < kUnfolded);
  }
  const std::string more =
      left_out == 0 ? ""
                    : element("p", counted(left_out, "more finding") + " counted, not kept.",
                              "class=\"muted\"");
  return element("h3", "In " + path(watch.directory)) + element("div", cases, "class=\"list\"") +
         more + '\n';
}

std::uint64_t count_of(const WatchView& watch, Severity severity) {
  const auto same = [&](const WatchFinding& each) { return each.finding.severity == severity; };
  return static_cast<std::uint64_t>(
             std::count_if(watch.findings.begin(), watch.findings.end(), same)) +
         total(watch.left_out, severity);
}

std::string average(const CounterValues& counters) {
  std::uint64_t count = 0;
  for (const std::uint64_t bucket : counters.duration_buckets) count += bucket;
  if (count == 0) return {};
  return " One check took " + number(counters.duration_ns / count / 1000) + " \u00b5s on average.";
}

std::string vhosts(const StatusSnapshot& snapshot) {
  if (snapshot.vhosts.empty()) return {};
  Table table("What PermGuard does in each virtual host.", {"Virtual host", "Mode", "Defined at"});
  for (const VhostView& vhost : snapshot.vhosts) {
    table.cell(text(cut_in_the_middle(vhost.name, kTablePath)))
        .cell(text(cut_in_the_middle(vhost.mode, kTablePath)))
        .cell(path(cut_in_the_middle(vhost.defined_at, kTablePath)));
  }
  return table.html();
}

}  // namespace

std::string watched_directories(const StatusSnapshot& snapshot) {
  if (snapshot.watch.empty()) return "<p class=\"empty\">No directory is watched.</p>\n";
  Table table("Examined in the background, before any request comes. What stands is an incident.",
              {"Directory", "#Files", "#Errors", "#Drift", "#Risk", "Last run", "#Took"});
  const auto beyond = beyond_incidents(snapshot);
  std::string findings;
  for (std::size_t at = 0; at < snapshot.watch.size(); ++at) {
    const WatchView& watch = snapshot.watch[at];
    table.cell(path(cut_in_the_middle(watch.directory, kTablePath)))
        .cell(files(watch))
        .cell(count_of(watch, Severity::error))
        .cell(count_of(watch, Severity::drift))
        .cell(count_of(watch, Severity::warning))
        .cell(last_run(watch, snapshot.now))
        .cell(watch.last_run > 0 ? duration(watch.duration_seconds) : "");
    findings += findings_in(watch, beyond[at], snapshot.now);
  }
  return table.html() + findings;
}

std::string counters(const StatusSnapshot& snapshot) {
  const CounterValues& values = snapshot.counters;
  Table table("Checks since the start, by handler." + average(values),
              {"Handler", "#Healthy", "#Reported", "#Blocked", "#Exonerated"});
  for (std::size_t handler = 0; handler < kHandlerCount; ++handler) {
    table.cell(name_of(static_cast<Handler>(handler)));
    for (const std::uint64_t count : values.checks[handler]) table.cell(count);
    table.cell(values.exonerated[handler]);
  }
  return table.html() +
         element("p",
                 counted(values.incidents_evicted, "incident") + " evicted from a full table, " +
                     counted(values.events_dropped, "event") + " dropped.",
                 "class=\"muted\"");
}

std::string server(const StatusSnapshot& snapshot) {
  return element("p", "mod_permguard " + text(snapshot.version) + ", up " +
                          age_words(snapshot.now - snapshot.started) + " since " +
                          moment(snapshot.started, snapshot.now) + "; configuration generation " +
                          number(snapshot.generation) + '.') +
         '\n' + vhosts(snapshot);
}

}  // namespace permguard::page
