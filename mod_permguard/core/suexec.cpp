// SPDX-License-Identifier: Apache-2.0
#include "core/suexec.h"

#include <algorithm>
#include <iterator>

#include "core/remedy.h"
#include "core/remedy_limits.h"
#include "core/repaired_filesystem.h"
#include "core/suexec_policy.h"

namespace permguard {
namespace {

/// The server's own way into the directory: it changes there before it calls suexec.
std::vector<Finding> server_denials(const Examiner& examiner, const Question& question) {
  const std::string directory = question.target.substr(0, question.target.find_last_of('/')) + "/.";
  bool asked = examiner.kernel != nullptr && question.certainty == Certainty::certain;
  std::vector<Finding> findings;
  if (asked) {
    const KernelAnswer answer = examiner.kernel->may_access(directory, kExecute);
    if (answer.allowed()) return findings;
    asked = answer.refused() && examiner.kernel->refuses_by_itself(answer, kExecute);
  }
  const Walk walk = walk_path(examiner.filesystem, directory, question.who,
                              {"/", examiner.surroundings.protected_symlinks});
  for (const WalkFault& fault : walk.faults) {
    const auto step = std::find_if(walk.steps.begin(), walk.steps.end(),
                                   [&](const Step& each) { return each.path == fault.path; });
    if (fault.code != Code::search_denied || step == walk.steps.end()) continue;
    Finding finding;
    finding.code = fault.code;
    finding.role = question.role;
    finding.certainty = asked ? Certainty::certain : Certainty::modelled;
    finding.need = question.need;
    finding.target = question.target;
    finding.path = fault.path;
    finding.file = step->status;
    finding.owner = examiner.names.user(step->status.uid);
    finding.group = examiner.names.group(step->status.gid);
    finding.decision = fault.decision;
    finding.decided_by = fault.decision.by;
    finding.error = fault.error;
    finding.remedy = least_grant(step->path, step->status, step->acl, question.who, kExecute);
    heed_links(examiner.names, walk, directory, finding);
    heed_place(finding, false);
    heed_mount(examiner.filesystem.mount(finding.path).value, examiner.surroundings, finding);
    heed_refusals(examiner.filesystem, examiner.surroundings, finding);
    findings.push_back(std::move(finding));
  }
  return findings;
}

/// The script and its directory as they are once the policy's remedies have been applied.
void repair(RepairedFilesystem& filesystem, const SuexecPlace& place, const Identity& owner) {
  const auto conform = [&](const FileStatus& before, unsigned owner_bits) {
    const FileStatus after = conforming(before, owner, owner_bits);
    if (after != before) filesystem.repair(after);
  };
  if (place.directory_status) conform(*place.directory_status, 0500);
  if (place.script_status && place.script_status->type != FileType::symlink) {
    conform(*place.script_status, 0100);
  }
}

/// Whether the target user may read the script as it is, not as the policy's remedies make it.
bool may_read(const Examiner& examiner, const SuexecQuestion& question) {
  const std::string& script = question.script.target;
  if (question.target_kernel != nullptr) {
    const KernelAnswer answer = question.target_kernel->may_access(script, kRead);
    if (answer.allowed() || answer.refused()) return answer.allowed();
  }
  const Walk walk = walk_path(examiner.filesystem, script, question.target.who,
                              {"/", examiner.surroundings.protected_symlinks});
  return walk.complete && walk.faults.empty() &&
         decide_access(walk.end()->status, walk.end()->acl, question.target.who, kRead).allowed;
}

/// What the target user needs beyond the policy.
Diagnosis diagnose_target(const Examiner& examiner, const SuexecSettings& settings,
                          const SuexecQuestion& question, const SuexecPlace& place) {
  RepairedFilesystem filesystem(examiner.filesystem);
  repair(filesystem, place, question.target.who);
  const Kernel* kernel = filesystem.changed() ? nullptr : question.target_kernel;
  Question asked = question.script;
  asked.who = question.target.who;
  asked.search_path = settings.safe_path;
  asked.working_directory = place.directory;
  asked.certainty = Certainty::modelled;
  asked.may_quote = may_read(examiner, question);
  if (!place.script.empty()) asked.target = place.script;
  Diagnosis diagnosis =
      diagnose({filesystem, examiner.names, kernel, examiner.surroundings}, asked);
  if (filesystem.changed() && !diagnosis.chain.empty()) {
    // What is shown is the tree as it is.
    diagnosis.chain.front().walk =
        walk_path(examiner.filesystem, asked.target, asked.who,
                  {asked.working_directory, examiner.surroundings.protected_symlinks});
  }
  diagnosis.question.target = question.script.target;
  heed_suexec_way(examiner, question.script.target, diagnosis.findings);
  for (Finding& finding : diagnosis.findings) finding.target = question.script.target;
  return diagnosis;
}

bool tells(const std::vector<Finding>& findings, const Finding& finding) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& other) {
    return other.code == finding.code && other.path == finding.path;
  });
}

}  // namespace

bool is_in_userdir(const Filesystem& filesystem, const SuexecSettings& settings,
                   const SuexecTarget& target, const std::string& script) {
  const std::string home = suexec_userdir(settings, target);
  const SuexecPlace here = suexec_place(filesystem, script);
  const SuexecPlace there = suexec_place(filesystem, home + "/x");
  const bool known = !here.directory.empty() && !there.directory.empty();
  return known && (here.directory + "/").starts_with(there.directory + "/");
}

std::vector<Finding> judge_suexec_policy(const Examiner& examiner, const SuexecSettings& settings,
                                         const SuexecQuestion& question) {
  const SuexecPlace place = suexec_place(examiner.filesystem, question.script.target);
  return SuexecPolicy(examiner, settings, question, place).run();
}

Diagnosis diagnose_suexec(const Examiner& examiner, const SuexecSettings& settings,
                          const SuexecQuestion& question) {
  const SuexecPlace place = suexec_place(examiner.filesystem, question.script.target);
  Diagnosis diagnosis = diagnose_target(examiner, settings, question, place);
  std::vector<Finding> findings = server_denials(examiner, question.script);
  if (!findings.empty()) diagnosis.question.who = question.script.who;
  const std::vector<Finding> policy = SuexecPolicy(examiner, settings, question, place).run();
  findings.insert(findings.end(), policy.begin(), policy.end());
  for (Finding& finding : diagnosis.findings) {
    if (!tells(policy, finding)) findings.push_back(std::move(finding));
  }
  diagnosis.findings = std::move(findings);
  return diagnosis;
}

}  // namespace permguard
