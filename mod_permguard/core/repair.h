// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
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
  std::optional<Acl> default_acl{};

  bool operator==(const Permission&) const = default;
};

/// A change of one inode: from what was examined to what it is to be.
struct Change {
  std::string path;     ///< absolute and link-free
  FileStatus examined;  ///< device, inode and change time must still be these
  Permission before;
  Permission after;
  std::vector<FixStep> steps{};  ///< that make the one of the other
};

/// A remedy that cannot be planned.
struct Unplanned {
  std::string path;
  int error = 0;  ///< errno of the look; ESTALE: it is another file, or was changed, since it was
                  ///< examined; EINVAL: a step that is not understood
};

struct Plan {
  std::vector<Change> changes;
  std::vector<Unplanned> unplanned;
};

/// What was examined, by path.
using Examined = std::map<std::string, FileStatus>;

/// What `steps`, in their order, make of the files they name: one Change an inode, whatever names
/// it has (the first one is kept), files before directories and deeper directories before those
/// above. Reads the files' present state through `filesystem`; it must be that of `examined`, where
/// that names the file, and the step's inode.
Plan plan_changes(const Filesystem& filesystem, const std::vector<FixStep>& steps,
                  const IdOfName& id_of_name, const Examined& examined = {});

/// What may be changed.
struct ApplyOptions {
  bool hard_links = false;  ///< also files that have several names, which may lie anywhere
};

/// No errno: every call succeeded, and the file is not as it should be, since its file system (FAT,
/// a shared folder) keeps no such permissions; or without a word, as chmod(2) does with a setgid
/// bit of a foreign group.
inline constexpr int kIgnored = -1;

/// Makes all changes in the order that never opens a window: at no moment has anybody a right that
/// he has neither before nor after. First the directories that are to be narrower are narrowed,
/// from above; then the files are changed; last the directories that are to be wider are widened,
/// from below, and those only whose contents are as they should be. The errno of each change, as
/// apply_change(); ECANCELED: as it was, or narrowed only, because a change below or above it was
/// refused.
std::vector<int> apply_plan(const std::vector<Change>& changes, const ApplyOptions& options = {});

/// Makes one change through a descriptor: the path is opened without following any link
/// (LinkFreeFile), compared with `examined` and `before`, then owner, ACL and mode are set through
/// /proc/self/fd (proc(5)), and looked at again. ESTALE: another file stands there, or it was
/// changed since it was examined; ELOOP: a link stands in the path; EMLINK: it has several names;
/// then nothing is changed. kIgnored, or the errno of the refused call: what was done is undone.
/// `status`, where given, is the file as it then is.
int apply_change(const Change& change, const ApplyOptions& options = {},
                 FileStatus* status = nullptr);

/// Whether `after` takes a right from somebody who has it by `before`.
bool takes_away(const Permission& before, const Permission& after);

/// A state of the same owner in which nobody has more than by `before`, nor more than by `after`.
Permission narrowed(const Permission& before, const Permission& after);

}  // namespace permguard
