// SPDX-License-Identifier: Apache-2.0
#include "httpd/fcgid_guards.h"

#include "httpd/config.h"
#include "httpd/examination.h"
#include "httpd/run_as.h"
#include "httpd/shared_memory.h"
#include "httpd/stopwatch.h"
#include "httpd/trace.h"

namespace permguard {
namespace {

/// A program that is gone: no URL names it, so httpd answers 500 and not its 404.
Diagnosis diagnose_absent(const Question& question) {
  const bool certain = question.certainty == Certainty::certain;
  return diagnose(engine()->examiner(certain, Moment::after_failure), question);
}

bool explain_guard(request_rec* r, const char* program) {
  if (!program) return false;
  const DirectoryConfig& config = directory_config(r->per_dir_config);
  const Target target{.handler = Handler::fcgid, .dispatcher = Handler::fcgid, .path = program};
  const Executor executor = executor_of(r, target, config);
  if (!executor.who) return false;
  const Stopwatch watch;
  Diagnosis diagnosis = examine_target(r, target, executor, Moment::after_failure);
  if (!diagnosis.exists) diagnosis = diagnose_absent(question_of(r, target, executor));
  if (diagnosis.healthy()) return false;
  leave_trace(r, Trace::State::told, target);
  shared_state().count_check(target.handler, CheckResult::reported, watch.nanoseconds());
  publish(r, diagnosis);
  return true;
}

}  // namespace

bool explain_fcgid_guards(request_rec* r) {
  if (!ap_is_HTTP_SERVER_ERROR(r->status) || !engine()) return false;
  const DirectoryConfig& config = directory_config(r->per_dir_config);
  if (config.effective_mode().mode == Mode::off) return false;
  const FcgidGuards& guards = config.fcgid_guards;
  if (explain_guard(r, guards.access)) return true;
  // The others are asked about a user only.
  return r->user && (explain_guard(r, guards.user) || explain_guard(r, guards.right));
}

}  // namespace permguard
