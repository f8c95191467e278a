// SPDX-License-Identifier: Apache-2.0
#include "httpd/recovery.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "httpd/engine.h"
#include "httpd/event_log.h"
#include "httpd/examination.h"
#include "httpd/journal.h"
#include "httpd/proxied.h"
#include "httpd/refusal.h"
#include "httpd/run_as.h"
#include "httpd/shared_memory.h"
#include "report/sentence.h"

namespace permguard {
namespace {

bool is_same(const Finding& one, const Finding& other) {
  return one.role == other.role && one.code == other.code && one.path == other.path;
}

bool still_stands(const Finding& finding, const Diagnosis& answer) {
  return is_hidden(finding, answer) ||
         std::any_of(answer.findings.begin(), answer.findings.end(),
                     [&finding](const Finding& found) { return is_same(found, finding); });
}

bool asks_the_same(const SharedState::Open& incident, const Question& question) {
  return incident.finding.target == question.target && incident.finding.need == question.need &&
         incident.who.uid == question.who.uid && incident.who.gid == question.who.gid;
}

/// Only exec itself, AT_EXECVE_CHECK or a connection show these; before dispatch none is tried.
bool is_beyond_cheap_check(Code code) {
  return code == Code::lsm_denied || code == Code::text_busy || code == Code::connect_refused;
}

/// Whether diagnose() alone can answer for the finding. The administrator's rules and the
/// dispatchers' are asked where their settings are known: by a request for the same target, or
/// by the watch.
bool is_answered_by_diagnosis(const Finding& finding) {
  const bool ordinary_role = finding.role <= Role::socket || finding.role == Role::htaccess;
  return finding.severity == Severity::error && finding.code < Code::world_writable &&
         ordinary_role;
}

/// The question that brought the incident up, asked for somebody else's target.
Diagnosis ask_again(const request_rec* r, const SharedState::Open& incident) {
  const Finding& finding = incident.finding;
  const bool certain = is_this_process(incident.who);
  Question question = question_again(finding, incident.who);
  question.search_path = search_path_again(finding, search_path_of(r));
  question.certainty = certain ? Certainty::certain : Certainty::modelled;
  const bool by_pool = finding.need == Need::read && finding.certainty == Certainty::modelled;
  return by_pool ? examine_for_pool(question) : examine(question, Moment::before_dispatch);
}

bool is_of_vhost(const SharedState::Open& incident, const request_rec* r) {
  return incident.vhost == vhost_name(r->server);
}

/// Risks are looked for by the watch alone, where they are not forbidden.
bool belongs_to_watch(const Finding& finding) {
  return finding.severity == Severity::warning && finding.code >= Code::world_writable;
}

/// What the settings of its virtual host decided, of which a request to another knows nothing.
bool hangs_on_settings(const Finding& finding) {
  return is_drift(finding) || finding.code >= Code::world_writable || finding.role == Role::suexec;
}

bool is_over(const request_rec* r, const SharedState::Open& incident, const Diagnosis& answer,
             Moment moment, std::int64_t now) {
  const bool same = asks_the_same(incident, answer.question);
  const bool thorough = moment == Moment::after_failure;
  if (is_beyond_cheap_check(incident.finding.code) && !(same && thorough)) return false;
  if (belongs_to_watch(incident.finding)) return false;
  if (same && hangs_on_settings(incident.finding) && !is_of_vhost(incident, r)) return false;
  if (same) return !still_stands(incident.finding, answer);
  if (!is_answered_by_diagnosis(incident.finding)) return false;
  if (!shared_state().claim_question(incident.id, now)) return false;
  return !still_stands(incident.finding, ask_again(r, incident));
}

void close(const request_rec* r, const SharedState::Open& incident, std::int64_t now) {
  const std::optional<SharedState::Closed> closed = shared_state().close(incident.id, now);
  if (!closed) return;
  log_notice(r, recovered_sentence(incident.finding, closed->after_seconds, closed->requests));
  if (has_event_log()) write_event(recovered_event(incident, *closed, event_context(r)));
}

constinit std::atomic<std::int64_t> expired = 0;  ///< when this process last looked, in seconds

/// The look goes over the whole table, and the hour at which an incident is forgotten does not
/// matter: one request of a process in a minute pays for it.
void expire_now_and_then(std::int64_t now) {
  std::int64_t last = expired.load(std::memory_order_relaxed);
  if (now - last < 60 && now >= last) return;
  if (expired.compare_exchange_strong(last, now)) shared_state().expire(now);
}

}  // namespace

void reconsider_incidents(const request_rec* r, const Diagnosis& answer, Moment moment) {
  const Question& question = answer.question;
  const std::int64_t now = now_seconds();
  for (const auto& incident : shared_state().open_incidents(question.target, question.who.uid)) {
    if (is_over(r, incident, answer, moment, now)) close(r, incident, now);
  }
  expire_now_and_then(now);
}

void reconsider_server_incidents(const request_rec* r, Diagnosis answer) {
  answer.question.who = engine()->self;
  const Question& question = answer.question;
  if (!shared_state().concerns(question.target, question.who.uid)) return;
  const std::int64_t now = now_seconds();
  for (const auto& incident : shared_state().open_incidents(question.target, question.who.uid)) {
    // Where suexec has no part, the server's own user runs the script himself.
    if (is_of_vhost(incident, r) && is_over(r, incident, answer, Moment::before_dispatch, now)) {
      close(r, incident, now);
    }
  }
}

void close_disproved_by_success(const request_rec* r, const Question& question) {
  const std::int64_t began = apr_time_sec(r->request_time);
  for (const auto& incident : shared_state().open_incidents(question.target, question.who.uid)) {
    const bool disproved = is_beyond_cheap_check(incident.finding.code) &&
                           asks_the_same(incident, question) && incident.first_seen <= began &&
                           incident.last_asked <= began;
    if (disproved) close(r, incident, now_seconds());
  }
}

}  // namespace permguard
