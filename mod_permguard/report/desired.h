// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/drift.h"
#include "core/repair.h"

namespace permguard {

/// The desired state of one file or directory.
struct DesiredEntry {
  std::string path;  ///< absolute
  DesiredState state;
  std::optional<FileType> type{};  ///< regular, directory or socket; older snapshots lack it
  bool link = false;               ///< a root that was named by a link to it
};

/// A directory the snapshot was taken of, and which it was: a link on the way may lead elsewhere
/// since, to files that nobody meant.
struct DesiredRoot {
  std::string path;          ///< as it was named
  std::string real{};        ///< link-free; empty: older snapshots do not say
  std::uint64_t device = 0;  ///< of what stood there
  std::uint64_t inode = 0;
};

/// The document of `permguard snapshot`, for `--against`.
struct DesiredTree {
  std::vector<DesiredRoot> roots;  ///< files there that it lacks are new
  std::vector<DesiredEntry> entries;
};

/// `{"schema":1,"roots":[{"path","real","device","inode"}],
/// "entries":[{"path","type","mode","owner","group","uid","gid","acl"}]}`: "link":true where the
/// path is a link that was followed, mode in octal, acl as setfacl(1) writes it, a default ACL with
/// "d:" before each entry, or null for neither. A path that is not UTF-8 has a member path_base64.
nlohmann::ordered_json desired_json(const DesiredTree& tree, const Names& names);

/// One entry of it.
nlohmann::ordered_json desired_entry_json(const DesiredEntry& entry, const Names& names);

/// The tree such a document stands for. Owner and group go by name where `id_of_name` knows it,
/// else by number, so that a snapshot can serve another machine. On a document that is not one,
/// `error` says what is wrong and where; then nothing is returned.
std::optional<DesiredTree> parse_desired(const std::string& text, const IdOfName& id_of_name,
                                         std::string& error);

/// `before` of every change as a desired tree: the undo of a repair.
DesiredTree undo_of(const std::vector<Change>& changes);

}  // namespace permguard
