// SPDX-License-Identifier: Apache-2.0
#include "httpd/place_audit.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/suexec_judge.h"
#include "httpd/run_as.h"
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
      if (!place_.is_part) keep(missing_place(place_.path, place_.need));
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
      count(report.left_out, finding);
    }
  }

  const ScriptPlace& place_;
  const PlaceEyes& eyes_;
};

JudgeFactory judge_for(const ScriptPlace& place, const PlaceEyes& eyes) {
  if (!is_for_suexec(place)) return {};
  auto settings = suexec_settings(eyes.filesystem, server_identity());
  if (!settings) return {};
  return [&place, &eyes, settings = std::move(*settings)] {
    return SuexecJudge(*place.suexec, settings, server_identity(),
                       eyes.make_server_kernel ? eyes.make_server_kernel() : nullptr);
  };
}

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
  const JudgeFactory make_judge = judge_for(place, eyes);
  PlaceReport report;
  report.files = place.kind == ScriptPlace::Kind::file;
  report.findings =
      make_judge ? make_judge()(examiner, question) : diagnose(examiner, question).findings;
  report.judged_by_suexec = make_judge != nullptr;
  return report;
}

AuditOptions options_for(const ScriptPlace& place) {
  AuditOptions options;
  options.need = place.need;
  options.names = place.names;
  // What a handler is set for is a script, whatever it looks like.
  options.all = !place.names.empty();
  options.forbidden = place.forbidden;
  options.desired = place.desired;
  options.excluded = place.excluded;
  options.unreadable_counts = true;
  options.most_names = kMostPlaceNames;
  return options;
}

}  // namespace

bool is_for_suexec(const ScriptPlace& place) {
  const bool asks = place.handler == Handler::cgi || place.handler == Handler::fcgid;
  return place.suexec && asks && place.need == Need::execute;
}

PlaceReport audit_place(const ScriptPlace& place, const PlaceEyes& eyes) {
  if (place.role != Role::script) return audit_one(place, eyes);
  const Auditor auditor{
      eyes.filesystem, eyes.names,       eyes.surroundings, eyes.make_kernel,
      place.who,       eyes.search_path, place.certainty,   judge_for(place, eyes)};
  PlaceSink sink(place, eyes);
  audit(auditor, {place.path}, options_for(place), 1, sink);
  sink.report.judged_by_suexec = auditor.make_judge != nullptr;
  std::stable_sort(
      sink.report.findings.begin(), sink.report.findings.end(),
      [](const Finding& one, const Finding& other) { return one.target < other.target; });
  return std::move(sink.report);
}

std::string search_path_for(const ScriptPlace& place) {
  return place.search_path.empty()
             ? search_path_for(place.handler, place.server, place.path.c_str())
             : place.search_path;
}

KernelFactory delegate_for(const Identity& who) {
  if (geteuid() != 0) return {};
  return [who] { return std::make_unique<DelegateKernel>(who, true); };
}

}  // namespace permguard
