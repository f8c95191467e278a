// SPDX-License-Identifier: Apache-2.0
#include "core/suexec_judge.h"

#include <utility>

namespace permguard {

SuexecJudge::SuexecJudge(SuexecTarget target, SuexecSettings settings, Identity caller,
                         std::shared_ptr<const Kernel> caller_kernel)
    : target_(std::move(target)),
      settings_(std::move(settings)),
      caller_(std::move(caller)),
      caller_kernel_(std::move(caller_kernel)) {}

std::vector<Finding> SuexecJudge::operator()(const Examiner& as_target,
                                             const Question& question) const {
  SuexecQuestion asked{.script = question, .target = target_, .target_kernel = as_target.kernel};
  asked.script.who = caller_;
  asked.script.certainty = caller_kernel_ ? Certainty::certain : Certainty::modelled;
  const Examiner as_caller{as_target.filesystem, as_target.names, caller_kernel_.get(),
                           as_target.surroundings};
  Diagnosis diagnosis = diagnose_suexec(as_caller, settings_, asked);
  const bool reached = diagnosis.question.who.uid == question.who.uid;
  return reached ? std::move(diagnosis.findings) : diagnose(as_target, question).findings;
}

}  // namespace permguard
