// SPDX-License-Identifier: Apache-2.0
#include "core/unexamined.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/chain.h"

namespace permguard {

int unexamined(const Diagnosis& diagnosis) {
  const bool stands = std::any_of(diagnosis.findings.begin(), diagnosis.findings.end(),
                                  [](const Finding& finding) { return !finding.conditional; });
  if (stands) return 0;
  if (diagnosis.unanswered != 0) return diagnosis.unanswered;
  const Question& question = diagnosis.question;
  for (const Link& link : diagnosis.chain) {
    if (link.walk.blocked != 0) return link.walk.blocked;
    const Step* end = link.walk.end();
    const bool program =
        question.need == Need::execute && joined(question.role, Role::loader) != link.role;
    if (program && end != nullptr && end->status.type == FileType::regular && !link.head_read) {
      return EACCES;
    }
  }
  return 0;
}

std::string unexamined_words(int error) {
  switch (error) {
    case ETIMEDOUT:
      return "the process that asks the kernel as this user was stopped, or did not answer in time";
    case ECONNRESET:
      return "the process that asks the kernel as this user was killed, again and again";
    default:
      return std::strerror(error);
  }
}

}  // namespace permguard
