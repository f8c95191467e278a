// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <numeric>

#include "report/json.h"
#include "report/json_text.h"
#include "report/sentence.h"
#include "report/utf8.h"

namespace permguard {
namespace {

using Json = nlohmann::ordered_json;

Json vhosts_json(const std::vector<VhostView>& vhosts) {
  Json list = Json::array();
  for (const VhostView& vhost : vhosts) {
    list.push_back({{"name", to_utf8(vhost.name)},
                    {"mode", to_utf8(vhost.mode)},
                    {"defined_at", to_utf8(vhost.defined_at)}});
  }
  return list;
}

Json server_json(const StatusSnapshot& snapshot) {
  return {{"version", to_utf8(snapshot.version)},
          {"started", rfc3339(snapshot.started)},
          {"generation", snapshot.generation},
          {"vhosts", vhosts_json(snapshot.vhosts)}};
}

Json checks_json(const CounterValues& counters) {
  Json checks;
  for (std::size_t handler = 0; handler < kHandlerCount; ++handler) {
    Json& results = checks[name_of(static_cast<Handler>(handler))];
    for (std::size_t result = 0; result < kCheckResultCount; ++result) {
      results[name_of(static_cast<CheckResult>(result))] = counters.checks[handler][result];
    }
  }
  return checks;
}

Json exonerated_json(const CounterValues& counters) {
  Json exonerated;
  for (std::size_t handler = 0; handler < kHandlerCount; ++handler) {
    exonerated[name_of(static_cast<Handler>(handler))] = counters.exonerated[handler];
  }
  return exonerated;
}

Json finding_counts_json(const CounterValues& counters) {
  Json list = Json::array();
  for (std::size_t code = 0; code < kCodeCount; ++code) {
    for (std::size_t role = 0; role < kRoleCount; ++role) {
      if (counters.findings[code][role] == 0) continue;
      list.push_back({{"code", name_of(static_cast<Code>(code))},
                      {"role", name_of(static_cast<Role>(role))},
                      {"count", counters.findings[code][role]}});
    }
  }
  return list;
}

Json duration_json(const CounterValues& counters) {
  const std::uint64_t count = std::accumulate(counters.duration_buckets.begin(),
                                              counters.duration_buckets.end(), std::uint64_t{0});
  return {{"count", count}, {"sum", static_cast<double>(counters.duration_ns) / 1e9}};
}

Json counters_json(const StatusSnapshot& snapshot, const Tally& tally) {
  const CounterValues& counters = snapshot.counters;
  return {{"checks", checks_json(counters)},
          {"exonerated", exonerated_json(counters)},
          {"findings", finding_counts_json(counters)},
          {"incidents_open", tally.open_incidents},
          {"incidents_evicted", counters.incidents_evicted},
          {"events_dropped", counters.events_dropped},
          {"check_duration_seconds", duration_json(counters)}};
}

Json incident_json(const IncidentView& incident, std::int64_t now) {
  Json json = {{"id", incident.id},
               {"finding", finding_json(incident.finding, incident.who, now)},
               {"count", incident.count},
               {"first_seen", rfc3339(incident.first_seen)},
               {"last_seen", rfc3339(incident.last_seen)},
               {"open", incident.open},
               {"vhost", to_utf8(incident.vhost)}};
  if (!incident.open) json["closed"] = rfc3339(incident.closed);
  return json;
}

Json watch_json(const WatchView& watch, std::int64_t now) {
  Json json;
  add_path(json, "directory", watch.directory);
  json["files"] = watch.files;
  json["truncated"] = watch.truncated;
  json["findings"] = Json::array();
  for (const WatchFinding& each : watch.findings) {
    json["findings"].push_back(finding_json(each.finding, each.who, now));
  }
  if (const std::uint64_t more = total(watch.left_out)) json["findings_left_out"] = more;
  json["last_run"] = watch.last_run > 0 ? Json(rfc3339(watch.last_run)) : Json(nullptr);
  json["duration_seconds"] = watch.duration_seconds;
  return json;
}

/// One measurement of the health document.
Json observation(const StatusSnapshot& snapshot, std::uint64_t value, const char* unit,
                 Health when_any) {
  return Json::array({{{"componentType", "component"},
                       {"observedValue", value},
                       {"observedUnit", unit},
                       {"status", name_of(value > 0 ? when_any : Health::pass)},
                       {"time", rfc3339(snapshot.now)}}});
}

Json health_notes(const Tally& tally) {
  Json notes = Json::array();
  const auto note = [&](std::uint64_t count, const char* what) {
    if (count > 0) notes.push_back(std::to_string(count) + ' ' + what);
  };
  note(tally.open_errors, "open error incident(s)");
  note(tally.open_warnings, "open incident(s) of risk or drift");
  note(tally.watch_errors, "error finding(s) of the watch");
  note(tally.watch_warnings, "finding(s) of risk or drift of the watch");
  return notes;
}

}  // namespace

Json status_json(const StatusSnapshot& snapshot) {
  const Tally tally = tally_of(snapshot);
  Json json = {{"schema", 1},
               {"server", server_json(snapshot)},
               {"health", name_of(health_of(tally))},
               {"counters", counters_json(snapshot, tally)},
               {"incidents", Json::array()},
               {"watch", Json::array()}};
  for (const IncidentView& each : snapshot.incidents) {
    json["incidents"].push_back(incident_json(each, snapshot.now));
  }
  for (const WatchView& each : snapshot.watch) {
    json["watch"].push_back(watch_json(each, snapshot.now));
  }
  return json;
}

Json health_json(const StatusSnapshot& snapshot) {
  const Tally tally = tally_of(snapshot);
  return {
      {"status", name_of(health_of(tally))},
      {"releaseId", to_utf8(snapshot.version)},
      {"serviceId", "mod_permguard"},
      {"notes", health_notes(tally)},
      {"checks",
       {{"incidents:errors", observation(snapshot, tally.open_errors, "incidents", Health::fail)},
        {"incidents:warnings",
         observation(snapshot, tally.open_warnings, "incidents", Health::warn)},
        {"watch:errors", observation(snapshot, tally.watch_errors, "findings", Health::fail)},
        {"watch:warnings",
         observation(snapshot, tally.watch_warnings, "findings", Health::warn)}}}};
}

}  // namespace permguard
