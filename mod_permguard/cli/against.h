// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "cli/desired_roots.h"
#include "core/filesystem.h"
#include "core/finding.h"
#include "core/link_free.h"
#include "report/desired.h"
#include "report/json.h"

namespace permguard::cli {

/// Whose snapshots are read: anybody's, to compare with; or those only that nobody but root and the
/// caller may write, to change files by.
enum class Trust : std::uint8_t { anybodys, own };

/// The desired state that `file` holds. Throws CommandError with the file, and what is wrong.
DesiredTree read_desired(const std::string& file, Trust trust);

/// How a tree differs from its desired state.
struct Comparison {
  std::vector<Finding> findings;  ///< drift and missing
  std::vector<Unexamined> unexamined;
  std::vector<PresentRoot> moved;         ///< roots that are not what they were
  std::vector<std::string> added;         ///< files below the roots that the desired state lacks
  std::unordered_set<std::string> files;  ///< that were compared, directories left out
};
/// Files are looked for below the roots as they were, where those still are what they were; else
/// below what stands there now, and no remedy is proposed for them.
Comparison compare(const DesiredTree& desired, const LinkFreeFilesystem& filesystem,
                   const Names& names, uid_t asker);

/// Hears one file or directory with its permissions: its name below the root as that was given, and
/// its state with a path that holds no link.
using StateVisitor = std::function<void(const std::string& name, const ActualState&)>;

/// Every file and directory below `roots`, which are walked by their link-free paths, sorted by
/// name in each directory. Links are left out. What cannot be looked at goes to `unexamined`, also
/// a root that has no permissions of its own. Memory grows with the largest directory.
void each_file_below(const std::vector<DesiredRoot>& roots, const LinkFreeFilesystem& filesystem,
                     const StateVisitor& visit, std::vector<Unexamined>& unexamined);

/// Ids by the name service switch.
std::optional<std::uint32_t> id_of_name(AclEntry::Tag tag, std::string_view name);

}  // namespace permguard::cli
