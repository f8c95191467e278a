// SPDX-License-Identifier: Apache-2.0
#include "httpd/watch_report.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/chain.h"
#include "httpd/event_log.h"
#include "httpd/examination.h"
#include "httpd/journal.h"
#include "httpd/refusal.h"
#include "httpd/run_as.h"
#include "httpd/shared_memory.h"
#include "report/sentence.h"

namespace permguard {
namespace {

std::string key_of(const Finding& finding, const Identity& who) {
  return tag(finding) + '\n' + std::to_string(who.uid) + name_of(finding.need) + '\n' +
         finding.path + '\n' + finding.target;
}

bool is_same(const Finding& one, const Finding& other) {
  return one.role == other.role && one.code == other.code && one.path == other.path;
}

bool holds(std::span<const Finding> findings, const Finding& wanted) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const Finding& finding) { return is_same(finding, wanted); });
}

WatchFinding* find(WatchView& view, const Finding& wanted, const Identity& who) {
  const auto found =
      std::find_if(view.findings.begin(), view.findings.end(), [&](const WatchFinding& each) {
        return is_same(each.finding, wanted) && each.finding.target == wanted.target &&
               each.finding.need == wanted.need && each.who.uid == who.uid;
      });
  return found == view.findings.end() ? nullptr : &*found;
}

/// Only exec itself, or AT_EXECVE_CHECK after a failure, shows these.
bool is_beyond_watching(const Finding& finding) {
  return finding.code == Code::lsm_denied || finding.code == Code::text_busy ||
         finding.code == Code::connect_refused;
}

bool is_part_of_wrapper(Role role) {
  return role >= Role::wrapper && role < Role::htaccess;
}

/// Null: it is gone.
const server_rec* vhost_named(const std::string& name) {
  const server_rec* server = ap_server_conf;
  while (server && vhost_name(server) != name) server = server->next;
  return server;
}

}  // namespace

WatchReport::WatchReport(const Engine& engine, apr_pool_t* pool, const WatchPlan& plan,
                         const Told& told)
    : engine_(engine),
      pool_(pool),
      plan_(plan),
      told_(told),
      evicted_(shared_state().counters().incidents_evicted) {}

void WatchReport::take(const ScriptPlace& place, PlaceReport&& report, double seconds) {
  if (!report.truncated && report.left_out.empty())
    covered_.push_back({&place, report.judged_by_suexec});
  // Another place may hold the file too, and have told it.
  std::erase_if(report.findings, [&](const Finding& finding) {
    const std::string key = key_of(finding, place.who);
    return errors_.contains(key) ||
           (finding.severity != Severity::error && standing_.contains(key));
  });
  const std::span<const Finding> all = report.findings;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].target == all[begin].target) ++end;
    publish(place, all.subspan(begin, end - begin));
    begin = end;
  }
  store(place, std::move(report), seconds);
}

void WatchReport::store(const ScriptPlace& place, PlaceReport&& report, double seconds) {
  WatchView& view = views_[place.path];
  view.directory = place.path;
  // Other names of a directory are other files; another virtual host's may be the same.
  const bool other_names = !place.names.within.empty();
  view.files = other_names ? view.files + report.files : std::max(view.files, report.files);
  view.truncated = view.truncated || report.truncated;
  view.last_run = now_seconds();
  view.duration_seconds += seconds;
  for (Finding& finding : report.findings) {
    if (WatchFinding* known = find(view, finding, place.who)) {
      known->finding = std::move(finding);
    } else {
      view.findings.push_back({std::move(finding), place.who});
    }
  }
  for (const auto& [kind, count] : report.left_out) view.left_out[kind] += count;
  shared_state().store_watch(view);
  if (has_event_log()) write_event(audit_event_line(view, event_context(nullptr)));
}

void WatchReport::publish(const ScriptPlace& place, std::span<const Finding> findings) {
  const std::int64_t now = now_seconds();
  const std::string vhost = vhost_name(place.server);
  const std::int64_t interval = server_config(place.server).effective_log_interval();
  std::vector<SharedState::Recorded> recorded;
  for (const Finding& finding : findings) {
    const auto key = standing_.insert(key_of(finding, place.who)).first;
    const bool leads = recorded.empty();
    if (finding.severity == Severity::error) errors_.insert(*key);
    if (told_.keys.contains(*key) && !shared_state().has_room_for(finding, place.who)) {
      unplaced_.insert(*key);
      recorded.push_back({.due = SharedState::Due::nothing});
      continue;
    }
    auto due = shared_state().record(finding, place.who, vhost, leads, now, interval, false);
    if (was_evicted(*key) && due.due == SharedState::Due::whole)
      due.due = SharedState::Due::nothing;
    due.opened = due.opened && !was_evicted(*key);
    recorded.push_back(due);
  }
  if (has_event_log()) {
    write_events(EventAction::audit, findings, place.who, recorded, event_context(nullptr));
  }
  const Finding& lead = findings.front();
  const SharedState::Recorded& due = recorded.front();
  if (due.due == SharedState::Due::whole) {
    log_found(place.server, lead.severity, log_sentence(findings, place.who, now));
  } else if (due.due == SharedState::Due::repeat) {
    log_found(place.server, lead.severity, repeat_sentence(lead, due.more, due.seconds));
  }
}

void WatchReport::settle(const std::function<bool()>& go_on) {
  const std::int64_t now = now_seconds();
  if (const std::size_t damaged = shared_state().drop_damaged()) {
    const std::string text = "shared memory: " + std::to_string(damaged) +
                             " incident records were damaged and are dropped";
    log_startup_warning(ap_server_conf, 0, text.c_str());
  }
  for (const SharedState::Open& incident : shared_state().open_incidents({}, 0)) {
    if (!go_on()) return;
    if (is_beyond_watching(incident.finding) || still_stands(incident)) continue;
    if (const auto closed = shared_state().close(incident.id, now)) {
      log_notice(ap_server_conf,
                 recovered_sentence(incident.finding, closed->after_seconds, closed->requests));
      if (has_event_log()) write_event(recovered_event(incident, *closed, event_context(nullptr)));
    }
  }
  shared_state().expire(now);
}

/// What a request brought up is asked again as far as the watch knows its question. What depends on
/// settings that only the request has (<Location>, <If>) is left to requests.
bool WatchReport::still_stands(const SharedState::Open& incident) const {
  const Finding& finding = incident.finding;
  if (standing_.count(key_of(finding, incident.who)) != 0) return true;
  if (has_left_configuration(incident)) return false;
  if (finding.role == Role::suexec) return !was_judged_by_suexec(finding.target, incident.who.uid);
  if (!shared_state().claim_question(incident.id, now_seconds())) return true;
  if (is_drift(finding)) return drift_stands(incident);
  if (finding.severity == Severity::warning) return !was_covered(finding.target);
  if (finding.code >= Code::world_writable) return forbidden_stands(incident);
  const Diagnosis again = ask_again(incident);
  return holds(again.findings, finding) || is_hidden(finding, again);
}

/// Whether nothing in the present configuration can ask this question, as far as the places tell:
/// its virtual host is gone, PermGuard is off for its directory, that was watched and is no place
/// any more, or others run it now. What was seen since the configuration was read is in it.
bool WatchReport::has_left_configuration(const SharedState::Open& incident) const {
  if (incident.last_seen > plan_.since) return false;
  if (!vhost_named(incident.vhost)) return true;
  if (settings_of(incident).effective_mode().mode == Mode::off) return true;
  const Finding& finding = incident.finding;
  bool lies_in_place = false, is_asked = false, needs_same = false;
  for (const ScriptPlace& place : plan_.known) {
    if (!place.covers(finding.target)) continue;
    lies_in_place = true;
    if (place.need != finding.need) continue;
    needs_same = true;
    is_asked |= place.who.uid == incident.who.uid && place.who.gid == incident.who.gid;
  }
  if (lies_in_place) return needs_same && !is_asked;
  return std::any_of(plan_.dropped.begin(), plan_.dropped.end(),
                     [&](const std::string& dropped) { return lies_in(finding.target, dropped); });
}

DirectoryConfig WatchReport::settings_of(const SharedState::Open& incident) const {
  const server_rec* server = vhost_named(incident.vhost);
  return settings_for_file(pool_, server ? server : ap_server_conf, incident.finding.target);
}

/// A state that some other section than a directory's expects is off as long as the file is what
/// it was.
bool WatchReport::drift_stands(const SharedState::Open& incident) const {
  const std::string& target = incident.finding.target;
  const DirectoryConfig settings = settings_of(incident);
  const DesiredState* desired = settings.desired.value_or(nullptr);
  const Result<FileStatus> file = engine_.filesystem.target_status(target);
  if (!file) return false;
  if (desired) {
    return holds(drift_of(engine_.names, target, {target, file.value, {}}, *desired),
                 incident.finding);
  }
  const std::optional<FileStatus>& then = incident.finding.file;
  return incident.last_seen > plan_.since && then && file.value.mode == then->mode &&
         file.value.uid == then->uid && file.value.gid == then->gid;
}

/// Likewise for a risk that was forbidden.
bool WatchReport::forbidden_stands(const SharedState::Open& incident) const {
  const DirectoryConfig settings = settings_of(incident);
  const CodeSet forbidden = settings.forbidden.value_or(CodeSet());
  const bool is_forbidden = forbidden.test(static_cast<std::size_t>(incident.finding.code));
  if (!is_forbidden && incident.last_seen <= plan_.since) return false;
  const Question question = question_again(incident.finding, incident.who);
  return holds(risks_of_file(engine_.examiner(false, Moment::before_dispatch), question),
               incident.finding);
}

Diagnosis WatchReport::ask_again(const SharedState::Open& incident) const {
  Question question = question_again(incident.finding, incident.who);
  const bool wrapper = is_part_of_wrapper(incident.finding.role);
  if (wrapper) question.role = Role::wrapper;
  question.search_path =
      search_path_again(incident.finding, search_path_of_place(incident.finding));
  const bool self = incident.who.uid == engine_.self.uid && incident.who.gid == engine_.self.gid;
  question.certainty = self ? Certainty::certain : Certainty::modelled;
  return diagnose(engine_.examiner(self, Moment::before_dispatch), question);
}

std::string WatchReport::search_path_of_place(const Finding& finding) const {
  for (const ScriptPlace& place : plan_.known) {
    if (place.covers(finding.target)) return search_path_for(place);
  }
  return search_path_for(is_part_of_wrapper(finding.role) ? Handler::fcgid : Handler::cgi,
                         ap_server_conf, finding.target.c_str());
}

/// New to the table, but not to the watch: it had to make room for others meanwhile.
bool WatchReport::was_evicted(const std::string& key) const {
  return told_.unplaced.contains(key) ||
         (told_.keys.contains(key) && shared_state().counters().incidents_evicted > told_.evicted);
}

bool WatchReport::was_covered(const std::string& target) const {
  return std::any_of(covered_.begin(), covered_.end(),
                     [&](const Covered& covered) { return covered.place->covers(target); });
}

bool WatchReport::was_judged_by_suexec(const std::string& target, uid_t user) const {
  return std::any_of(covered_.begin(), covered_.end(), [&](const Covered& covered) {
    return covered.by_suexec && covered.place->who.uid == user && covered.place->covers(target);
  });
}

}  // namespace permguard
