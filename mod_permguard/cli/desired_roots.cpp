// SPDX-License-Identifier: Apache-2.0
#include "cli/desired_roots.h"

#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/chain.h"
#include "core/identity.h"
#include "core/link_free.h"

namespace permguard::cli {
namespace {

std::string quoted(const std::string& path) {
  return "'" + path + "'";
}

std::string inode_words(std::uint64_t device, std::uint64_t inode) {
  return "device " + std::to_string(device) + ", inode " + std::to_string(inode);
}

/// `now` is what the root leads to.
std::string difference(const DesiredRoot& then, const DesiredRoot& now) {
  if (now.real != then.real) {
    return "leads to " + quoted(now.real) + ", and led to " + quoted(then.real) +
           " when the snapshot was taken";
  }
  if (now.device == then.device && now.inode == then.inode) return {};
  return "is not what it was when the snapshot was taken: " + inode_words(now.device, now.inode) +
         " now, " + inode_words(then.device, then.inode) + " then";
}

/// The part of a root's path whose links are followed: not the last component where that was none,
/// so that a link in its place is seen as one.
struct Ends {
  std::string followed;
  std::string kept;  ///< empty, or a slash and a name

  Ends(const std::string& path, bool was_link) : followed(path) {
    if (was_link || path == "/") return;
    followed = directory_of(path);
    kept = path.substr(path.rfind('/'));
  }
  std::string at(const std::string& real) const {
    return kept.empty() ? real : (real == "/" ? "" : real) + kept;
  }
};

/// For a snapshot that does not say what its roots were.
void distrust(PresentRoot& root, const Ends& ends, uid_t asker) {
  const TrustedWay way = follow_trusted(ends.followed, asker);
  if (way.reached()) root.place = ends.at(way.resolved());
  if (!way.foreign) return;
  root.moved = "leads through " + quoted(way.foreign->path) + ", a link of " +
               SystemNames().user(way.foreign->owner) +
               ", and the snapshot does not say where it led";
}

/// Looked at only: nothing there is to be changed.
std::string place_of_moved(const Ends& ends, const std::string& path) {
  const Result<std::string> real = link_free_path(ends.followed);
  return real ? ends.at(real.value) : path;
}

PresentRoot present(const DesiredRoot& then, bool was_link, uid_t asker) {
  PresentRoot root{then, {}, then.path, {}};
  const Ends ends(then.path, was_link);
  const Result<DesiredRoot> now = root_at(then.path);
  if (now) root.real = now.value.real;
  if (then.real.empty()) {
    distrust(root, ends, asker);
  } else if (now) {
    root.place = then.real;
    root.moved = difference(then, now.value);
  }
  if (!root.moved.empty()) root.place = place_of_moved(ends, then.path);
  return root;
}

}  // namespace

Result<DesiredRoot> root_at(const std::string& path) {
  Result<std::string> real = link_free_path(path);
  if (!real) return failure<DesiredRoot>(real.error);
  const Result<FileStatus> file = LinkFreeFilesystem().status(real.value);
  if (!file) return failure<DesiredRoot>(file.error);
  return {0, {path, std::move(real.value), file.value.device, file.value.inode}};
}

std::vector<PresentRoot> present_roots(const DesiredTree& desired, uid_t asker) {
  std::unordered_set<std::string_view> links;
  for (const DesiredEntry& entry : desired.entries) {
    if (entry.link) links.insert(entry.path);
  }
  std::vector<PresentRoot> roots;
  for (const DesiredRoot& root : desired.roots) {
    roots.push_back(present(root, links.contains(root.path), asker));
  }
  return roots;
}

std::string words_of(const PresentRoot& root) {
  const std::string words = quoted(root.then.path) + " " + root.moved;
  return root.real.empty() ? words
                           : words + "; name " + quoted(root.real) + " instead, in a new snapshot";
}

}  // namespace permguard::cli
