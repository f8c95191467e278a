// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_command.h"
#include "cli/command.h"
#include "cli/explain_command.h"
#include "cli/fix_command.h"
#include "cli/snapshot_command.h"

namespace permguard::cli {

std::vector<std::unique_ptr<Command>> all_commands(CLI::App& app) {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<ExplainCommand>(app));
  commands.push_back(std::make_unique<AuditCommand>(app));
  commands.push_back(std::make_unique<SnapshotCommand>(app));
  commands.push_back(std::make_unique<FixCommand>(app));
  return commands;
}

}  // namespace permguard::cli
