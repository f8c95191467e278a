// SPDX-License-Identifier: Apache-2.0
#include "cli/snapshot_command.h"

#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/against.h"
#include "cli/paths.h"
#include "report/explain_text.h"

namespace permguard::cli {

SnapshotCommand::SnapshotCommand(CLI::App& parent)
    : app_(parent.add_subcommand("snapshot", "Print the permissions of trees as a desired state")) {
  app_->add_option("DIR", directories_, "The directories")->required()->type_name("");
}

bool SnapshotCommand::chosen() const {
  return app_->parsed();
}

int SnapshotCommand::run() {
  const SystemFilesystem filesystem;
  DesiredTree tree;
  for (const std::string& directory : directories_) {
    tree.roots.push_back(absolute_path(directory));
  }
  std::vector<Unexamined> unexamined;
  for (const ActualState& state : files_below(tree.roots, filesystem, unexamined)) {
    tree.entries.push_back(
        {state.path, {state.file.mode, state.file.uid, state.file.gid, state.acl}});
  }
  std::cout << dump(desired_json(tree, SystemNames()), 1) << '\n';
  for (const Unexamined& each : unexamined) {
    std::cerr << "permguard: " << printable(each.path)
              << ": cannot be examined: " << std::strerror(each.error) << '\n';
  }
  return unexamined.empty() ? kHealthy : kFailed;
}

}  // namespace permguard::cli
