// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "core/audit.h"
#include "core/suexec.h"

namespace permguard {

/// What suexec, and then the user it changes to, refuse of a CGI script: a FileJudge for an audit
/// as that user. One a thread, unless `caller_kernel` bears several.
class SuexecJudge {
 public:
  /// `caller` is the server's user, who calls suexec; `caller_kernel` asks as him, null: what he
  /// may do is modelled.
  SuexecJudge(SuexecTarget target, SuexecSettings settings, Identity caller,
              std::shared_ptr<const Kernel> caller_kernel);

  /// `as_target` asks as the target user. Where the server itself does not get to the script the
  /// findings are what the target user lacks, since an audit speaks of one user.
  std::vector<Finding> operator()(const Examiner& as_target, const Question& question) const;

 private:
  SuexecTarget target_;
  SuexecSettings settings_;
  Identity caller_;
  std::shared_ptr<const Kernel> caller_kernel_;
};

}  // namespace permguard
