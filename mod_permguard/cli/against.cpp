// SPDX-License-Identifier: Apache-2.0
#include "cli/against.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cli/command.h"
#include "cli/paths.h"
#include "core/chain.h"
#include "core/remedy.h"

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

/// A root under the name that was given, and without links.
struct Root {
  std::string name;
  std::string real;
};

/// `rest` is empty or starts with a slash.
std::string below(const std::string& root, const std::string& rest) {
  return rest.empty() ? root : root == "/" ? rest : root + rest;
}

void walk_tree(const Root& root, const Filesystem& filesystem, const StateVisitor& visit,
               std::vector<Unexamined>& unexamined) {
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string rest = std::move(waiting.back());
    waiting.pop_back();
    const std::string name = below(root.name, rest);
    const Result<ActualState> state = state_of(below(root.real, rest), filesystem);
    if (!state) {
      unexamined.push_back({name, state.error});
      continue;
    }
    if (!has_permissions(state.value.file.type)) {
      if (rest.empty()) unexamined.push_back({name, EINVAL});
      continue;
    }
    visit(name, state.value);
    if (state.value.file.type != FileType::directory) continue;
    auto names = filesystem.list(state.value.path, std::numeric_limits<std::size_t>::max());
    if (!names) unexamined.push_back({name, names.error});
    std::sort(names.value.rbegin(), names.value.rend());
    for (const std::string& each : names.value) waiting.push_back(absolute(each, rest));
  }
}

/// Where the files of a desired state are looked for. What was a directory may have become a link:
/// behind it are other files, perhaps of another owner, which are not to be changed.
class Places {
 public:
  Places(const DesiredTree& desired, const Filesystem& filesystem) : filesystem_(filesystem) {
    std::unordered_set<std::string_view> links;
    for (const DesiredEntry& entry : desired.entries) {
      if (entry.link) links.insert(entry.path);
    }
    for (const std::string& root : desired.roots) {
      roots_.push_back({root, links.contains(root) ? followed(root) : in_its_directory(root)});
    }
  }

  const std::vector<Root>& roots() const { return roots_; }

  /// Without links, but for those that were put there since; nullopt: it lies behind such a one.
  std::optional<std::string> find(const std::string& path) {
    const Root* root = root_of(path);
    const std::string top = root ? root->real : "/";
    const std::string real = root ? below(root->real, rest_of(path, root->name)) : path;
    if (real != top && leads_through_link(directory_of(real), top)) return std::nullopt;
    return real;
  }

 private:
  static std::string followed(const std::string& path) {
    const Result<std::string> real = link_free_path(path);
    return real ? real.value : path;
  }

  static std::string in_its_directory(const std::string& path) {
    const std::string directory = directory_of(path);
    return path == "/" ? path : absolute(path.substr(path.rfind('/') + 1), followed(directory));
  }

  static std::string rest_of(const std::string& path, const std::string& root) {
    return root == "/" ? (path == "/" ? "" : path) : path.substr(root.size());
  }

  const Root* root_of(const std::string& path) const {
    const Root* longest = nullptr;
    for (const Root& root : roots_) {
      const bool longer = longest == nullptr || root.name.size() > longest->name.size();
      if (longer && lies_in(path, root.name)) longest = &root;
    }
    return longest;
  }

  bool leads_through_link(const std::string& directory, const std::string& top) {
    if (!lies_in(directory, top)) return false;
    const auto known = links_.find(directory);
    if (known != links_.end()) return known->second;
    const bool above = directory != "/" && leads_through_link(directory_of(directory), top);
    const bool link = above || filesystem_.status(directory).value.type == FileType::symlink;
    links_.emplace(directory, link);
    return link;
  }

  const Filesystem& filesystem_;
  std::vector<Root> roots_;
  std::unordered_map<std::string, bool> links_;  ///< by directory: whether a link is on the way
};

class Comparer {
 public:
  Comparer(const DesiredTree& desired, const Filesystem& filesystem, const Names& names)
      : filesystem_(filesystem), names_(names), places_(desired, filesystem) {}

  void judge(const DesiredEntry& entry) {
    const std::optional<std::string> place = places_.find(entry.path);
    const Result<ActualState> state =
        place ? state_of(*place, filesystem_) : failure<ActualState>(ENOENT);
    const auto type = state ? std::optional(state.value.file.type) : entry.type;
    if (type != FileType::directory) result_.files.insert(entry.path);
    if (state.error == ENOENT || state.error == ENOTDIR) {
      result_.findings.push_back(missing_finding(entry.path));
    } else if (!state) {
      result_.unexamined.push_back({entry.path, state.error});
    } else if (is_replaced(entry, state.value.file)) {
      replaced_.insert(entry.path);
      result_.findings.push_back(replaced_finding(names_, entry.path, state.value, entry.type));
    } else {
      auto drift = drift_of(names_, entry.path, state.value, entry.state);
      for (Finding& finding : drift) heed_immutability(filesystem_, finding);
      std::move(drift.begin(), drift.end(), std::back_inserter(result_.findings));
    }
  }

  Comparison take() { return std::move(result_); }

  /// Those in whose place nothing else was put, by the names they were given.
  std::vector<std::string> standing_roots() const {
    std::vector<std::string> names;
    for (const Root& root : places_.roots()) {
      if (!replaced_.contains(root.name)) names.push_back(root.name);
    }
    return names;
  }

 private:
  /// A snapshot holds no link, and nothing else that has no permissions of its own.
  static bool is_replaced(const DesiredEntry& entry, const FileStatus& file) {
    return !has_permissions(file.type) || (entry.type && *entry.type != file.type);
  }

  const Filesystem& filesystem_;
  const Names& names_;
  Places places_;
  Comparison result_;
  std::unordered_set<std::string> replaced_;
};

}  // namespace

DesiredTree read_desired(const std::string& file) {
  errno = 0;
  std::ifstream input(file, std::ios::binary);
  std::string text;
  // A directory can be opened, and an empty file is no failure of reading.
  std::array<char, 65536> part{};
  while (input.read(part.data(), part.size()) || input.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(input.gcount()));
  }
  if (!input.eof()) throw CommandError(file + ": " + std::strerror(errno ? errno : EIO));
  std::string error;
  std::optional<DesiredTree> tree = parse_desired(text, id_of_name, error);
  if (!tree) throw CommandError(file + ": " + error);
  return std::move(*tree);
}

void each_file_below(const std::vector<std::string>& roots, const Filesystem& filesystem,
                     const StateVisitor& visit, std::vector<Unexamined>& unexamined) {
  for (const std::string& root : roots) {
    const Result<std::string> real = link_free_path(root);
    if (!real) {
      unexamined.push_back({root, real.error});
    } else {
      walk_tree({root, real.value}, filesystem, visit, unexamined);
    }
  }
}

Comparison compare(const DesiredTree& desired, const Filesystem& filesystem, const Names& names) {
  Comparer comparer(desired, filesystem, names);
  std::unordered_set<std::string_view> known;
  for (const DesiredEntry& entry : desired.entries) {
    known.insert(entry.path);
    comparer.judge(entry);
  }
  Comparison result = comparer.take();
  std::vector<Unexamined> unseen;
  each_file_below(
      comparer.standing_roots(), filesystem,
      [&](const std::string& name, const ActualState&) {
        if (!known.contains(name)) result.added.push_back(name);
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
