// SPDX-License-Identifier: Apache-2.0
#include "httpd/recovery.h"

#include <algorithm>
#include <optional>

#include "httpd/engine.h"
#include "httpd/examination.h"
#include "httpd/journal.h"
#include "httpd/run_as.h"
#include "httpd/shared_memory.h"
#include "report/sentence.h"

namespace permguard {
namespace {

bool is_same(const Finding& one, const Finding& other) {
  return one.role == other.role && one.code == other.code && one.path == other.path;
}

bool still_stands(const Finding& finding, const Diagnosis& answer) {
  return std::any_of(answer.findings.begin(), answer.findings.end(),
                     [&finding](const Finding& found) { return is_same(found, finding); });
}

bool asks_the_same(const SharedState::Open& incident, const Question& question) {
  return incident.finding.target == question.target && incident.finding.need == question.need &&
         incident.who.uid == question.who.uid && incident.who.gid == question.who.gid;
}

/// Only exec itself, or AT_EXECVE_CHECK, shows these; before dispatch neither is asked.
bool is_beyond_cheap_check(Code code) {
  return code == Code::lsm_denied || code == Code::text_busy;
}

/// The question that brought the incident up, asked for somebody else's target.
Diagnosis ask_again(const request_rec* r, const SharedState::Open& incident) {
  const bool certain = is_this_process(incident.who);
  return examine({.target = incident.finding.target,
                  .need = incident.finding.need,
                  .role = Role::script,
                  .who = incident.who,
                  .search_path = search_path_of(r),
                  .working_directory = {},
                  .certainty = certain ? Certainty::certain : Certainty::modelled},
                 Moment::before_dispatch);
}

bool is_over(const request_rec* r, const SharedState::Open& incident, const Diagnosis& answer,
             bool after_success, std::int64_t now) {
  const bool same = asks_the_same(incident, answer.question);
  if (is_beyond_cheap_check(incident.finding.code)) return same && after_success;
  if (same) return !still_stands(incident.finding, answer);
  if (!shared_state().claim_question(incident.id, now)) return false;
  return !still_stands(incident.finding, ask_again(r, incident));
}

}  // namespace

void reconsider_incidents(const request_rec* r, const Diagnosis& answer, bool after_success) {
  SharedState& state = shared_state();
  const Question& question = answer.question;
  const std::int64_t now = now_seconds();
  for (const auto& incident : state.open_incidents(question.target, question.who.uid)) {
    if (!is_over(r, incident, answer, after_success, now)) continue;
    const std::optional<SharedState::Closed> closed = state.close(incident.id, now);
    if (!closed) continue;
    log_notice(r, recovered_sentence(incident.finding, closed->after_seconds, closed->requests));
  }
  state.expire(now);
}

}  // namespace permguard
