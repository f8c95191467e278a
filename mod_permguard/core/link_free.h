// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/filesystem.h"
#include "core/result.h"

namespace permguard {

/// What an absolute path without ".." names, held open (O_PATH), so that all that is asked of it
/// and done to it concerns one inode. No link is followed on the way: a component that became one
/// is ELOOP or ENOTDIR; only the last may be a link, which is then held itself.
class LinkFreeFile {
 public:
  explicit LinkFreeFile(const std::string& path);
  LinkFreeFile(LinkFreeFile&& other) noexcept;
  ~LinkFreeFile();
  LinkFreeFile(const LinkFreeFile&) = delete;
  LinkFreeFile& operator=(const LinkFreeFile&) = delete;

  /// The errno of the refused open, or 0.
  int error() const { return error_; }
  int descriptor() const { return descriptor_; }
  /// A path of this very inode: proc(5), /proc/PID/fd.
  const std::string& name() const { return name_; }

  Result<FileStatus> status() const;
  /// How many names it has; 0 where that cannot be learnt.
  std::uint64_t hard_links() const;
  /// As Filesystem has them.
  Result<std::optional<Acl>> acl() const;
  Result<std::optional<Acl>> default_acl() const;
  int each_name(const NameVisitor& visit) const;

 private:
  int descriptor_ = -1;
  int error_ = 0;
  std::string name_;
};

/// The system's files, without following any link, neither in the middle of a path: what another
/// user puts into the place of a directory while we look is ELOOP or ENOTDIR.
class LinkFreeFilesystem : public SystemFilesystem {
 public:
  Result<FileStatus> status(const std::string& path) const override;
  Result<std::optional<Acl>> acl(const std::string& path) const override;
  Result<std::optional<Acl>> default_acl(const std::string& path) const override;
  int each_name(const std::string& path, const NameVisitor& visit) const override;
};

/// The system's files for a walk of trees: directories are listed through no link but those that
/// lead to the trees' tops. Whoever may rename in a tree could else show each of its directories in
/// the place of the one below, and the walk would never end.
class TreeFilesystem : public SystemFilesystem {
 public:
  /// `root` as SystemFilesystem has it; `tops` are the trees' paths below it.
  TreeFilesystem(std::string root, std::vector<std::string> tops);

  int each_name(const std::string& path, const NameVisitor& visit) const override;

 private:
  const std::string& top_of(const std::string& path) const;

  std::string root_;
  std::vector<std::string> tops_;
};

/// Opens `path` (absolute) component by component from directory `top`, which "/" stands for, each
/// with O_NOFOLLOW: for kernels before 5.6 and sandboxes without openat2(2). The descriptor, or -1
/// and errno.
int open_by_components(int top, const std::string& path);

/// A link that somebody put there who could lead us anywhere.
struct ForeignLink {
  std::string path;  ///< link-free up to the link itself
  uid_t owner = 0;
};

/// Where a path leads if only links of root and of `asker` are followed.
struct TrustedWay {
  int error = 0;                         ///< errno that ended the way
  std::optional<ForeignLink> foreign{};  ///< ends the way too
  std::vector<std::string> places{};     ///< link-free paths that were passed, the end last
  FileStatus end{};                      ///< of what stands at the last place

  bool reached() const { return error == 0 && !foreign; }
  const std::string& resolved() const { return places.back(); }
};

/// Follows `path` (absolute) from descriptor to descriptor. Owner and text of a link are those of
/// one inode, so that nobody can exchange the one for the other between two looks. `root` is put
/// before the path, as in SystemFilesystem; no link leads out of it.
TrustedWay follow_trusted(const std::string& path, uid_t asker, const std::string& root = {});

}  // namespace permguard
