// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace permguard::cli {

/// `permguard snapshot DIR…`: the permissions of every file and directory as JSON, for --against.
class SnapshotCommand : public Command {
 public:
  explicit SnapshotCommand(CLI::App& parent);
  bool chosen() const override;
  int run() override;

 private:
  CLI::App* app_;
  std::vector<std::string> directories_;
};

}  // namespace permguard::cli
