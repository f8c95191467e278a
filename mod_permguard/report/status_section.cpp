// SPDX-License-Identifier: Apache-2.0
#include "report/html_text.h"
#include "report/pages.h"

namespace permguard {
namespace {

std::string row(const std::string& name, const std::string& value) {
  return "<tr><th scope=\"row\" align=\"left\">" + name + "</th><td>" + value + "</td></tr>\n";
}

std::string row(const std::string& name, std::uint64_t value) {
  return row(name, std::to_string(value));
}

std::uint64_t sum_of(const CounterValues& counters, CheckResult result) {
  std::uint64_t sum = 0;
  for (const auto& handler : counters.checks) sum += handler[static_cast<std::size_t>(result)];
  return sum;
}

}  // namespace

std::string status_section(const StatusSnapshot& snapshot) {
  const Tally tally = tally_of(snapshot);
  const CounterValues& counters = snapshot.counters;
  return "<hr>\n<h2>mod_permguard " + html_visible(snapshot.version) + "</h2>\n<table>\n" +
         row("Health", name_of(health_of(tally))) + row("Open incidents", tally.open_incidents) +
         row("Checks: healthy", sum_of(counters, CheckResult::healthy)) +
         row("Checks: reported", sum_of(counters, CheckResult::reported)) +
         row("Checks: blocked", sum_of(counters, CheckResult::blocked)) +
         row("Watched files", tally.watch_files) +
         row("Watch findings", tally.watch_errors + tally.watch_warnings) + "</table>\n";
}

}  // namespace permguard
