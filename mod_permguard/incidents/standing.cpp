// SPDX-License-Identifier: Apache-2.0
#include "incidents/standing.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/chain.h"

namespace permguard {
namespace {

// What makes two findings the same incident.
using Key = std::tuple<Code, Role, Need, uid_t, std::string_view, std::string_view>;

Key key_of(const Finding& finding, const Identity& who) {
  return {finding.code, finding.role, finding.need, who.uid, finding.path, finding.target};
}

constexpr std::int64_t kStillOpen = -1;

// When each incident closed last; kStillOpen for those that stand.
std::map<Key, std::int64_t> ends_of(const std::vector<IncidentView>& incidents) {
  std::map<Key, std::int64_t> ends;
  for (const IncidentView& incident : incidents) {
    std::int64_t& end = ends[key_of(incident.finding, incident.who)];
    if (end == kStillOpen) continue;
    end = incident.open ? kStillOpen : std::max(end, incident.closed);
  }
  return ends;
}

}  // namespace

void drop_repaired(StatusSnapshot& snapshot) {
  const std::map<Key, std::int64_t> ends = ends_of(snapshot.incidents);
  for (WatchView& watch : snapshot.watch) {
    std::erase_if(watch.findings, [&](const WatchFinding& found) {
      const auto end = ends.find(key_of(found.finding, found.who));
      return end != ends.end() && end->second != kStillOpen && end->second >= watch.last_run;
    });
  }
}

std::vector<std::vector<const WatchFinding*>> beyond_incidents(const StatusSnapshot& snapshot) {
  const std::map<Key, std::int64_t> ends = ends_of(snapshot.incidents);
  std::vector<std::vector<const WatchFinding*>> beyond;
  for (const WatchView& watch : snapshot.watch) {
    auto& list = beyond.emplace_back();
    for (const WatchFinding& found : watch.findings) {
      const auto end = ends.find(key_of(found.finding, found.who));
      if (end == ends.end() || end->second != kStillOpen) list.push_back(&found);
    }
  }
  return beyond;
}

std::uint64_t left_out_beyond(const StatusSnapshot& snapshot, const WatchView& watch, bool errors) {
  std::uint64_t left_out = total(watch.left_out, Severity::error);
  if (!errors) left_out = total(watch.left_out) - left_out;
  if (left_out == 0) return 0;
  std::set<Key> kept;
  for (const WatchFinding& found : watch.findings) kept.insert(key_of(found.finding, found.who));
  const auto stands_for_one = [&](const IncidentView& incident) {
    const Finding& finding = incident.finding;
    return incident.open && (finding.severity == Severity::error) == errors &&
           lies_in(finding.target, watch.directory) &&
           !kept.contains(key_of(finding, incident.who));
  };
  const auto incidents = static_cast<std::uint64_t>(
      std::count_if(snapshot.incidents.begin(), snapshot.incidents.end(), stands_for_one));
  return left_out - std::min(left_out, incidents);
}

}  // namespace permguard
