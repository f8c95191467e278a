// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/access.h"
#include "core/filesystem.h"
#include "core/finding.h"
#include "core/identity.h"

namespace permguard {

/// The kernel's limit on links followed in one look-up: MAXSYMLINKS, path_resolution(7).
inline constexpr unsigned kMaxLinks = 40;

/// One inode the kernel looks at on its way, in its order; one that is met again (by ".." or a
/// link) is not repeated, unless it is the walk's end.
struct Step {
  std::string path;  ///< link-free path by which it was reached
  FileStatus status;
  std::optional<Acl> acl;
  std::string link_target;  ///< text of a symbolic link
  AccessDecision search;    ///< directories: whether the identity may pass
  bool last = false;        ///< the walk's end: what the whole path names
};

/// Something that keeps the identity from reaching the end.
struct WalkFault {
  Code code = Code::not_found;
  std::string path{};  ///< the culprit: directory, link, or the path that is missing
  std::optional<FileStatus> file{};
  AccessDecision decision{};  ///< of a search-denied
  int error = 0;              ///< the errno the kernel gives for it
  std::string detail{};       ///< as Finding::detail: a link's text, the reason of lsm-denied
};

/// A path, component by component, links followed by hand.
struct Walk {
  std::vector<Step> steps;        ///< begins with "/"
  std::vector<WalkFault> faults;  ///< in the kernel's order
  std::string resolved;           ///< link-free path of the end; empty where it was not reached
  bool complete = false;          ///< the end was seen
  int blocked = 0;                ///< errno that kept *this process* from looking further; 0: none

  /// The end's step; null unless complete.
  const Step* end() const { return complete && !steps.empty() ? &steps.back() : nullptr; }
};

struct WalkOptions {
  std::string directory{};  ///< where a relative path starts; absolute, link-free not needed
  bool protected_symlinks = false;  ///< fs.protected_symlinks is 1: proc_sys_fs(5)
};

/// Walks `path` as `who`. A directory `who` may not search is a fault, and the walk goes on
/// beyond it as far as the calling process itself can look, so that all faults that can be
/// seen are found. Faults: search-denied, not-found, dangling-symlink (the culprit is the
/// link), symlink-loop (more than 40 links, or one on a nosymfollow mount), not-a-directory,
/// name-too-long (a component over 255 bytes, or the path over 4,095: path_resolution(7)),
/// lsm-denied (where protected_symlinks refuses a link in a sticky, world-writable directory, which
/// concerns only links that end the path). Repeated slashes, "." and ".." are as the kernel treats
/// them; a trailing slash asks for a directory.
Walk walk_path(const Filesystem& filesystem, const std::string& path, const Identity& who,
               const WalkOptions& options = {});

/// Finding::hint of what lies beyond such a way.
inline constexpr char kSeenFromHere[] =
    "as seen from here: a way through /proc leads each process elsewhere";

/// Whether the way leads through procfs, wherever that is mounted: by a process's own links
/// (proc(5): self, thread-self, PID, cwd, root, exe, fd, task), also those of /dev/fd, which
/// another process follows elsewhere.
bool hangs_on_process(const Filesystem& filesystem, const Walk& walk);

}  // namespace permguard
