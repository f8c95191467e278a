// SPDX-License-Identifier: Apache-2.0
#include "httpd/place_audit.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/remedy.h"

namespace permguard {
namespace {

/// Collects one place's report.
class PlaceSink : public AuditSink {
 public:
  PlaceSink(const ScriptPlace& place, const PlaceEyes& eyes) : place_(place), eyes_(eyes) {}

  void examined(const std::string& path, std::vector<Finding> findings) override {
    // A directory that cannot be listed is heard here too, and is no file.
    report.files += findings.empty() || findings.front().role != Role::directory;
    for (Finding& finding : findings) keep(std::move(finding));
    add_drift(path);
  }

  void unexamined(const std::string& path, int error) override {
    if (path == place_.path && error == ENOENT) keep(missing_place());
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

  void add_drift(const std::string& path) {
    if (place_.desired.empty()) return;
    const Result<FileStatus> file = eyes_.filesystem.target_status(path);
    if (!file || file.value.type != FileType::regular) return;
    for (Finding& finding : drift_of(eyes_.names, path, {path, file.value, {}}, place_.desired)) {
      keep(std::move(finding));
    }
  }

  const ScriptPlace& place_;
  const PlaceEyes& eyes_;
};

PlaceReport audit_socket(const ScriptPlace& place, const PlaceEyes& eyes) {
  const std::unique_ptr<Kernel> kernel = eyes.make_kernel ? eyes.make_kernel() : nullptr;
  const Examiner examiner{eyes.filesystem, eyes.names, kernel.get(), eyes.surroundings};
  Question question;
  question.target = place.path;
  question.need = Need::connect;
  question.role = Role::socket;
  question.who = place.who;
  question.certainty = place.certainty;
  PlaceReport report;
  report.findings = diagnose(examiner, question).findings;
  return report;
}

}  // namespace

PlaceReport audit_place(const ScriptPlace& place, const PlaceEyes& eyes) {
  if (place.kind == ScriptPlace::Kind::socket) return audit_socket(place, eyes);
  AuditOptions options;
  options.need = place.need;
  options.forbidden = place.forbidden;
  const Auditor auditor{eyes.filesystem, eyes.names,       eyes.surroundings, eyes.make_kernel,
                        place.who,       eyes.search_path, place.certainty};
  PlaceSink sink(place, eyes);
  audit(auditor, {place.path}, options, 1, sink);
  return std::move(sink.report);
}

KernelFactory delegate_for(const Identity& who) {
  if (geteuid() != 0) return {};
  return [who] { return std::make_unique<DelegateKernel>(who, true); };
}

}  // namespace permguard
