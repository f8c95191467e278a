// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/filesystem.h"
#include "core/repair.h"

namespace permguard {
namespace {

constexpr const char* kAccessAcl = "system.posix_acl_access";

/// An O_PATH descriptor and the one name by which its inode can be changed.
class Handle {
 public:
  explicit Handle(const std::string& path) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_NO_SYMLINKS;
    descriptor_ = static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
    error_ = descriptor_ < 0 ? errno : 0;
    name_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  ~Handle() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  int error() const { return error_; }
  int descriptor() const { return descriptor_; }
  const char* name() const { return name_.c_str(); }

 private:
  int descriptor_ = -1;
  int error_ = 0;
  std::string name_;
};

int compare(const Handle& handle, const FileStatus& examined) {
  struct stat seen {};
  if (fstat(handle.descriptor(), &seen) != 0) {
    return errno;
  }
  const bool same = seen.st_dev == examined.device && seen.st_ino == examined.inode &&
                    seen.st_ctim.tv_sec == examined.changed &&
                    seen.st_ctim.tv_nsec == examined.changed_ns &&
                    (S_ISREG(seen.st_mode) || S_ISDIR(seen.st_mode) || S_ISSOCK(seen.st_mode));
  return same ? 0 : ESTALE;
}

int set_acl(const Handle& handle, const std::optional<Acl>& acl) {
  if (!acl) {
    const int result = removexattr(handle.name(), kAccessAcl);
    return result == 0 || errno == ENODATA || errno == ENOTSUP ? 0 : errno;
  }
  const std::string bytes = encode_acl(*acl);
  return setxattr(handle.name(), kAccessAcl, bytes.data(), bytes.size(), 0) == 0 ? 0 : errno;
}

/// Owner first, because chown(2) clears setuid and setgid; the ACL before the mode, because
/// removing one leaves its mask in the group digit.
int set_permission(const Handle& handle, const Permission& from, const Permission& to) {
  if ((from.uid != to.uid || from.gid != to.gid) &&
      fchownat(handle.descriptor(), "", to.uid, to.gid, AT_EMPTY_PATH) != 0) {
    return errno;
  }
  if (from.rights.acl != to.rights.acl) {
    if (const int error = set_acl(handle, to.rights.acl)) {
      return error;
    }
  }
  return chmod(handle.name(), to.rights.mode) == 0 ? 0 : errno;
}

}  // namespace

int apply_change(const Change& change) {
  const Handle handle(change.path);
  if (handle.error() != 0) {
    return handle.error();
  }
  if (const int error = compare(handle, change.examined)) {
    return error;
  }
  const int error = set_permission(handle, change.before, change.after);
  if (error != 0) {
    set_permission(handle, change.after, change.before);
  }
  return error;
}

}  // namespace permguard
