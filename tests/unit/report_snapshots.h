// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "incidents/status.h"
#include "unit/report_samples.h"

/// The states of a server that every page, document and metric is tested with.
namespace permguard::samples {

inline StatusSnapshot healthy() {
  StatusSnapshot snapshot;
  snapshot.version = "0.1.0";
  snapshot.now = kNow;
  snapshot.started = kNow - 3 * 86400 - 4 * 3600;
  snapshot.generation = 2;
  snapshot.vhosts = {{"www.example.org:443", "enforce", "/etc/apache2/sites-enabled/www.conf:3"},
                     {"main server", "report", "/etc/apache2/apache2.conf"}};
  snapshot.counters.checks[0] = {41873, 0, 0};
  snapshot.counters.checks[3] = {980211, 0, 0};
  snapshot.counters.duration_buckets = {0, 1021400, 650, 30, 4, 0, 0, 0, 0, 0, 0};
  snapshot.counters.duration_ns = 3'401'222'015;
  snapshot.watch = {{"/srv/www/cgi-bin", 42, false, {}, kNow - 12, 0.0042}};
  return snapshot;
}

inline IncidentView incident(std::uint64_t id, const Finding& finding) {
  IncidentView view;
  view.id = id;
  view.finding = finding;
  view.who = www_data();
  view.count = 4213;
  view.first_seen = kNow - 192;
  view.last_seen = kNow - 1;
  view.vhost = "www.example.org:443";
  return view;
}

inline StatusSnapshot one_incident() {
  StatusSnapshot snapshot = healthy();
  snapshot.incidents = {incident(1, not_executable())};
  snapshot.counters.checks[0] = {41873, 0, 4213};
  snapshot.counters.findings[static_cast<std::size_t>(Code::not_executable)]
                            [static_cast<std::size_t>(Role::script)] = 4213;
  return snapshot;
}

inline StatusSnapshot recovered() {
  StatusSnapshot snapshot = one_incident();
  snapshot.incidents[0].open = false;
  snapshot.incidents[0].closed = kNow - 1;
  snapshot.counters.exonerated[0] = 3;
  return snapshot;
}

inline Finding mode_drift() {
  Finding finding = of_code(Code::mode_drift, Role::script, "/srv/www/cgi-bin/pay.cgi");
  finding.file = status(FileType::regular, 0775);
  finding.owner = finding.group = "deploy";
  finding.detail = "0755";
  finding.remedy.steps = {chmod("0755", finding.path)};
  return finding;
}

inline StatusSnapshot drift() {
  StatusSnapshot snapshot = healthy();
  snapshot.watch[0].findings = {{mode_drift(), www_data()}};
  snapshot.watch.push_back({"/srv/tenants", 100000, true, {}, 0, 0});
  return snapshot;
}

/// Names that would like to be something else than text.
inline std::vector<std::string> hostile_names() {
  return {"<script>document.title='broken'</script>",
          "\"><img src=x onerror=alert(1)>",
          "it's \"quoted\" & &amp; $(id) `id`",
          "report\u202Egpj.exe\u2066",
          "zero\u200Bwidth",
          "bad\xff\xfe\x80utf8\xe2\x82",
          "line\nfeed\rand\ttab\x1b[31m",
          std::string(4000, 'n'),
          "%s%n%x"};
}

inline StatusSnapshot hostile() {
  StatusSnapshot snapshot = healthy();
  std::uint64_t id = 0;
  for (const std::string& name : hostile_names()) {
    Finding finding = not_executable();
    finding.target = finding.path = "/srv/www/" + name;
    finding.owner = name.substr(0, 40);
    finding.remedy.steps = {chmod("a+x", finding.path)};
    IncidentView view = incident(++id, finding);
    view.who.name = name.substr(0, 40);
    view.vhost = name.substr(0, 40);
    snapshot.incidents.push_back(view);
    snapshot.watch.push_back({"/srv/" + name, 1, false, {{finding, view.who}}, kNow, 0.001});
    snapshot.vhosts.push_back({name, name, name});
  }
  return snapshot;
}

/// A bad day: `count` incidents of many kinds, every third of them recovered.
inline StatusSnapshot many(std::uint64_t count) {
  StatusSnapshot snapshot = one_incident();
  snapshot.incidents.clear();
  for (std::uint64_t id = 1; id <= count; ++id) {
    Finding finding = id % 2 == 0 ? search_denied() : not_executable();
    if (id % 5 == 0) {
      finding.code = Code::world_writable;
      finding.severity = Severity::warning;
    }
    finding.target =
        "/srv/tenants/t" + std::to_string(id % 97) + "/cgi-bin/job" + std::to_string(id) + ".cgi";
    if (id % 2 != 0) {
      finding.path = finding.target;
      finding.remedy.steps = {chmod("a+x", finding.path)};
    }
    IncidentView view = incident(id, finding);
    view.count = (id * 7919) % 5000 + 1;
    view.first_seen = kNow - static_cast<std::int64_t>(id) * 60;
    view.open = id % 3 != 0;
    view.closed = view.open ? 0 : kNow - 5;
    snapshot.incidents.push_back(view);
  }
  return snapshot;
}

struct NamedSnapshot {
  const char* name;
  StatusSnapshot snapshot;
};

inline std::vector<NamedSnapshot> every_state() {
  return {{"empty", {}},       {"healthy", healthy()},     {"one-incident", one_incident()},
          {"drift", drift()},  {"recovered", recovered()}, {"hostile", hostile()},
          {"many", many(1000)}};
}

}  // namespace permguard::samples
