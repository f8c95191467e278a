// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace permguard {

enum class FileType : std::uint8_t {
  regular,
  directory,
  symlink,
  fifo,
  socket,
  character_device,
  block_device,
  unknown
};

/// The kernel's permission bits of one class: r is 4, w is 2, x is 1. The same numbers are
/// used for access(2), for ACL entries and for one octal digit of a mode.
using Permissions = unsigned;
inline constexpr Permissions kRead = 4;
inline constexpr Permissions kWrite = 2;
inline constexpr Permissions kExecute = 1;

/// What lstat(2) says of one file. Times are the inode change time: neither chmod nor a
/// write can leave it as it was, and no system call can set it.
struct FileStatus {
  FileType type = FileType::unknown;
  unsigned mode = 0;  ///< permission bits with setuid, setgid and sticky: st_mode & 07777
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;       ///< bytes
  std::int64_t changed = 0;     ///< st_ctim, whole seconds since the epoch
  std::int32_t changed_ns = 0;  ///< nanoseconds within that second

  bool operator==(const FileStatus&) const = default;
};

/// One entry of an access ACL, acl(5). `id` is the uid or gid of a named entry, else 0.
struct AclEntry {
  enum class Tag : std::uint8_t { user_obj, user, group_obj, group, mask, other };
  Tag tag = Tag::other;
  std::uint32_t id = 0;
  Permissions perms = 0;

  bool operator==(const AclEntry&) const = default;
};

/// An extended access ACL. A file that has only mode bits has none: std::nullopt.
using Acl = std::vector<AclEntry>;

/// The mount a file lies on, as statvfs(3) and /proc/self/mountinfo describe it.
struct Mount {
  bool noexec = false;
  bool nosuid = false;
  bool read_only = false;
  bool nosymfollow = false;  ///< no link that lies on it is followed (ELOOP): mount(8), Linux 5.10
  bool acls = true;          ///< its file system can keep POSIX ACLs
  std::string point{};       ///< mount point; empty where it could not be learnt
  std::string fstype{};      ///< "ext4", "tmpfs", …; empty where it could not be learnt
};

}  // namespace permguard
