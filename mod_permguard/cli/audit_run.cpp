// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_run.h"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

#include "core/drift.h"
#include "report/sentence.h"

namespace permguard::cli {
namespace {

template <class Work>
void each_finding(std::vector<UserFindings>& users, const Work& work) {
  for (UserFindings& user : users) {
    for (Finding& finding : user.findings) work(finding);
  }
}

}  // namespace

std::size_t AuditResult::user(const WhoseRights& rights) {
  std::string words = rights.words();
  const auto known = std::find_if(users.begin(), users.end(),
                                  [&](const UserFindings& each) { return each.words == words; });
  if (known != users.end()) return static_cast<std::size_t>(known - users.begin());
  users.push_back({rights.who, std::move(words), {}});
  return users.size() - 1;
}

bool AuditResult::is_new(const std::string& what) {
  return !may_repeat || heard.insert(std::hash<std::string>{}(what)).second;
}

void AuditResult::keep(std::size_t user, Finding finding) {
  if (!is_new(std::to_string(user) + tag(finding) + name_of(finding.need) +
              name_of(finding.severity) + '\n' + finding.path + '\n' + finding.target)) {
    return;
  }
  count(counts, finding);
  if (kept < kMaxKept) {
    ++kept;
    users[user].findings.push_back(std::move(finding));
  } else {
    ++left_out;
  }
}

void AuditResult::keep(Unexamined path) {
  if (unexamined.size() < kMaxKept) {
    unexamined.push_back(std::move(path));
  } else {
    ++unexamined_left_out;
  }
}

void AuditResult::sort() {
  for (UserFindings& user : users) {
    std::stable_sort(
        user.findings.begin(), user.findings.end(),
        [](const Finding& one, const Finding& other) { return one.target < other.target; });
  }
  std::stable_sort(
      unexamined.begin(), unexamined.end(),
      [](const Unexamined& one, const Unexamined& other) { return one.path < other.path; });
}

void AuditResult::let_drift_go_first() {
  std::unordered_set<std::string> restored;
  each_finding(users, [&](Finding& finding) {
    if (finding.severity != Severity::drift) return;
    for (const FixStep& step : finding.remedy.steps) restored.insert(step.path);
  });
  each_finding(users, [&](Finding& finding) {
    Remedy& remedy = finding.remedy;
    if (finding.severity == Severity::drift || remedy.steps.empty()) return;
    std::erase_if(remedy.steps, [&](const FixStep& step) { return restored.contains(step.path); });
    if (remedy.steps.empty()) remedy.advice = kDesiredStateFirst;
  });
}

bool AuditResult::fails() const {
  return total(counts) != total(counts, Severity::warning);
}

AuditCollector::~AuditCollector() {
  const auto now = std::chrono::steady_clock::now();
  result_.seconds += std::chrono::duration<double>(now - began_).count();
}

void AuditCollector::examined(const std::string& path, std::vector<Finding> findings) {
  const bool is_directory = !findings.empty() && findings.front().role == Role::directory;
  result_.checked += !is_directory && !result_.compared.contains(path) && result_.is_new(path);
  for (Finding& finding : findings) {
    rights_.withhold_elsewhere(finding);
    result_.keep(user_, std::move(finding));
  }
}

void AuditCollector::unexamined(const std::string& path, int error) {
  result_.keep(Unexamined{path, error});
}

bool AuditCollector::go_on() {
  progress_.step(result_.checked, result_.kept + result_.left_out);
  return true;
}

AuditSeams::AuditSeams(const WhoseRights& whose, const std::vector<std::string>& tops)
    : rights(whose), filesystem(whose.root, tops), surroundings(surroundings_of(whose)) {}

Auditor AuditSeams::auditor() const {
  return {filesystem,        names,
          surroundings,      [this] { return rights.make_kernel(); },
          rights.who,        rights.search_path,
          rights.certainty()};
}

Examiner AuditSeams::examiner(const Kernel* kernel) const {
  return {filesystem, names, kernel, surroundings};
}

void audit_trees(AuditResult& result, const std::vector<std::string>& roots,
                 const WhoseRights& rights, const AuditOptions& options, unsigned jobs,
                 JudgeFactory make_judge) {
  const AuditSeams seams(rights, roots);
  AuditCollector collector(result, rights);
  Auditor auditor = seams.auditor();
  auditor.make_judge = std::move(make_judge);
  audit(auditor, roots, options, jobs, collector);
}

}  // namespace permguard::cli
