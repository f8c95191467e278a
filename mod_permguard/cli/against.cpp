// SPDX-License-Identifier: Apache-2.0
#include "cli/against.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cli/command.h"
#include "cli/paths.h"
#include "core/chain.h"
#include "core/link_free.h"
#include "core/remedy.h"
#include "core/system_look.h"

namespace permguard::cli {
namespace {

bool has_permissions(FileType type) {
  return type == FileType::regular || type == FileType::directory || type == FileType::socket;
}

/// Of one inode, whatever is renamed meanwhile.
Result<ActualState> state_of(const std::string& path) {
  const LinkFreeFile held(path);
  const Result<FileStatus> file = held.status();
  if (!file) return failure<ActualState>(file.error);
  if (!has_permissions(file.value.type)) return {0, {path, file.value, {}}};
  const Result<std::optional<Acl>> acl = held.acl();
  const Result<std::optional<Acl>> fallback = held.default_acl();
  if (!acl || !fallback) return failure<ActualState>(acl ? fallback.error : acl.error);
  return {0, {path, file.value, acl.value, fallback.value}};
}

/// `rest` is empty or starts with a slash.
std::string below(const std::string& root, const std::string& rest) {
  return rest.empty() ? root : root == "/" ? rest : root + rest;
}

void walk_tree(const DesiredRoot& root, const LinkFreeFilesystem& filesystem,
               const StateVisitor& visit, std::vector<Unexamined>& unexamined) {
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string rest = std::move(waiting.back());
    waiting.pop_back();
    const std::string name = below(root.path, rest);
    const Result<ActualState> state = state_of(below(root.real, rest));
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
  Places(const DesiredTree& desired, const LinkFreeFilesystem& filesystem, uid_t asker)
      : filesystem_(filesystem), roots_(present_roots(desired, asker)) {}

  const std::vector<PresentRoot>& roots() const { return roots_; }

  /// The root that moved, of which `path` was a part; else null.
  const PresentRoot* moved(const std::string& path) const {
    const PresentRoot* root = root_of(path);
    return root != nullptr && !root->moved.empty() ? root : nullptr;
  }

  /// Without links, but for those that were put there since; nullopt: it lies behind such a one.
  std::optional<std::string> find(const std::string& path) {
    const PresentRoot* root = root_of(path);
    const std::string top = root ? root->place : "/";
    const std::string real = root ? below(root->place, rest_of(path, root->then.path)) : path;
    if (real != top && leads_through_link(directory_of(real), top)) return std::nullopt;
    return real;
  }

 private:
  static std::string rest_of(const std::string& path, const std::string& root) {
    return root == "/" ? (path == "/" ? "" : path) : path.substr(root.size());
  }

  const PresentRoot* root_of(const std::string& path) const {
    const PresentRoot* longest = nullptr;
    for (const PresentRoot& root : roots_) {
      const bool longer = longest == nullptr || root.then.path.size() > longest->then.path.size();
      if (longer && lies_in(path, root.then.path)) longest = &root;
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

  const LinkFreeFilesystem& filesystem_;
  std::vector<PresentRoot> roots_;
  std::unordered_map<std::string, bool> links_;  ///< by directory: whether a link is on the way
};

Result<std::string> read_all(int input) {
  std::string text;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t got = read(input, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure<std::string>(errno);
    if (got == 0) return {0, std::move(text)};
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

/// Whether an entry of an ACL lets somebody write whom mode and owner do not name.
bool named_may_write(int input) {
  const Result<std::optional<Acl>> acl =
      read_acl("/proc/self/fd/" + std::to_string(input), kAccessAcl, true);
  if (!acl) return true;  // who may write it is not known
  const Acl entries = acl.value.value_or(Acl{});
  return std::any_of(entries.begin(), entries.end(), [](const AclEntry& entry) {
    const bool named = entry.tag == AclEntry::Tag::user || entry.tag == AclEntry::Tag::group;
    return named && (entry.perms & kWrite) != 0;
  });
}

/// Who else may write it says what is changed. An ACL's mask is the mode's group digit.
void refuse_a_stranger(int input, const struct stat& seen, const std::string& file) {
  const bool own = seen.st_uid == 0 || seen.st_uid == geteuid();
  const bool own_group = seen.st_gid == 0 || seen.st_gid == getegid();
  const bool group_writes = (seen.st_mode & S_IWGRP) != 0;
  const bool others_write = (seen.st_mode & S_IWOTH) != 0 || (group_writes && !own_group) ||
                            (group_writes && named_may_write(input));
  if (own && !others_write) return;
  throw CommandError(
      file + ": " +
      (own ? "others may write it" : "it belongs to " + SystemNames().user(seen.st_uid)) +
      ", who would say what is changed here; read it, then make a copy of your own");
}

/// Whether a component of `path` leads elsewhere than its name says.
bool has_dots(const std::string& path) {
  const std::string whole = path + '/';
  return whole.find("/../") != std::string::npos || whole.find("/./") != std::string::npos;
}

/// An entry that no snapshot of these roots has. What undoes changes has no roots.
void refuse_outsiders(const DesiredTree& tree, const std::string& file) {
  for (const DesiredEntry& entry : tree.entries) {
    const bool inside = tree.roots.empty() || std::any_of(tree.roots.begin(), tree.roots.end(),
                                                          [&](const DesiredRoot& root) {
                                                            return lies_in(entry.path, root.path);
                                                          });
    if (inside && !has_dots(entry.path)) continue;
    throw CommandError(file + ": entry '" + entry.path + "' lies outside the snapshot's roots");
  }
}

constexpr const char* kAnotherRoot =
    "the snapshot was taken of another directory; take one of this before anything is restored";

class Comparer {
 public:
  Comparer(const DesiredTree& desired, const LinkFreeFilesystem& filesystem, const Names& names,
           uid_t asker)
      : filesystem_(filesystem), names_(names), places_(desired, filesystem, asker) {
    for (const PresentRoot& root : places_.roots()) {
      if (!root.moved.empty()) result_.moved.push_back(root);
    }
  }

  void judge(const DesiredEntry& entry) {
    const std::optional<std::string> place = places_.find(entry.path);
    const Result<ActualState> state = place ? state_of(*place) : failure<ActualState>(ENOENT);
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
      const bool meant = places_.moved(entry.path) == nullptr;
      for (Finding& finding : drift) {
        if (!meant) finding.remedy = {{}, kAnotherRoot};
        heed_immutability(filesystem_, finding);
      }
      std::move(drift.begin(), drift.end(), std::back_inserter(result_.findings));
    }
  }

  Comparison take() { return std::move(result_); }

  /// Those in whose place nothing else was put, by the names they were given.
  std::vector<DesiredRoot> standing_roots() const {
    std::vector<DesiredRoot> standing;
    for (const PresentRoot& root : places_.roots()) {
      if (!replaced_.contains(root.then.path)) standing.push_back({root.then.path, root.place});
    }
    return standing;
  }

 private:
  /// A snapshot holds no link, and nothing else that has no permissions of its own.
  static bool is_replaced(const DesiredEntry& entry, const FileStatus& file) {
    return !has_permissions(file.type) || (entry.type && *entry.type != file.type);
  }

  const LinkFreeFilesystem& filesystem_;
  const Names& names_;
  Places places_;
  Comparison result_;
  std::unordered_set<std::string> replaced_;
};

}  // namespace

DesiredTree read_desired(const std::string& file, Trust trust) {
  // Neither a FIFO nor a device may hold this up: open(2), O_NONBLOCK.
  const Descriptor input(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat seen {};
  if (!input.valid() || fstat(input.number(), &seen) != 0)
    throw CommandError(file + ": " + std::strerror(errno));
  if (S_ISDIR(seen.st_mode)) throw CommandError(file + ": " + std::strerror(EISDIR));
  if (!S_ISREG(seen.st_mode)) throw CommandError(file + ": is no regular file");
  if (trust == Trust::own) refuse_a_stranger(input.number(), seen, file);
  const Result<std::string> text = read_all(input.number());
  if (!text) throw CommandError(file + ": " + std::strerror(text.error));
  std::string error;
  std::optional<DesiredTree> tree = parse_desired(text.value, id_of_name, error);
  if (!tree) throw CommandError(file + ": " + error);
  refuse_outsiders(*tree, file);
  return std::move(*tree);
}

void each_file_below(const std::vector<DesiredRoot>& roots, const LinkFreeFilesystem& filesystem,
                     const StateVisitor& visit, std::vector<Unexamined>& unexamined) {
  for (const DesiredRoot& root : roots) walk_tree(root, filesystem, visit, unexamined);
}

Comparison compare(const DesiredTree& desired, const LinkFreeFilesystem& filesystem,
                   const Names& names, uid_t asker) {
  Comparer comparer(desired, filesystem, names, asker);
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
