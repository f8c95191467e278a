// SPDX-License-Identifier: Apache-2.0
#include "core/listener.h"

#include <cerrno>

#include "core/remedy.h"

namespace permguard {

Finding refused_connection(const Diagnosis& diagnosis) {
  Finding finding;
  finding.code = Code::connect_refused;
  finding.role = Role::socket;
  finding.need = Need::connect;
  finding.target = finding.path = diagnosis.question.target;
  finding.error = ECONNREFUSED;
  finding.target_seen = diagnosis.exists;
  finding.remedy = general_remedy(finding);
  return finding;
}

}  // namespace permguard
