// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/filesystem.h"
#include "core/finding.h"
#include "core/remedy.h"
#include "core/result.h"

namespace permguard {

/// The permissions of one inode.
struct Permission {
  uid_t uid = 0;
  gid_t gid = 0;
  Rights rights;

  bool operator==(const Permission&) const = default;
};

/// A change of one inode: from what was examined to what it is to be.
struct Change {
  std::string path;     ///< absolute and link-free
  FileStatus examined;  ///< device, inode and change time must still be these
  Permission before;
  Permission after;
};

/// A remedy that cannot be planned.
struct Unplanned {
  std::string path;
  int error = 0;  ///< errno of the look; EINVAL: a step that is not understood
};

struct Plan {
  std::vector<Change> changes;
  std::vector<Unplanned> unplanned;
};

/// What `steps`, in their order, make of the files they name: one Change an inode, files before
/// directories and deeper directories before those above, so that nothing is reachable before it
/// is as it should be. Reads the files' present state through `filesystem`.
Plan plan_changes(const Filesystem& filesystem, const std::vector<FixStep>& steps,
                  const IdOfName& id_of_name);

/// Makes one change through a descriptor: the path is opened without following any link
/// (openat2(2), RESOLVE_NO_SYMLINKS), compared with `examined`, then owner, ACL and mode are set
/// through /proc/self/fd (proc(5)). ESTALE: another file stands there, or it was changed since it
/// was examined; ELOOP: a link stands in the path; then nothing is changed. Any other errno is
/// that of the refused call; what was done before it is undone.
int apply_change(const Change& change);

}  // namespace permguard
