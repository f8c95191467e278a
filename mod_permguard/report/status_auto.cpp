// SPDX-License-Identifier: Apache-2.0
#include "report/pages.h"

namespace permguard {
namespace {

/// `Key: value` lines; keys begin with PermGuard, so that they can stand among mod_status' own.
class Lines {
 public:
  void add(const std::string& key, const std::string& value) {
    text_ += "PermGuard" + key + ": " + value + '\n';
  }
  void add(const std::string& key, std::uint64_t value) { add(key, std::to_string(value)); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// "cgi" as part of a key: "Cgi".
std::string capital(std::string word) {
  if (!word.empty() && word.front() >= 'a') word.front() = static_cast<char>(word.front() - 32);
  return word;
}

void add_checks(Lines& lines, const CounterValues& counters) {
  for (std::size_t handler = 0; handler < kHandlerCount; ++handler) {
    const std::string name = capital(name_of(static_cast<Handler>(handler)));
    for (std::size_t result = 0; result < kCheckResultCount; ++result) {
      lines.add("Checks" + name + capital(name_of(static_cast<CheckResult>(result))),
                counters.checks[handler][result]);
    }
    lines.add("Exonerated" + name, counters.exonerated[handler]);
  }
}

}  // namespace

std::string status_auto(const StatusSnapshot& snapshot) {
  const Tally tally = tally_of(snapshot);
  Lines lines;
  lines.add("Version", snapshot.version);
  lines.add("Health", name_of(health_of(tally)));
  lines.add("Uptime", static_cast<std::uint64_t>(
                          snapshot.now > snapshot.started ? snapshot.now - snapshot.started : 0));
  lines.add("Generation", snapshot.generation);
  lines.add("IncidentsOpen", tally.open_incidents);
  lines.add("IncidentsOpenErrors", tally.open_errors);
  lines.add("IncidentsEvicted", snapshot.counters.incidents_evicted);
  lines.add("EventsDropped", snapshot.counters.events_dropped);
  lines.add("WatchDirectories", snapshot.watch.size());
  lines.add("WatchFiles", tally.watch_files);
  lines.add("WatchErrors", tally.watch_errors);
  lines.add("WatchWarnings", tally.watch_warnings);
  lines.add("WatchLastRun", static_cast<std::uint64_t>(tally.watch_last_run));
  add_checks(lines, snapshot.counters);
  return lines.take();
}

}  // namespace permguard
