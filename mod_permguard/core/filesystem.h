// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_status.h"
#include "core/result.h"

namespace permguard {

/// Hears one name of a directory; false ends the listing.
using NameVisitor = std::function<bool(std::string_view)>;

/// The read-only seam between the engine and a disk. All paths are absolute and byte strings
/// without NUL. No member changes anything, follows a final symbolic link unless it says so,
/// or blocks on a FIFO or device. `error` in a result is the errno of the refused call.
class Filesystem {
 public:
  virtual ~Filesystem() = default;

  /// lstat(2) of `path`.
  virtual Result<FileStatus> status(const std::string& path) const = 0;

  /// stat(2) of `path`: links are followed by the kernel, inside the root of this view.
  virtual Result<FileStatus> target_status(const std::string& path) const = 0;

  /// readlink(2) of `path`: the link's text.
  virtual Result<std::string> read_link(const std::string& path) const = 0;

  /// The extended access ACL of `path` (never a link), or nullopt where it has only mode bits
  /// or the file system has no ACLs. An ACL that is there and cannot be read is an error.
  virtual Result<std::optional<Acl>> acl(const std::string& path) const = 0;

  /// The mount `path` (never a link) lies on. Its options come from statvfs(3), `acls` from the
  /// answer to a question for an ACL.
  virtual Result<Mount> mount(const std::string& path) const = 0;

  /// Whether the kernel follows the links in `directory`: not where it is mounted nosymfollow.
  /// Cheaper than mount().
  virtual bool follows_links(const std::string& directory) const;

  /// Whether nobody, root neither, may change mode, owner or ACL of `path` (never a link): an
  /// immutable or append-only file, chattr(1). False where that cannot be learnt.
  virtual bool is_immutable(const std::string& path) const;

  /// The first `count` bytes of the regular file `path` (fewer where it is shorter), starting
  /// at byte `offset`. Opened O_NONBLOCK and O_NOCTTY, links followed. EINVAL: not regular.
  virtual Result<std::string> read(const std::string& path, std::size_t offset,
                                   std::size_t count) const = 0;

  /// The ACL that files made in directory `path` get (setfacl -d), or nullopt where there is none
  /// or `path` is no directory.
  virtual Result<std::optional<Acl>> default_acl(const std::string& path) const = 0;

  /// The names in directory `path` without "." and "..", in no order, while they are read, so
  /// that memory does not grow with their number. Returns 0 or an errno, also of a later read.
  virtual int each_name(const std::string& path, const NameVisitor& visit) const = 0;

  /// The first `limit` of them.
  Result<std::vector<std::string>> list(const std::string& path, std::size_t limit) const;

  /// The value of extended attribute `name` of `path`, for the labels of security modules
  /// ("security.selinux"). Errors: ENODATA none, ENOTSUP.
  virtual Result<std::string> attribute(const std::string& path, const std::string& name) const = 0;

  /// The same of what `path` leads to: links are followed as by target_status().
  virtual Result<std::string> target_attribute(const std::string& path,
                                               const std::string& name) const = 0;
};

/// The running kernel's file systems, seen by the calling process; `root` ("" or an absolute
/// path such as "/proc/PID/root") is put before every path, so that a chroot or another mount
/// namespace can be examined: links are followed by the caller, never by the kernel, so an
/// absolute link cannot lead out of `root`.
class SystemFilesystem : public Filesystem {
 public:
  explicit SystemFilesystem(std::string root = {}) : root_(std::move(root)) {}

  Result<FileStatus> status(const std::string& path) const override;
  Result<FileStatus> target_status(const std::string& path) const override;
  Result<std::string> read_link(const std::string& path) const override;
  Result<std::optional<Acl>> acl(const std::string& path) const override;
  Result<Mount> mount(const std::string& path) const override;
  bool follows_links(const std::string& directory) const override;
  bool is_immutable(const std::string& path) const override;
  Result<std::string> read(const std::string& path, std::size_t offset,
                           std::size_t count) const override;
  Result<std::optional<Acl>> default_acl(const std::string& path) const override;
  int each_name(const std::string& path, const NameVisitor& visit) const override;
  Result<std::string> attribute(const std::string& path, const std::string& name) const override;
  Result<std::string> target_attribute(const std::string& path,
                                       const std::string& name) const override;

 private:
  std::string root_;
};

/// `path` with every link followed, as realpath(3); an errno where that leads nowhere.
Result<std::string> link_free_path(const std::string& path);

/// Whether a walk of `root` that follows no link below it comes by `other`, a name in it: both
/// exist.
bool leads_to(const std::string& root, const std::string& other);

/// The ACL in the kernel's own encoding of system.posix_acl_access (acl(5); struct
/// posix_acl_xattr_header in linux/posix_acl_xattr.h), or nullopt for the minimal ACL that
/// says no more than the mode bits, unless `keep_minimal`: as a default ACL it says something.
/// EINVAL: not such an encoding. Pure.
Result<std::optional<Acl>> decode_acl(const std::string& bytes, bool keep_minimal = false);

/// The same encoding of `acl`, whose entries stand in the order of AclEntry::Tag. Pure.
std::string encode_acl(const Acl& acl);

}  // namespace permguard
