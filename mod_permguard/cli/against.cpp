// SPDX-License-Identifier: Apache-2.0
#include "cli/against.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "cli/command.h"
#include "core/chain.h"

namespace permguard::cli {
namespace {

bool has_permissions(FileType type) {
  return type == FileType::regular || type == FileType::directory || type == FileType::socket;
}

Result<ActualState> state_of(const std::string& path, const Filesystem& filesystem) {
  const Result<FileStatus> file = filesystem.status(path);
  if (!file) return failure<ActualState>(file.error);
  if (!has_permissions(file.value.type)) return {0, {path, file.value, {}}};
  const Result<std::optional<Acl>> acl = filesystem.acl(path);
  const Result<std::optional<Acl>> fallback = filesystem.default_acl(path);
  if (!acl || !fallback) return failure<ActualState>(acl ? fallback.error : acl.error);
  return {0, {path, file.value, acl.value, fallback.value}};
}

}  // namespace

DesiredTree read_desired(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  std::ostringstream text;
  text << input.rdbuf();
  if (!input) throw CommandError(file + ": " + std::strerror(errno ? errno : EIO));
  std::string error;
  std::optional<DesiredTree> tree = parse_desired(text.str(), id_of_name, error);
  if (!tree) throw CommandError(file + ": " + error);
  return std::move(*tree);
}

void each_file_below(const std::vector<std::string>& roots, const Filesystem& filesystem,
                     const StateVisitor& visit, std::vector<Unexamined>& unexamined) {
  std::vector<std::string> waiting(roots.rbegin(), roots.rend());
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    Result<ActualState> state = state_of(path, filesystem);
    if (!state) {
      unexamined.push_back({path, state.error});
      continue;
    }
    if (!has_permissions(state.value.file.type)) continue;
    const bool directory = state.value.file.type == FileType::directory;
    visit(std::move(state.value));
    if (!directory) continue;
    auto names = filesystem.list(path, std::numeric_limits<std::size_t>::max());
    if (!names) unexamined.push_back({path, names.error});
    std::sort(names.value.rbegin(), names.value.rend());
    for (const std::string& name : names.value) waiting.push_back(absolute(name, path));
  }
}

Comparison compare(const DesiredTree& desired, const Filesystem& filesystem, const Names& names) {
  Comparison result;
  std::unordered_set<std::string_view> known;
  for (const DesiredEntry& entry : desired.entries) {
    known.insert(entry.path);
    ++result.compared;
    const Result<ActualState> state = state_of(entry.path, filesystem);
    if (state.error == ENOENT || state.error == ENOTDIR) {
      result.findings.push_back(missing_finding(entry.path));
    } else if (!state) {
      result.unexamined.push_back({entry.path, state.error});
    } else {
      auto drift = drift_of(names, entry.path, state.value, entry.state);
      std::move(drift.begin(), drift.end(), std::back_inserter(result.findings));
    }
  }
  std::vector<Unexamined> unseen;
  each_file_below(
      desired.roots, filesystem,
      [&](const ActualState& state) {
        if (!known.contains(state.path)) result.added.push_back(state.path);
      },
      unseen);
  // A root that is gone is already missing.
  for (Unexamined& each : unseen) {
    if (each.error != ENOENT) result.unexamined.push_back(std::move(each));
  }
  return result;
}

std::optional<std::uint32_t> id_of_name(AclEntry::Tag tag, std::string_view name) {
  const bool user = tag == AclEntry::Tag::user;
  const std::string spec = user ? std::string(name) : "#0:" + std::string(name);
  if (name.empty() || name.find(':') != std::string_view::npos) return std::nullopt;
  const Result<Identity> who = lookup_identity(spec);
  if (!who) return std::nullopt;
  return user ? who.value.uid : who.value.gid;
}

}  // namespace permguard::cli
