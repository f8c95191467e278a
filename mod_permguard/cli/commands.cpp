// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"
#include "cli/explain_command.h"

namespace permguard::cli {

std::vector<std::unique_ptr<Command>> all_commands(CLI::App& app) {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<ExplainCommand>(app));
  return commands;
}

}  // namespace permguard::cli
