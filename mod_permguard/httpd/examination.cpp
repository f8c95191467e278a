// SPDX-License-Identifier: Apache-2.0
#include "httpd/examination.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/audit.h"
#include "core/drift.h"
#include "httpd/event_log.h"
#include "httpd/htaccess.h"
#include "httpd/journal.h"
#include "httpd/proxied.h"
#include "httpd/shared_memory.h"
#include "httpd/stale_groups.h"
#include "httpd/suexec.h"
#include "report/sentence.h"

namespace permguard {
namespace {

/// A name that no file can have is only another that is not there: whoever asks for random names
/// must not fill the log.
bool is_plain_absence(const Finding& finding) {
  if (finding.role != Role::script) return false;
  if (finding.code == Code::name_too_long) return !finding.target_seen;
  return finding.code == Code::not_found && finding.path == finding.target;
}

/// A file that cannot be read: fatal for a script, fine for an ELF program.
bool is_fine_for_a_program(const Finding& finding) {
  const bool target = finding.role == Role::script || finding.role == Role::wrapper;
  return finding.conditional ||
         (finding.code == Code::read_denied && finding.need == Need::execute && target);
}

/// The kernel's positive answer in a few calls; `probes` records them.
bool passes_cheaply(Examiner examiner, const Question& question, Probes* probes) {
  if (!probes) return passes(examiner, question);
  const RecordingKernel kernel(*probes);
  examiner.kernel = &kernel;
  const bool passed = passes(examiner, question);
  if (!passed) probes->give_up();
  return passed;
}

/// Once for all children; an administrator who changes the sandbox hears it again on the next day.
constexpr std::int64_t kSilenceInterval = 86'400;
/// No path begins like this.
constexpr std::string_view kSilence = "kernel";

/// `error`: as Diagnosis::unheard.
void tell_of_silence(int error) {
  if (error == 0) return;
  if (!shared_state().exoneration_due(kSilence, now_seconds(), kSilenceInterval)) return;
  log_startup_warning(ap_server_conf, error,
                      "the kernel does not answer here: faccessat2(2) fails for every path (a "
                      "filter on system calls, such as systemd's SystemCallFilter=, or a kernel "
                      "before 5.8); what this user may do is computed, so that enforce does not "
                      "answer for it, and this is not said again for a day");
}

/// Counts and records all findings; what is due for each, the leading one first.
std::vector<SharedState::Recorded> record_all(const request_rec* r, const Diagnosis& diagnosis,
                                              std::int64_t now) {
  SharedState& state = shared_state();
  const std::string vhost = vhost_name(r->server);
  const std::int64_t interval = server_config(r->server).effective_log_interval();
  std::vector<SharedState::Recorded> due;
  for (const Finding& finding : diagnosis.findings) {
    state.count_finding(finding.code, finding.role);
    const bool leads = due.empty();
    due.push_back(state.record(finding, diagnosis.question.who, vhost, leads, now, interval));
  }
  return due;
}

}  // namespace

std::int64_t now_seconds() noexcept {
  return apr_time_sec(apr_time_now());
}

Question question_of(const request_rec* r, const Target& target, const Executor& executor) {
  return {.target = target.path,
          .need = target.need,
          .role = target.role,
          .who = *executor.who,
          .search_path = search_path_of(r, target),
          .working_directory = {},
          // What a wrapper does with the script is its own affair.
          .certainty = target.wrapper ? Certainty::modelled : executor.certainty,
          .named_by = htaccess_naming(r, target.path),
          .search_path_set_by = htaccess_setting_path(r)};
}

Question wrapper_question_of(const request_rec* r, const Target& target, const Executor& executor) {
  return {.target = target.wrapper,
          .need = Need::execute,
          .role = Role::wrapper,
          .who = *executor.who,
          .search_path = search_path_of(r, target),
          .working_directory = {},
          .certainty = executor.certainty,
          .named_by = htaccess_naming(r, target.wrapper)};
}

Diagnosis examine_target(request_rec* r, const Target& target, const Executor& executor,
                         Moment moment, Probes* probes) {
  if (target.proxy) return examine_proxied(r, *target.proxy, *executor.who, moment);
  const Question question = question_of(r, target, executor);
  if (target.root && question.target.starts_with(std::string(target.root) + '/')) {
    return examine_in_jail(target.root, question);
  }
  if (!target.wrapper) return examine(question, executor, moment, probes);
  Diagnosis script = examine(question, moment);
  Diagnosis wrapper = examine(wrapper_question_of(r, target, executor), executor, moment);
  if (!wrapper.healthy()) script.question.who = std::move(wrapper.question.who);  // who lacks it
  script.findings.insert(script.findings.begin(), std::make_move_iterator(wrapper.findings.begin()),
                         std::make_move_iterator(wrapper.findings.end()));
  return script;
}

Diagnosis examine(const Question& question, Moment moment, Probes* probes) {
  const bool certain = question.certainty == Certainty::certain;
  const Examiner examiner = engine()->examiner(certain, moment);
  if (certain && moment == Moment::before_dispatch && passes_cheaply(examiner, question, probes)) {
    Diagnosis healthy;
    healthy.question = question;
    healthy.exists = true;
    return healthy;
  }
  Diagnosis diagnosis = diagnose(examiner, question);
  tell_of_silence(diagnosis.unheard);
  std::erase_if(diagnosis.findings, is_plain_absence);
  if (certain) advise_restart(diagnosis);
  return diagnosis;
}

Diagnosis examine(const Question& question, const Executor& executor, Moment moment,
                  Probes* probes) {
  if (!executor.suexec) return examine(question, moment, probes);
  Diagnosis diagnosis = examine_suexec(question, *executor.suexec, moment);
  std::erase_if(diagnosis.findings, is_plain_absence);
  return diagnosis;
}

void add_rule_findings(Diagnosis& diagnosis, const DirectoryConfig& config) {
  const CodeSet forbidden = config.forbidden.value_or(CodeSet());
  const DesiredState* desired = config.desired.value_or(nullptr);
  if (!diagnosis.exists || (forbidden.none() && !desired)) return;
  const Question& question = diagnosis.question;
  if (question.role != Role::script) return;  // a backend's socket
  const Examiner examiner = engine()->examiner(false, Moment::before_dispatch);
  if (forbidden.any()) {
    for (Finding& risk : risks_of_file(examiner, question)) {
      if (!forbidden.test(static_cast<std::size_t>(risk.code))) continue;
      risk.severity = Severity::error;
      diagnosis.findings.push_back(std::move(risk));
    }
  }
  const Result<FileStatus> file =
      desired ? examiner.filesystem.target_status(question.target) : failure<FileStatus>(ENOENT);
  if (!file) return;
  std::vector<Finding> drift =
      drift_of(examiner.names, question.target, {question.target, file.value, {}}, *desired);
  heed_drift(examiner, question, drift);
  std::move(drift.begin(), drift.end(), std::back_inserter(diagnosis.findings));
}

bool is_drift(const Finding& finding) {
  return finding.severity == Severity::drift;
}

bool has_only_drift(const Diagnosis& diagnosis) {
  return std::all_of(diagnosis.findings.begin(), diagnosis.findings.end(), is_drift);
}

bool shows_only_in_failure(const Finding& finding) {
  return finding.certainty == Certainty::modelled || is_fine_for_a_program(finding);
}

bool is_answerable(const Finding& finding, bool strict) {
  if (finding.severity != Severity::error) return false;
  if (finding.code == Code::text_busy || finding.code == Code::connect_refused) return false;
  if (is_fine_for_a_program(finding)) return false;
  return strict || finding.certainty == Certainty::certain;
}

int natural_status(const Finding& lead, Handler handler) {
  if (lead.role == Role::socket) return HTTP_SERVICE_UNAVAILABLE;
  if (handler != Handler::proxy) return HTTP_INTERNAL_SERVER_ERROR;
  if (lead.code == Code::read_denied) return HTTP_FORBIDDEN;
  const bool unreachable = lead.code <= Code::search_denied;  // the catalogue's first group
  return unreachable ? HTTP_NOT_FOUND : HTTP_INTERNAL_SERVER_ERROR;
}

void name_code(request_rec* r, const char* code) {
  apr_table_set(r->subprocess_env, "PERMGUARD_CODE", code);
}

void name_incident(request_rec* r, std::uint64_t id) {
  apr_table_setn(r->subprocess_env, "PERMGUARD_INCIDENT",
                 apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, id));
}

void publish(request_rec* r, const Diagnosis& diagnosis) {
  const Finding& lead = diagnosis.findings.front();
  const std::int64_t now = now_seconds();
  const bool is_error = lead.severity == Severity::error;
  if (is_error) name_code(r, tag(lead).c_str());
  const std::vector<SharedState::Recorded> all = record_all(r, diagnosis, now);
  const SharedState::Recorded& recorded = all.front();
  if (is_error && recorded.id != 0) name_incident(r, recorded.id);
  if (has_event_log()) {
    write_events(EventAction::finding, diagnosis.findings, diagnosis.question.who, all,
                 event_context(r));
  }
  if (recorded.due == SharedState::Due::whole) {
    const std::string sentence = log_sentence(diagnosis.findings, diagnosis.question.who, now);
    is_error ? log_finding(r, sentence) : log_warning(r, sentence);
  } else if (recorded.due == SharedState::Due::repeat) {
    const std::string sentence = repeat_sentence(lead, recorded.more, recorded.seconds);
    is_error ? log_finding(r, sentence) : log_warning(r, sentence);
  }
}

}  // namespace permguard
