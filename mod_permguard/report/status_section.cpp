// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "report/html_text.h"
#include "report/pages.h"

namespace permguard {
namespace {

using Rows = std::vector<std::pair<const char*, std::string>>;

std::uint64_t sum_of(const CounterValues& counters, CheckResult result) {
  std::uint64_t sum = 0;
  for (const auto& handler : counters.checks) sum += handler[static_cast<std::size_t>(result)];
  return sum;
}

Rows rows_of(const StatusSnapshot& snapshot) {
  const Tally tally = tally_of(snapshot);
  const CounterValues& counters = snapshot.counters;
  return {{"Health", name_of(health_of(tally))},
          {"Open incidents", std::to_string(tally.open_incidents)},
          {"Checks: healthy", std::to_string(sum_of(counters, CheckResult::healthy))},
          {"Checks: reported", std::to_string(sum_of(counters, CheckResult::reported))},
          {"Checks: blocked", std::to_string(sum_of(counters, CheckResult::blocked))},
          {"Watched files", std::to_string(tally.watch_files)},
          {"Watch findings", std::to_string(tally.watch_errors + tally.watch_warnings)}};
}

}  // namespace

std::string status_section(const StatusSnapshot& snapshot, bool tables) {
  std::string html = "<hr>\n<h2>mod_permguard " + html_visible(snapshot.version) + "</h2>\n";
  html += tables ? "<table>\n" : "<dl>\n";
  for (const auto& [name, value] : rows_of(snapshot)) {
    html += tables ? std::string("<tr><th scope=\"row\" align=\"left\">") + name + "</th><td>" +
                         value + "</td></tr>\n"
                   : std::string("<dt>") + name + ": " + value + "</dt>\n";
  }
  return html + (tables ? "</table>\n" : "</dl>\n");
}

}  // namespace permguard
