// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/link_free.h"
#include "core/repair.h"
#include "core/system_look.h"

namespace permguard {
namespace {

/// The permissions that `file` has now.
Result<Permission> permission_of(const LinkFreeFile& file) {
  const Result<FileStatus> status = file.status();
  const Result<std::optional<Acl>> acl = file.acl();
  const Result<std::optional<Acl>> fallback = file.default_acl();
  for (const int error : {status.error, acl.error, fallback.error}) {
    if (error != 0) return failure<Permission>(error);
  }
  return {0, {status.value.uid, status.value.gid, {status.value.mode, acl.value}, fallback.value}};
}

bool is_changeable(FileType type) {
  return type == FileType::regular || type == FileType::directory || type == FileType::socket;
}

bool is_same(const FileStatus& now, const FileStatus& then) {
  return now.device == then.device && now.inode == then.inode && now.changed == then.changed &&
         now.changed_ns == then.changed_ns && is_changeable(now.type);
}

/// Status and ACL were examined by two looks, between which somebody may have exchanged a directory
/// above for another and back: so the permissions are compared too, of the one inode that is held.
int compare(const LinkFreeFile& file, const Change& change, const ApplyOptions& options) {
  const Result<FileStatus> now = file.status();
  if (!now) return now.error;
  if (!is_same(now.value, change.examined)) return ESTALE;
  const bool directory = now.value.type == FileType::directory;
  if (!options.hard_links && !directory && file.hard_links() > 1) return EMLINK;
  const Result<Permission> permission = permission_of(file);
  return !permission ? permission.error : permission.value == change.before ? 0 : ESTALE;
}

int set_acl(const LinkFreeFile& file, const char* kind, const std::optional<Acl>& acl) {
  if (!acl) {
    const int result = removexattr(file.name().c_str(), kind);
    return result == 0 || errno == ENODATA || errno == ENOTSUP ? 0 : errno;
  }
  const std::string bytes = encode_acl(*acl);
  return setxattr(file.name().c_str(), kind, bytes.data(), bytes.size(), 0) == 0 ? 0 : errno;
}

int set_mode(const LinkFreeFile& file, unsigned mode) {
  return chmod(file.name().c_str(), mode) == 0 ? 0 : errno;
}

/// While the owner changes, the classes mean other people: until all is set they have less.
int set_owner(const LinkFreeFile& file, const Permission& from, const Permission& to) {
  if (from.uid == to.uid && from.gid == to.gid) return 0;
  if (const int error = set_mode(file, narrowed(from, to).rights.mode)) return error;
  const int result = fchownat(file.descriptor(), "", to.uid, to.gid, AT_EMPTY_PATH);
  return result == 0 ? 0 : errno;
}

/// An ACL that goes leaves its mask in the group digit, so the digit is set before.
int set_acls(const LinkFreeFile& file, const Permission& from, const Permission& to) {
  if (from.rights.acl != to.rights.acl) {
    const int narrow = to.rights.acl ? 0 : set_mode(file, to.rights.mode);
    const int error = narrow != 0 ? narrow : set_acl(file, kAccessAcl, to.rights.acl);
    if (error != 0) return error;
  }
  return from.default_acl == to.default_acl ? 0 : set_acl(file, kDefaultAcl, to.default_acl);
}

/// Owner first, because chown(2) clears setuid and setgid; the mode last.
int set_permission(const LinkFreeFile& file, const Permission& from, const Permission& to) {
  if (const int error = set_owner(file, from, to)) return error;
  if (const int error = set_acls(file, from, to)) return error;
  return set_mode(file, to.rights.mode);
}

/// Sets what `to` says; kIgnored where it then is not so.
int change_to(const LinkFreeFile& file, const Permission& from, const Permission& to) {
  if (const int error = set_permission(file, from, to)) return error;
  const Result<Permission> now = permission_of(file);
  return !now ? now.error : now.value == to ? 0 : kIgnored;
}

}  // namespace

int apply_change(const Change& change, const ApplyOptions& options, FileStatus* status) {
  const LinkFreeFile file(change.path);
  if (file.error() != 0) return file.error();
  if (const int error = compare(file, change, options)) return error;
  const int error = change_to(file, change.before, change.after);
  if (error != 0) {
    set_permission(file, change.after, change.before);
  } else if (status != nullptr) {
    *status = file.status().value;
  }
  return error;
}

}  // namespace permguard
