// SPDX-License-Identifier: Apache-2.0
#include "cli/snapshot_command.h"

#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "cli/against.h"
#include "cli/desired_roots.h"
#include "cli/paths.h"
#include "core/link_free.h"
#include "report/explain_text.h"

namespace permguard::cli {
namespace {

std::vector<DesiredRoot> roots_now(const std::vector<std::string>& paths,
                                   std::vector<Unexamined>& unexamined) {
  std::vector<DesiredRoot> roots;
  for (const std::string& path : paths) {
    Result<DesiredRoot> root = root_at(path);
    if (!root) unexamined.push_back({path, root.error});
    if (root) roots.push_back(std::move(root.value));
  }
  return roots;
}

}  // namespace

SnapshotCommand::SnapshotCommand(CLI::App& parent)
    : app_(parent.add_subcommand("snapshot", "Print the permissions of trees as a desired state")) {
  app_->add_option("DIR", directories_, "The directories")->required()->type_name("");
}

bool SnapshotCommand::chosen() const {
  return app_->parsed();
}

int SnapshotCommand::run() {
  const LinkFreeFilesystem filesystem;
  const SystemNames names;
  std::vector<Unexamined> unexamined;
  const std::vector<DesiredRoot> roots = roots_now(roots_of(directories_), unexamined);
  std::unordered_set<std::string> links;
  for (const DesiredRoot& root : roots) {
    if (SystemFilesystem().status(root.path).value.type == FileType::symlink) {
      links.insert(root.path);
    }
  }
  // One entry after the other, so that memory does not grow with the tree.
  const std::string frame = dump(desired_json({roots, {}}, names), 1);
  const std::size_t gap = frame.rfind(']');
  std::cout << frame.substr(0, gap);
  const char* separator = "\n  ";
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
