// SPDX-License-Identifier: Apache-2.0
#include "cli/snapshot_command.h"

#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unordered_set>

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
  const SystemNames names;
  const std::vector<std::string> roots = roots_of(directories_);
  std::unordered_set<std::string> links;
  for (const std::string& root : roots) {
    if (filesystem.status(root).value.type == FileType::symlink) links.insert(root);
  }
  // One entry after the other, so that memory does not grow with the tree.
  const std::string frame = dump(desired_json({roots, {}}, names), 1);
  const std::size_t gap = frame.rfind(']');
  std::cout << frame.substr(0, gap);
  const char* separator = "\n  ";
  std::vector<Unexamined> unexamined;
  each_file_below(
      roots, filesystem,
      [&](const std::string& name, const ActualState& state) {
        const DesiredState desired{state.file.mode, state.file.uid, state.file.gid, state.acl,
                                   state.default_acl};
        const DesiredEntry entry{name, desired, state.file.type, links.contains(name)};
        std::cout << separator << dump(desired_entry_json(entry, names));
        separator = ",\n  ";
      },
      unexamined);
  std::cout << '\n' << frame.substr(gap) << '\n';
  for (const Unexamined& each : unexamined) {
    std::cerr << "permguard: " << printable(each.path)
              << ": cannot be examined: " << std::strerror(each.error) << '\n';
  }
  return unexamined.empty() ? kHealthy : kFailed;
}

}  // namespace permguard::cli
