// SPDX-License-Identifier: Apache-2.0
#include "httpd/stale_groups.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "httpd/engine.h"

namespace permguard {
namespace {

bool is_denial(const Finding& finding) {
  return finding.code == Code::search_denied || finding.code == Code::execute_denied ||
         finding.code == Code::read_denied || finding.code == Code::connect_denied ||
         finding.code == Code::not_listable;
}

/// Groups that initgroups(3) would set today and `who` does not have.
std::vector<gid_t> groups_missing_in(const Identity& who) {
  const Result<Identity> today = lookup_identity(who.name);
  std::vector<gid_t> missing;
  if (!today || today.value.uid != who.uid) return missing;
  std::copy_if(today.value.groups.begin(), today.value.groups.end(), std::back_inserter(missing),
               [&who](gid_t group) { return !who.in_group(group); });
  return missing;
}

bool holds(const Diagnosis& diagnosis, const Finding& finding) {
  return std::any_of(diagnosis.findings.begin(), diagnosis.findings.end(),
                     [&finding](const Finding& found) {
                       return found.role == finding.role && found.code == finding.code &&
                              found.path == finding.path;
                     });
}

/// The group that lets him pass: the file's, where that is among the new ones.
std::string name_of_gain(const Finding& finding, const std::vector<gid_t>& gained) {
  const bool owns =
      finding.file && std::find(gained.begin(), gained.end(), finding.file->gid) != gained.end();
  return engine()->names.group(owns ? finding.file->gid : gained.front());
}

}  // namespace

void advise_restart(Diagnosis& diagnosis) {
  if (std::none_of(diagnosis.findings.begin(), diagnosis.findings.end(), is_denial)) return;
  const Identity& who = diagnosis.question.who;
  const std::vector<gid_t> gained = groups_missing_in(who);
  if (gained.empty()) return;
  Question today = diagnosis.question;
  today.who.groups.insert(today.who.groups.end(), gained.begin(), gained.end());
  std::sort(today.who.groups.begin(), today.who.groups.end());
  const Diagnosis restarted = diagnose(engine()->examiner(false, Moment::before_dispatch), today);
  for (Finding& finding : diagnosis.findings) {
    if (!is_denial(finding) || holds(restarted, finding)) continue;
    finding.remedy = {.steps = {},
                      .advice = "restart httpd: " + who.name + " is in group " +
                                name_of_gain(finding, gained) +
                                " by now, the running processes are not"};
  }
}

}  // namespace permguard
