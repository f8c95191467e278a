// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "httpd/examination.h"
#include "httpd/hooks.h"
#include "httpd/journal.h"
#include "httpd/pool.h"
#include "httpd/proxied.h"
#include "httpd/recovery.h"
#include "httpd/residents.h"
#include "httpd/shared_memory.h"
#include "httpd/stopwatch.h"
#include "httpd/trace.h"
#include "incidents/verdict_cache.h"

namespace permguard {
namespace {

constinit VerdictCache verdicts;

/// One request on its way to a handler.
struct Check {
  request_rec* r;
  const DirectoryConfig& config;
  Target target;
  Executor executor;
  Stopwatch watch{};

  void count(CheckResult result) const noexcept {
    shared_state().count_check(target.handler, result, watch.nanoseconds());
  }
};

bool has_rules(const DirectoryConfig& config) noexcept {
  return config.forbidden.value_or(CodeSet()).any() || config.desired.value_or(nullptr);
}

/// The rules of the place that a verdict was found under; another place may have others.
std::uint64_t fingerprint_of(const DirectoryConfig& config) noexcept {
  static_assert(kCodeCount <= 64);
  return Fingerprint()
      .add(config.forbidden.value_or(CodeSet()).to_ullong())
      .add(reinterpret_cast<std::uintptr_t>(config.desired.value_or(nullptr)))
      .value();
}

/// Everything of httpd's own stat, which costs nothing, and who asks for what with which PATH.
std::uint64_t fingerprint_of(const Check& check) noexcept {
  const apr_finfo_t& file = check.r->finfo;
  return Fingerprint()
      .add(check.target.path)
      .add(static_cast<std::uint64_t>(check.target.need))
      .add(file.device)
      .add(file.inode)
      .add(static_cast<std::uint64_t>(file.size))
      .add(static_cast<std::uint64_t>(file.ctime))
      .add(static_cast<std::uint64_t>(file.protection))
      .add(std::uint64_t{check.executor.who->uid} << 32 | check.executor.who->gid)
      .add(search_path_of(check.r, check.target))
      .add(check.target.wrapper ? check.target.wrapper : "")
      .add(fingerprint_of(check.config))
      .value();
}

bool concerns_open_incident(std::string_view target, const Identity& who) noexcept {
  const SharedState& state = shared_state();
  return state.any_open() && state.concerns(target, who.uid);
}

/// A look within the last second, and the kernel agrees in one call. Never for somebody else's
/// rights, which the kernel cannot be asked for.
bool is_known_to_pass(const Check& check) noexcept {
  if (!check.executor.certain()) return false;
  if (concerns_open_incident(check.target.path, *check.executor.who)) return false;
  const char* wrapper = check.target.wrapper;
  if (wrapper && concerns_open_incident(wrapper, *check.executor.who)) return false;
  const std::uint64_t fingerprint = fingerprint_of(check);
  const std::uint64_t now = check.watch.started_microseconds();
  const std::optional<VerdictCache::Turn> turn = verdicts.find(fingerprint, now);
  if (!turn || !turn->probe.holds(check.target.path)) return false;
  verdicts.confirm(fingerprint, *turn, now);
  return true;
}

/// What is left to ask of a target whose look went another way than by few calls. A #! script
/// must stay readable too; one that passed and cannot be read is an ELF program.
Probe lasting_need(const Target& target) noexcept {
  Probe probe{.path = {}, .wanted = kRead, .answer = 0};
  if (target.need == Need::read) return probe;
  probe.wanted = kRead | kExecute;
  if (!probe.holds(target.path)) probe.wanted = kExecute;
  return probe;
}

void remember(const Check& check, const Probes& probes) noexcept {
  if (!check.executor.certain()) return;
  const std::uint64_t fingerprint = fingerprint_of(check);
  const std::uint64_t now = check.watch.started_microseconds();
  if (probes.complete()) return verdicts.store(fingerprint, now, probes.all(), true);
  const Probe left = lasting_need(check.target);
  verdicts.store(fingerprint, now, {&left, 1}, false);
}

/// One process of a wrapper serves all its scripts.
const char* program_of(const Target& target) noexcept {
  return target.wrapper ? target.wrapper : target.path;
}

void let_live(const Target& target) noexcept {
  if (target.stays_resident) remember_resident(Holder::httpd, program_of(target));
}

/// `script`: what was asked of a backend's pool.
void let_live_behind(const Target& target, const std::string& script) noexcept {
  if (target.proxy && target.proxy->script) remember_resident(Holder::backend, script.c_str());
}

bool may_live(const Target& target, const Finding& finding) noexcept {
  if (target.proxy) {
    return finding.role != Role::socket && may_be_resident(Holder::backend, finding.target.c_str());
  }
  return target.stays_resident && may_be_resident(Holder::httpd, program_of(target));
}

int pass(const Check& check) noexcept {
  leave_trace(check.r, Trace::State::passed, check.target);
  check.count(CheckResult::healthy);
  return DECLINED;
}

/// Nothing of it is told before the request has failed.
int let_through_pending(const Check& check, Diagnosis&& diagnosis) {
  const auto* kept = make_in_pool<Diagnosis>(check.r->pool, std::move(diagnosis));
  leave_pending_trace(check.r, check.target, *kept, check.watch.nanoseconds());
  if (check.r->main) explain_when_over(check.r);
  return DECLINED;
}

int status_for(const Check& check, const Finding& lead) {
  const int wanted = check.config.status.value_or(0);
  return wanted != 0 ? wanted : natural_status(lead, check.target.handler);
}

/// As a handler that fails httpd has read the body by then: what is left of it would reach an error
/// document's script. Where httpd refuses the body itself, its status counts.
int answer(const Check& check, const Finding& lead) {
  const int refused = ap_discard_request_body(check.r);
  return refused != OK ? refused : status_for(check, lead);
}

/// What httpd itself may yet prove wrong is not answered, and told only after it has failed.
bool is_certain_to_fail(const Check& check, const Finding& finding) {
  const bool is_rule = finding.code >= Code::world_writable;  // the administrator's own
  if (!is_rule && may_live(check.target, finding)) return false;
  return !check.target.proxy || is_beyond_doubt(*check.target.proxy, finding);
}

bool may_be_answered(const Check& check, const Finding& finding) {
  return is_answerable(finding, check.config.effective_mode().strict) &&
         is_certain_to_fail(check, finding);
}

bool must_wait(const Check& check, const Finding& finding) {
  return shows_only_in_failure(finding) || !is_certain_to_fail(check, finding);
}

/// Drift is told; the script itself passed, so its failure may still be exonerated.
int tell_and_pass(const Check& check, const Diagnosis& diagnosis) {
  publish(check.r, diagnosis);
  leave_trace(check.r, Trace::State::passed, check.target);
  check.count(CheckResult::reported);
  return DECLINED;
}

/// Drift is seen as it is and waits for nothing.
int tell_drift_and_wait(const Check& check, Diagnosis&& diagnosis) {
  Diagnosis drift = diagnosis;
  std::erase_if(drift.findings, [](const Finding& each) { return !is_drift(each); });
  std::erase_if(diagnosis.findings, is_drift);
  if (!drift.findings.empty()) publish(check.r, drift);
  return let_through_pending(check, std::move(diagnosis));
}

int act_on(const Check& check, Diagnosis&& diagnosis) {
  if (has_only_drift(diagnosis)) return tell_and_pass(check, diagnosis);
  const auto& findings = diagnosis.findings;
  const bool answers =
      check.config.effective_mode().mode == Mode::enforce && !diagnosis.unsettled &&
      std::any_of(findings.begin(), findings.end(),
                  [&](const Finding& finding) { return may_be_answered(check, finding); });
  const bool waits = std::all_of(findings.begin(), findings.end(), [&](const Finding& finding) {
    return is_drift(finding) || diagnosis.unsettled || must_wait(check, finding);
  });
  if (!answers && waits) return tell_drift_and_wait(check, std::move(diagnosis));
  publish(check.r, diagnosis);
  leave_trace(check.r, Trace::State::told, check.target);
  check.count(answers ? CheckResult::blocked : CheckResult::reported);
  return answers ? answer(check, *diagnosis.lead()) : DECLINED;
}

void reconsider(const Check& check, const Diagnosis& diagnosis) {
  if (concerns_open_incident(diagnosis.question.target, diagnosis.question.who)) {
    reconsider_incidents(check.r, diagnosis, Moment::before_dispatch);
  }
  if (check.executor.suexec) reconsider_server_incidents(check.r, diagnosis);
  if (!check.target.wrapper) return;
  Diagnosis of_wrapper = diagnosis;
  of_wrapper.question = wrapper_question_of(check.r, check.target, check.executor);
  reconsider_incidents(check.r, of_wrapper, Moment::before_dispatch);
}

int settle(const Check& check, Diagnosis&& diagnosis, const Probes& probes) {
  if (!diagnosis.healthy()) return act_on(check, std::move(diagnosis));
  if (!diagnosis.exists && !check.target.proxy) {
    log_debug(check.r, "the file vanished before it could be examined");
    return DECLINED;
  }
  remember(check, probes);
  return pass(check);
}

int look(const Check& check) {
  Probes probes(check.target.path);
  Diagnosis diagnosis =
      examine_target(check.r, check.target, check.executor, Moment::before_dispatch, &probes);
  if (has_rules(check.config)) {
    probes.give_up();  // rules look at more than the kernel was asked for
    add_rule_findings(diagnosis, check.config);
  }
  if (shared_state().any_open()) reconsider(check, diagnosis);
  const std::string asked = check.target.proxy ? diagnosis.question.target : std::string();
  const int answer = settle(check, std::move(diagnosis), probes);
  if (answer == DECLINED) let_live_behind(check.target, asked);
  return answer;
}

int judge(request_rec* r, const Target& target) {
  const DirectoryConfig& config = directory_config(r->per_dir_config);
  const Mode mode = config.effective_mode().mode;
  if (mode == Mode::off || !engine()) return DECLINED;
  const bool nothing_to_ask = target.proxy && !target.proxy->has_file();
  if (mode == Mode::explain || nothing_to_ask) {
    leave_trace(r, Trace::State::dispatched, target);
    if (r->main) explain_when_over(r);
    return DECLINED;
  }
  const Check check{
      .r = r, .config = config, .target = target, .executor = executor_of(r, target, config)};
  if (!check.executor.who) {
    log_debug(r, "the user who will execute is unknown to the user data base");
    return DECLINED;
  }
  return is_known_to_pass(check) ? pass(check) : look(check);
}

/// httpd answers 404 for a target that is gone, and nothing is checked; but what was wrong with it
/// is over, whatever had to be asked for it.
void close_what_is_gone(request_rec* r) {
  if (r->finfo.filetype != APR_NOFILE || !engine() || !shared_state().any_open()) return;
  const DirectoryConfig& config = directory_config(r->per_dir_config);
  if (config.effective_mode().mode == Mode::off) return;
  const std::optional<Target> target = unreached_target_of(r);
  if (!target) return;
  const Executor executor = executor_of(r, *target, config);
  if (!executor.who || !concerns_open_incident(target->path, *executor.who)) return;
  const Question question = question_of(r, *target, executor);
  reconsider_incidents(r, examine(question, executor, Moment::before_dispatch),
                       Moment::after_failure);
}

}  // namespace

int check_request(request_rec* r) {
  const std::optional<Target> target = target_of(r);
  if (!target) {
    close_what_is_gone(r);
    return DECLINED;
  }
  const int answer = judge(r, *target);
  if (answer == DECLINED) let_live(*target);
  return answer;
}

}  // namespace permguard
