// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <optional>

#include "httpd/boundary.h"
#include "httpd/event_log.h"
#include "httpd/examination.h"
#include "httpd/fcgid_guards.h"
#include "httpd/fpm_pools.h"
#include "httpd/hooks.h"
#include "httpd/journal.h"
#include "httpd/proxied.h"
#include "httpd/recovery.h"
#include "httpd/refusal.h"
#include "httpd/shared_memory.h"
#include "httpd/stopwatch.h"
#include "httpd/trace.h"
#include "report/sentence.h"

namespace permguard {
namespace {

constexpr const char* kVariables[] = {"PERMGUARD_CODE", "PERMGUARD_INCIDENT"};
constexpr char kCannedNote[] = "permguard-canned-answer";

/// mod_cgi and mod_cgid leave the text for the error page when a script ends without headers.
bool ended_without_headers(const request_rec* r) {
  const char* notes = apr_table_get(r->notes, "error-notes");
  return notes && std::strstr(notes, "End of script output before headers");
}

/// What the handler of a part of a page returned is not left in it.
bool has_failed(const request_rec* r) {
  return r->status >= HTTP_BAD_REQUEST || (r->main && ended_without_headers(r));
}

/// The target as the handler phase saw it, and who executes it.
struct Past {
  Target target;
  Executor executor;
};

/// Whether the error page is httpd's, or that of an ErrorDocument it went on to.
bool is_answered_by_httpd(const request_rec* r) {
  return r->next || apr_table_get(r->notes, kCannedNote);
}

FailureCause cause_of(const request_rec* r) {
  if (ended_without_headers(r)) return FailureCause::no_headers;
  if (!is_answered_by_httpd(r)) return FailureCause::answered;
  return r->status == HTTP_GATEWAY_TIME_OUT ? FailureCause::timeout : FailureCause::other;
}

void exonerate(const request_rec* r, const Trace& trace, const Question& question) {
  if (is_unknown_reader(question.who)) return;  // nobody was found able
  SharedState& state = shared_state();
  state.count_exonerated(trace.handler);
  const std::int64_t interval = server_config(r->server).effective_log_interval();
  if (!state.exoneration_due(question.target, now_seconds(), interval)) return;
  const FailureCause cause = cause_of(r);
  log_notice(
      r, exonerated_sentence(question.who.name, question.need, question.target, r->status, cause));
  if (!has_event_log()) return;
  write_event(exonerated_event_line(question.who, question.need, question.target, r->status, cause,
                                    event_context(r)));
}

/// Nothing where nobody knows who executes it.
std::optional<Past> past_of(request_rec* r, const Trace& trace) {
  const Target target = past_target(r, trace);
  const Executor executor = executor_of(r, target, directory_config(r->per_dir_config));
  if (!executor.who) return std::nullopt;
  return Past{target, executor};
}

/// A request that failed in its handler: is it the file, after all? Only a failure of the server
/// is worth the thorough question.
void explain_failure(request_rec* r, const Trace& trace) {
  const std::optional<Past> past = past_of(r, trace);
  if (!past) return;
  const bool by_server = ap_is_HTTP_SERVER_ERROR(r->status);
  const Moment moment = by_server ? Moment::after_failure : Moment::before_dispatch;
  const Stopwatch watch;
  Diagnosis diagnosis = examine_target(r, past->target, past->executor, moment);
  add_rule_findings(diagnosis, directory_config(r->per_dir_config));
  const bool counted = trace.state == Trace::State::passed;
  if (!counted && (diagnosis.exists || !diagnosis.healthy())) {
    const auto result = diagnosis.healthy() ? CheckResult::healthy : CheckResult::reported;
    shared_state().count_check(trace.handler, result, watch.nanoseconds());
  }
  if (shared_state().any_open()) reconsider_incidents(r, diagnosis, moment);
  if (trace.state != Trace::State::dispatched) {
    std::erase_if(diagnosis.findings, is_drift);  // was told before dispatch
  }
  if (!diagnosis.healthy()) publish(r, diagnosis);
  const bool was_heard = diagnosis.unheard == 0;
  if (has_only_drift(diagnosis) && by_server && diagnosis.exists && was_heard && !r->main) {
    exonerate(r, trace, diagnosis.question);
  }
}

void settle_pending(request_rec* r, const Trace& trace) {
  const auto result = has_failed(r) ? CheckResult::reported : CheckResult::healthy;
  shared_state().count_check(trace.handler, result, trace.nanoseconds);
  if (has_failed(r)) publish(r, *trace.diagnosis);
}

/// Success is the proof that nothing before exec can give: no LSM refused, nobody writes.
void settle_success(request_rec* r, const Trace& trace) {
  const SharedState& state = shared_state();
  if (!state.any_open()) return;
  const std::optional<Past> past = past_of(r, trace);
  if (!past) return;
  const Question question = past->target.proxy ? backend_question(r, *past->target.proxy)
                                               : question_of(r, past->target, past->executor);
  if (!state.concerns(question.target, question.who.uid)) return;
  close_disproved_by_success(r, question);
}

/// A backend's failure may have another cause: nobody may listen, or it was another backend. What
/// was seen while the files changed may hold no more.
bool needs_another_look(const request_rec* r, const Trace& trace) {
  if (trace.diagnosis->unsettled) return true;
  return trace.proxy && (trace.proxy->balancer || ap_is_HTTP_SERVER_ERROR(r->status));
}

void explain_dispatched(request_rec* r, const Trace& trace) {
  switch (trace.state) {
    case Trace::State::dispatched:
      if (has_failed(r)) explain_failure(r, trace);
      break;
    case Trace::State::passed:
      if (ap_is_HTTP_SERVER_ERROR(r->status))
        explain_failure(r, trace);
      else if (!has_failed(r))
        settle_success(r, trace);
      break;
    case Trace::State::pending:
      if (has_failed(r) && needs_another_look(r, trace))
        explain_failure(r, trace);
      else
        settle_pending(r, trace);
      break;
    case Trace::State::told:
      return;
  }
  if (has_failed(r)) leave_trace(r, Trace::State::told, past_target(r, trace));
}

void explain(request_rec* r) {
  if (const Trace* trace = trace_of(r)) {
    explain_dispatched(r, *trace);
  } else if (has_failed(r) && !explain_fcgid_guards(r)) {
    explain_refusal(r);
  }
}

apr_status_t explain_part(void* part) {
  auto* r = static_cast<request_rec*>(part);
  if (const Trace* trace = trace_of(r)) explain_dispatched(r, *trace);
  return APR_SUCCESS;
}

/// LogFormat reads the last request of a chain of internal redirects, or with '<' the first.
void spread(const char* variable, request_rec* first) {
  const char* value = nullptr;
  for (const request_rec* r = first; r && !value; r = r->next) {
    value = apr_table_get(r->subprocess_env, variable);
  }
  if (!value) return;
  for (request_rec* r = first; r; r = r->next) apr_table_set(r->subprocess_env, variable, value);
}

}  // namespace

int explain_request(request_rec* first) {
  for (request_rec* r = first; r; r = r->next) {
    explain(r);
    if (has_failed(r)) break;  // what follows is its ErrorDocument
  }
  for (const char* variable : kVariables) spread(variable, first);
  return DECLINED;
}

void explain_when_over(request_rec* r) {
  apr_pool_cleanup_register(r->pool, r, guarded<explain_part, APR_SUCCESS>, apr_pool_cleanup_null);
}

void note_canned_answer(request_rec* r) {
  if (trace_of(r)) apr_table_setn(r->notes, kCannedNote, "1");
}

int explain_to_error_document(request_rec* r) {
  if (!r->prev || !has_failed(r->prev)) return DECLINED;
  explain(r->prev);
  for (const char* variable : kVariables) {
    const char* value = apr_table_get(r->prev->subprocess_env, variable);
    if (!value) continue;
    apr_table_set(r->subprocess_env, apr_pstrcat(r->pool, "REDIRECT_", variable, nullptr), value);
  }
  return DECLINED;
}

}  // namespace permguard
