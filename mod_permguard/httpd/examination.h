// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checker.h"
#include "httpd/apache.h"
#include "httpd/config.h"
#include "httpd/engine.h"
#include "httpd/run_as.h"
#include "httpd/target.h"
#include "incidents/probes.h"

namespace permguard {

/// What core is asked about the target of a request.
Question question_of(const request_rec* r, const Target& target, const Executor& executor);

/// What core is asked about the wrapper of a target that has one.
Question wrapper_question_of(const request_rec* r, const Target& target, const Executor& executor);

/// The full look. Before dispatch the kernel's cheap answer spares the walk where it agrees. A
/// plain target that is gone is httpd's own business, its 404: no finding.
/// `probes`, if given, is complete afterwards where the cheap answer was all it took.
Diagnosis examine(const Question& question, Moment moment, Probes* probes = nullptr);

/// The same, by way of suexec where it changes to the executor.
Diagnosis examine(const Question& question, const Executor& executor, Moment moment,
                  Probes* probes = nullptr);

/// Adds what the administrator's own rules say of a target that was seen: risks he has forbidden
/// (errors), and drift from the desired state. Without such rules costs nothing.
void add_rule_findings(Diagnosis& diagnosis, const DirectoryConfig& config);

bool is_drift(const Finding& finding);

/// Whether the target can be executed or read: no finding but drift.
bool has_only_drift(const Diagnosis& diagnosis);

/// The full look at all that a target consists of, a wrapper or a socket too, as one diagnosis:
/// what fails first leads.
Diagnosis examine_target(request_rec* r, const Target& target, const Executor& executor,
                         Moment moment, Probes* probes = nullptr);

/// Whether `enforce` may answer this finding by itself: contract, principle 3.
bool is_answerable(const Finding& finding, bool strict);

/// Whether the line of this finding must wait until the request has failed.
bool shows_only_in_failure(const Finding& finding);

/// The status stock httpd would have ended with. PHP-FPM says 403 for a script it may not read,
/// and 404 for one it cannot reach.
int natural_status(const Finding& lead, Handler handler);

/// Counts and records every finding of `diagnosis`, writes the line that is due, and names the
/// code and the incident in the request's environment.
void publish(request_rec* r, const Diagnosis& diagnosis);

/// Gives `r` the variable PERMGUARD_CODE.
void name_code(request_rec* r, const char* code);

/// Gives `r` the variable PERMGUARD_INCIDENT: the number of the status page and the event log.
void name_incident(request_rec* r, std::uint64_t id);

/// Seconds since the epoch.
std::int64_t now_seconds() noexcept;

}  // namespace permguard
