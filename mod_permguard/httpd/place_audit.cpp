// SPDX-License-Identifier: Apache-2.0
#include "httpd/place_audit.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/remedy.h"
#include "httpd/suexec.h"

namespace permguard {
namespace {

/// Collects one place's report.
class PlaceSink : public AuditSink {
 public:
  PlaceSink(const ScriptPlace& place, const PlaceEyes& eyes) : place_(place), eyes_(eyes) {}

  void examined(const std::string&, std::vector<Finding> findings) override {
    // A directory that cannot be listed is heard here too, and is no file.
    report.files += findings.empty() || findings.front().role != Role::directory;
    for (Finding& finding : findings) keep(std::move(finding));
  }

  void unexamined(const std::string& path, int error) override {
    if (path == place_.path && error == ENOENT) {
      keep(missing_place());
    } else if (error != EACCES && error != EPERM) {  // those are findings
      report.truncated = true;
    }
  }

  void truncated(const std::string&) override { report.truncated = true; }

  bool go_on() override {
    const bool going = !eyes_.go_on || eyes_.go_on();
    report.incomplete = report.incomplete || !going;
    return going;
  }

  PlaceReport report;

 private:
  void keep(Finding finding) {
    if (report.findings.size() < kMaxPlaceFindings) {
      report.findings.push_back(std::move(finding));
    } else {
      report.truncated = true;
    }
  }

  /// Nothing is served from there, which httpd says with 404: worth knowing, no failure.
  Finding missing_place() const {
    Finding finding;
    finding.code = Code::not_found;
    finding.role = Role::directory;
    finding.severity = Severity::warning;
    finding.need = place_.need;
    finding.target = finding.path = place_.path;
    finding.error = ENOENT;
    finding.remedy = general_remedy(finding);
    return finding;
  }

  const ScriptPlace& place_;
  const PlaceEyes& eyes_;
};

/// A socket or a wrapper is one file: all that leads to it fails where it is not there.
PlaceReport audit_one(const ScriptPlace& place, const PlaceEyes& eyes) {
  const std::unique_ptr<Kernel> kernel = eyes.make_kernel ? eyes.make_kernel() : nullptr;
  const Examiner examiner{eyes.filesystem, eyes.names, kernel.get(), eyes.surroundings};
  Question question;
  question.target = place.path;
  question.need = place.need;
  question.role = place.role;
  question.who = place.who;
  question.search_path = eyes.search_path;
  question.certainty = place.certainty;
  PlaceReport report;
  report.files = place.kind == ScriptPlace::Kind::file;
  report.findings = diagnose(examiner, question).findings;
  return report;
}

/// What suexec, and then the user it changes to, refuse of a CGI script.
class SuexecJudge {
 public:
  SuexecJudge(const ScriptPlace& place, const PlaceEyes& eyes, SuexecSettings settings)
      : target_(*place.suexec),
        eyes_(eyes),
        settings_(std::move(settings)),
        kernel_(eyes.make_server_kernel ? eyes.make_server_kernel() : nullptr) {}

  std::vector<Finding> operator()(const Examiner& as_target, const Question& question) const {
    SuexecQuestion asked{.script = question, .target = target_, .target_kernel = as_target.kernel};
    asked.script.who = server_identity();
    asked.script.certainty = kernel_ ? Certainty::certain : Certainty::modelled;
    const Examiner as_server{eyes_.filesystem, eyes_.names, kernel_.get(), eyes_.surroundings};
    Diagnosis diagnosis = diagnose_suexec(as_server, settings_, asked);
    // An audit speaks of one user: where the server itself does not get to the script, of what
    // the other one lacks.
    const bool reached = diagnosis.question.who.uid == question.who.uid;
    return reached ? std::move(diagnosis.findings) : diagnose(as_target, question).findings;
  }

 private:
  const SuexecTarget& target_;
  const PlaceEyes& eyes_;
  SuexecSettings settings_;
  std::shared_ptr<Kernel> kernel_;
};

/// FastCGI programs and wrappers are left to their requests: a wrapper may stand between.
FileJudge judge_for(const ScriptPlace& place, const PlaceEyes& eyes) {
  if (!place.suexec || place.handler != Handler::cgi) return {};
  auto settings = suexec_settings(eyes.filesystem, server_identity());
  return settings ? SuexecJudge(place, eyes, std::move(*settings)) : FileJudge{};
}

AuditOptions options_for(const ScriptPlace& place) {
  AuditOptions options;
  options.need = place.need;
  options.names = place.names;
  options.forbidden = place.forbidden;
  options.desired = place.desired;
  options.unreadable_counts = true;
  options.most_names = kMostPlaceNames;
  return options;
}

}  // namespace

PlaceReport audit_place(const ScriptPlace& place, const PlaceEyes& eyes) {
  if (place.role != Role::script) return audit_one(place, eyes);
  const Auditor auditor{
      eyes.filesystem, eyes.names,       eyes.surroundings, eyes.make_kernel,
      place.who,       eyes.search_path, place.certainty,   judge_for(place, eyes)};
  PlaceSink sink(place, eyes);
  audit(auditor, {place.path}, options_for(place), 1, sink);
  sink.report.judged_by_suexec = auditor.judge != nullptr;
  std::stable_sort(
      sink.report.findings.begin(), sink.report.findings.end(),
      [](const Finding& one, const Finding& other) { return one.target < other.target; });
  return std::move(sink.report);
}

KernelFactory delegate_for(const Identity& who) {
  if (geteuid() != 0) return {};
  return [who] { return std::make_unique<DelegateKernel>(who, true); };
}

}  // namespace permguard
