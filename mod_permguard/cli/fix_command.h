// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/options.h"

namespace permguard::cli {

/// `permguard fix PATH…|--against FILE`: prints what it would change; with --apply changes it.
class FixCommand : public Command {
 public:
  explicit FixCommand(CLI::App& parent);
  bool chosen() const override;
  int run() override;

 private:
  CLI::App* app_;
  std::vector<std::string> paths_;
  std::string against_;
  std::string undo_;
  bool apply_ = false;
  WhoseOptions whose_;
  Need need_ = Need::execute;
  std::string format_ = "text";
};

}  // namespace permguard::cli
