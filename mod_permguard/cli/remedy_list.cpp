// SPDX-License-Identifier: Apache-2.0
#include "cli/remedy_list.h"

#include <algorithm>

namespace permguard::cli {

void RemedyList::add(const Finding& finding) {
  if (finding.severity == Severity::warning) return;
  if (finding.remedy.steps.empty()) remaining_.push_back(finding);
  for (const FixStep& step : finding.remedy.steps) {
    std::vector<std::size_t>& known = by_path_[step.path];
    const bool twice = std::any_of(known.begin(), known.end(),
                                   [&](std::size_t index) { return steps_[index] == step; });
    if (twice) continue;
    known.push_back(steps_.size());
    steps_.push_back(step);
    if (finding.file && finding.path == step.path) examined_.emplace(step.path, *finding.file);
  }
}

}  // namespace permguard::cli
