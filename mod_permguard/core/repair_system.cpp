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
constexpr const char* kDefaultAcl = "system.posix_acl_default";

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

int set_acl(const Handle& handle, const char* kind, const std::optional<Acl>& acl) {
  if (!acl) {
    const int result = removexattr(handle.name(), kind);
    return result == 0 || errno == ENODATA || errno == ENOTSUP ? 0 : errno;
  }
  const std::string bytes = encode_acl(*acl);
  return setxattr(handle.name(), kind, bytes.data(), bytes.size(), 0) == 0 ? 0 : errno;
}

int set_mode(const Handle& handle, unsigned mode) {
  return chmod(handle.name(), mode) == 0 ? 0 : errno;
}

/// While the owner changes, the classes mean other people: until all is set they have less.
int set_owner(const Handle& handle, const Permission& from, const Permission& to) {
  if (from.uid == to.uid && from.gid == to.gid) return 0;
  if (const int error = set_mode(handle, narrowed(from, to).rights.mode)) return error;
  const int result = fchownat(handle.descriptor(), "", to.uid, to.gid, AT_EMPTY_PATH);
  return result == 0 ? 0 : errno;
}

/// An ACL that goes leaves its mask in the group digit, so the digit is set before.
int set_acls(const Handle& handle, const Permission& from, const Permission& to) {
  if (from.rights.acl != to.rights.acl) {
    const int narrow = to.rights.acl ? 0 : set_mode(handle, to.rights.mode);
    const int error = narrow != 0 ? narrow : set_acl(handle, kAccessAcl, to.rights.acl);
    if (error != 0) return error;
  }
  return from.default_acl == to.default_acl ? 0 : set_acl(handle, kDefaultAcl, to.default_acl);
}

/// Owner first, because chown(2) clears setuid and setgid; the mode last.
int set_permission(const Handle& handle, const Permission& from, const Permission& to) {
  if (const int error = set_owner(handle, from, to)) return error;
  if (const int error = set_acls(handle, from, to)) return error;
  return set_mode(handle, to.rights.mode);
}

/// The file as it now is, for the next change of it.
void read_status(const Handle& handle, FileStatus& status) {
  struct stat seen {};
  if (fstat(handle.descriptor(), &seen) != 0) return;
  status.changed = seen.st_ctim.tv_sec;
  status.changed_ns = static_cast<std::int32_t>(seen.st_ctim.tv_nsec);
}

}  // namespace

int apply_change(const Change& change, FileStatus* status) {
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
  } else if (status != nullptr) {
    read_status(handle, *status);
  }
  return error;
}

}  // namespace permguard
