// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <numeric>

#include "report/html_text.h"
#include "report/log_text.h"
#include "report/page_parts.h"
#include "report/sentence.h"

namespace permguard::page {
namespace {

// So few incidents are unfolded at first: what fits the eye. Of more only the worst is, and the
// others make a list.
constexpr std::size_t kUnfolded = 5;
constexpr std::size_t kTablePath = 240;

using Rows = std::vector<const IncidentView*>;

Rows incidents_that(const StatusSnapshot& snapshot, bool are_open) {
  Rows rows;
  for (const IncidentView& incident : snapshot.incidents) {
    if (incident.open == are_open) rows.push_back(&incident);
  }
  return rows;
}

// The same order as the script's "worst": see sort_keys() of a case.
bool worse(const IncidentView* left, const IncidentView* right) {
  const bool left_error = left->finding.severity == Severity::error;
  const bool right_error = right->finding.severity == Severity::error;
  if (left_error != right_error) return left_error;
  return left->count > right->count;
}

std::string order_options() {
  return "<option value=\"worst\">Worst first</option><option value=\"last\">Last seen</option>"
         "<option value=\"first\">First seen</option><option value=\"count\">Requests</option>"
         "<option value=\"path\">Path</option>";
}

std::string tools() {
  return "<div class=\"tools\" role=\"search\" aria-label=\"Open incidents\" hidden data-enhance>"
         "<label class=\"wide\">Filter<input id=\"filter\" type=\"search\" autocomplete=\"off\" "
         "placeholder=\"path, code, user, host\"></label>"
         "<label>Order<select id=\"order\">" +
         order_options() +
         "</select></label><button type=\"button\" id=\"unfold\">Unfold or fold all</button>"
         "<p id=\"shown\" role=\"status\"></p></div>\n";
}

/// "not-executable 200", the most frequent first: what a bad day is about.
std::string causes(const Rows& rows) {
  std::map<std::string, std::uint64_t> counts;
  for (const IncidentView* incident : rows) ++counts[tag(incident->finding)];
  if (counts.size() < 2) return {};
  std::vector<std::pair<std::string, std::uint64_t>> list(counts.begin(), counts.end());
  std::stable_sort(list.begin(), list.end(),
                   [](const auto& left, const auto& right) { return left.second > right.second; });
  std::string items;
  for (const auto& [name, count] : list) {
    items += element("li", name + ' ' + element("strong", number(count)));
  }
  return element("ul", items, "class=\"causes\" aria-label=\"Open incidents by cause\"") + '\n';
}

struct Impact {
  std::uint64_t requests = 0;
  std::int64_t since = 0;
};

Impact impact_of(const Rows& errors) {
  Impact impact;
  for (const IncidentView* incident : errors) {
    impact.requests += incident->count;
    if (impact.since == 0 || incident->first_seen < impact.since)
      impact.since = incident->first_seen;
  }
  return impact;
}

std::string error_words(const StatusSnapshot& snapshot, const Standing& standing) {
  Rows errors = incidents_that(snapshot, true);
  std::erase_if(errors, [](const auto* each) { return each->finding.severity != Severity::error; });
  std::string words;
  if (!errors.empty()) {
    const Impact impact = impact_of(errors);
    words = impact.requests > 0 ? counted(impact.requests, "request") + " affected since "
                                : std::string("No request has met it yet; found by the watch ");
    words += moment(impact.since, snapshot.now) + ". ";
  }
  if (standing.watch_errors > 0) {
    words += "The watch sees " + counted(standing.watch_errors, "more error") +
             " that no incident stands for.";
  }
  return words;
}

std::uint64_t checks_of(const CounterValues& counters) {
  std::uint64_t sum = 0;
  for (const auto& results : counters.checks) {
    sum = std::accumulate(results.begin(), results.end(), sum);
  }
  return sum;
}

std::string calm_words(const StatusSnapshot& snapshot) {
  const Tally tally = tally_of(snapshot);
  std::string words = counted(checks_of(snapshot.counters), "check") + " since the start";
  if (tally.watch_files > 0) words += ", " + counted(tally.watch_files, "file") + " watched";
  return words + '.';
}

std::string verdict_box(const char* look, const char* mark, const std::string& heading,
                        const std::string& words) {
  return element("div",
                 element("span", mark, "class=\"mark\" aria-hidden=\"true\"") +
                     element("h1", heading) + element("p", words),
                 std::string("class=\"verdict ") + look + '"') +
         '\n';
}

}  // namespace

std::string verdict(const StatusSnapshot& snapshot, const Standing& standing) {
  if (standing.errors() > 0) {
    return verdict_box("fail", "\u2715", "Broken: " + counted(standing.errors(), "open error"),
                       error_words(snapshot, standing));
  }
  if (standing.warnings() > 0) {
    return verdict_box("warn", "!", "Nothing is broken, " + counted(standing.warnings(), "warning"),
                       calm_words(snapshot));
  }
  return verdict_box("pass", "\u2713", "Nothing is broken", calm_words(snapshot));
}

std::string open_incidents(const StatusSnapshot& snapshot) {
  Rows rows = incidents_that(snapshot, true);
  std::stable_sort(rows.begin(), rows.end(), worse);
  const std::size_t unfolded = rows.size() <= kUnfolded ? rows.size() : 1;
  std::string cases;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    cases += finding_case(rows[at]->finding, rows[at]->who, rows[at], snapshot.now, at < unfolded);
  }
  if (cases.empty()) {
    return "<p class=\"empty\">No incident is open.</p>\n";
  }
  return (rows.size() > 1 ? causes(rows) + tools() : "") +
         element("div", cases, "class=\"list\" id=\"open-list\"") + '\n';
}

std::string recovered_incidents(const StatusSnapshot& snapshot) {
  Rows rows = incidents_that(snapshot, false);
  if (rows.empty()) return "<p class=\"empty\">None since the start.</p>\n";
  std::stable_sort(rows.begin(), rows.end(), [](const auto* left, const auto* right) {
    return left->closed > right->closed;
  });
  Table table("Closed because the same question now passes, or its file is gone; newest first.",
              {"Target", "Finding", "User", "Recovered", "After", "#Requests"});
  for (const IncidentView* incident : rows) {
    table.cell(path(cut_in_the_middle(incident->finding.target, kTablePath)))
        .cell(tag(incident->finding))
        .cell("<bdi>" + html_visible(incident->who.name) + "</bdi>")
        .cell(moment(incident->closed, snapshot.now))
        .cell(age_words(incident->closed - incident->first_seen))
        .cell(incident->count);
  }
  return table.html();
}

}  // namespace permguard::page
