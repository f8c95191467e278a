// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/finding.h"
#include "core/repair.h"

namespace permguard::cli {

/// The remedies of many findings: each step once, by file; warnings are left out.
class RemedyList {
 public:
  void add(const Finding& finding);

  /// In the order they came.
  const std::vector<FixStep>& steps() const { return steps_; }
  /// The files of the steps, as they were when the findings were made.
  const Examined& examined() const { return examined_; }
  /// Findings that no command repairs.
  const std::vector<Finding>& remaining() const { return remaining_; }

 private:
  std::vector<FixStep> steps_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_path_;
  Examined examined_;
  std::vector<Finding> remaining_;
};

}  // namespace permguard::cli
