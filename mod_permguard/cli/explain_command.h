// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/options.h"

namespace permguard::cli {

/// `permguard explain PATH…`: every component, the chain, the verdict and the fix.
class ExplainCommand : public Command {
 public:
  explicit ExplainCommand(CLI::App& parent);
  bool chosen() const override;
  int run() override;

 private:
  CLI::App* app_;
  std::vector<std::string> paths_;
  WhoseOptions whose_;
  Need need_ = Need::execute;
  bool suexec_ = false;
  std::string format_ = "text";
};

}  // namespace permguard::cli
