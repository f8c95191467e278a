// SPDX-License-Identifier: Apache-2.0
//
// What `permguard fix` finds, and on which ways it lets itself be led there.
#include "cli/fix_work.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <unordered_set>
#include <utility>

#include "cli/against.h"
#include "cli/command.h"
#include "core/link_free.h"
#include "core/unexamined.h"
#include "report/explain_text.h"

namespace permguard::cli {
namespace {

/// What may be changed for one target: what lies on a way on which every link is root's or the
/// caller's. That way is gone from descriptor to descriptor, while the diagnosis looks up each name
/// anew: where somebody renames meanwhile, it can be about other files.
class Ways {
 public:
  explicit Ways(std::string root) : root_(std::move(root)) {}

  void add(const std::string& path) {
    TrustedWay way = follow_trusted(path, geteuid(), root_);
    if (way.foreign) foreign_ = std::move(way.foreign);
    for (std::string& place : way.places) places_.insert(std::move(place));
  }

  const std::optional<ForeignLink>& foreign() const { return foreign_; }

  bool lead_to(const Remedy& remedy) const {
    return std::all_of(remedy.steps.begin(), remedy.steps.end(),
                       [&](const FixStep& step) { return places_.contains(step.path); });
  }

 private:
  std::string root_;
  std::optional<ForeignLink> foreign_;
  std::unordered_set<std::string> places_;
};

class Finder {
 public:
  explicit Finder(const FixQuestion& asked) : asked_(asked) {}

  void ask(const std::string& target, const Examiner& examiner) {
    const WhoseRights& rights = *asked_.rights;
    Ways ways(rights.root);
    ways.add(target);
    if (ways.foreign()) return refuse(target, *ways.foreign(), resolved(target));
    Question question;
    question.target = target;
    question.need = asked_.need;
    question.role = asked_.need == Need::connect ? Role::socket : Role::script;
    question.who = rights.who;
    question.search_path = rights.search_path;
    question.certainty = rights.certainty();
    const Diagnosis diagnosis = diagnose(examiner, question);
    for (const Link& link : diagnosis.chain) ways.add(link.path);
    for (const Finding& finding : diagnosis.findings) keep(finding, ways);
    if (const int error = unexamined(diagnosis)) found_.unexamined.push_back({target, error});
  }

  Found take() { return std::move(found_); }

 private:
  void keep(const Finding& finding, const Ways& ways) {
    if (finding.severity == Severity::warning) return;
    if (ways.lead_to(finding.remedy)) {
      found_.remedies.add(finding);
      found_.findings.push_back(finding);
    } else if (ways.foreign()) {
      refuse(finding.target, *ways.foreign(), finding.path);
    } else {
      found_.unexamined.push_back({finding.path, ESTALE});
    }
  }

  void refuse(const std::string& target, const ForeignLink& link, const std::string& instead) {
    found_.refused.push_back({target, link.path, SystemNames().user(link.owner), instead});
    found_.unexamined.push_back({target, ELOOP});
  }

  std::string resolved(const std::string& target) const {
    return asked_.rights->root.empty() ? link_free_path(target).value : std::string();
  }

  const FixQuestion& asked_;
  Found found_;
};

Found find_by_question(const FixQuestion& asked) {
  const WhoseRights& rights = *asked.rights;
  const SystemFilesystem filesystem(rights.root);
  const SystemNames names;
  const Surroundings surroundings = surroundings_of(rights);
  const auto kernel = rights.make_kernel();
  Finder finder(asked);
  for (const std::string& target : asked.targets) {
    finder.ask(target, {filesystem, names, kernel.get(), surroundings});
  }
  return finder.take();
}

/// Nothing is changed by a snapshot of which a part means other files now.
void refuse_moved_roots(const std::string& file, const std::vector<PresentRoot>& moved) {
  if (moved.empty()) return;
  for (const PresentRoot& root : moved) {
    std::cerr << "permguard: " << printable(file + ": " + words_of(root)) << '\n';
  }
  throw CommandError(file + ": nothing is changed by a snapshot of other directories");
}

Found find_by_desired_state(const std::string& file) {
  const LinkFreeFilesystem filesystem;
  Comparison comparison =
      compare(read_desired(file, Trust::own), filesystem, SystemNames(), geteuid());
  refuse_moved_roots(file, comparison.moved);
  Found found;
  for (const Finding& finding : comparison.findings) found.remedies.add(finding);
  found.findings = std::move(comparison.findings);
  found.unexamined = std::move(comparison.unexamined);
  return found;
}

}  // namespace

Found find_remedies(const FixQuestion& question) {
  return question.rights ? find_by_question(question) : find_by_desired_state(question.against);
}

}  // namespace permguard::cli
