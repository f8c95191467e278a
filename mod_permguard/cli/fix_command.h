// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/fix_work.h"
#include "cli/options.h"

namespace permguard::cli {

/// `permguard fix PATH…|--against FILE`: prints what it would change; with --apply changes it.
class FixCommand : public Command {
 public:
  explicit FixCommand(CLI::App& parent);
  bool chosen() const override;
  int run() override;

 private:
  /// Throws CommandError; says whose rights are asked for.
  FixQuestion question() const;

  CLI::App* app_;
  std::vector<std::string> paths_;
  std::string against_;
  std::string undo_;
  bool apply_ = false;
  bool hard_links_ = false;
  WhoseOptions whose_;
  Need need_ = Need::execute;
  std::string format_ = "text";
};

}  // namespace permguard::cli
