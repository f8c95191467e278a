// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/chain.h"
#include "core/filesystem.h"
#include "core/system_look.h"

namespace permguard {
namespace {

constexpr unsigned long kNoSymfollow = 0x2000;  // ST_NOSYMFOLLOW of linux/statfs.h, Linux 5.10

FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::regular;
    case S_IFDIR:
      return FileType::directory;
    case S_IFLNK:
      return FileType::symlink;
    case S_IFIFO:
      return FileType::fifo;
    case S_IFSOCK:
      return FileType::socket;
    case S_IFCHR:
      return FileType::character_device;
    case S_IFBLK:
      return FileType::block_device;
    default:
      return FileType::unknown;
  }
}

using GetAttribute = ssize_t (*)(const char* path, const char* name, void* value, size_t size);

// The value of an extended attribute: of the file itself by lgetxattr(2), of what it leads to by
// getxattr. It may grow between the question for its size and the reading.
Result<std::string> attribute_of(const std::string& path, const char* name,
                                 GetAttribute get = lgetxattr) {
  std::string value(256, '\0');
  while (true) {
    ssize_t got = get(path.c_str(), name, value.data(), value.size());
    if (got >= 0) {
      value.resize(static_cast<std::size_t>(got));
      return {0, std::move(value)};
    }
    if (errno != ERANGE) return failure<std::string>(errno);
    got = get(path.c_str(), name, nullptr, 0);
    if (got < 0) return failure<std::string>(errno);
    value.resize(static_cast<std::size_t>(got));
  }
}

// proc_pid_mountinfo(5) writes space, tab, newline and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, byte, 8).ec == std::errc{}) {
      plain += static_cast<char>(byte);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string_view next_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

// Fills point and fstype from a line such as
//   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
// if it describes mount `id`.
bool read_mountinfo_line(std::string_view line, std::uint64_t id, Mount& mount) {
  if (next_word(line) != std::to_string(id)) return false;
  for (int skipped = 0; skipped < 3; ++skipped) next_word(line);
  mount.point = unescape(next_word(line));
  while (!line.empty() && next_word(line) != "-") {
  }
  mount.fstype = unescape(next_word(line));
  return true;
}

// The list of mounts as seen from `root`: that of the process whose root it is.
std::string mountinfo_for(const std::string& root) {
  constexpr std::string_view kRoot = "/root";
  if (!root.starts_with("/proc/") || !root.ends_with(kRoot)) return "/proc/self/mountinfo";
  return root.substr(0, root.size() - kRoot.size()) + "/mountinfo";
}

constexpr int kHarmless = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

/// A file below a root, as calls that take a path know it from here. Below another root than "" it
/// is held by a descriptor: an absolute link on its way would lead out of it.
class Here {
 public:
  Here(const std::string& root, const std::string& path, int follow = O_NOFOLLOW)
      : file_(root.empty() ? -1 : open_below(root, path, O_PATH | O_CLOEXEC | follow)),
        path_(root.empty() ? path : "/proc/self/fd/" + std::to_string(file_.number())) {}

  /// -1: the path is its own, or there is no such file.
  int descriptor() const { return file_.number(); }
  const std::string& path() const { return path_; }
  /// The link of proc(5) is followed to the file, where it is a link itself to that.
  GetAttribute get_attribute() const { return file_.valid() ? getxattr : lgetxattr; }
  int follow() const { return file_.valid() ? 0 : AT_SYMLINK_NOFOLLOW; }

 private:
  Descriptor file_;
  std::string path_;
};

void find_mount_point(const Here& file, const std::string& root, Mount& mount) {
  struct statx seen {};
  if (statx(AT_FDCWD, file.path().c_str(), file.follow(), STATX_MNT_ID, &seen) != 0) return;
  if ((seen.stx_mask & STATX_MNT_ID) == 0) return;
  std::ifstream mounts(mountinfo_for(root));
  for (std::string line; std::getline(mounts, line);) {
    if (read_mountinfo_line(line, seen.stx_mnt_id, mount)) return;
  }
}

int type_error(int file) {
  struct stat seen {};
  if (fstat(file, &seen) != 0) return errno;
  return S_ISREG(seen.st_mode) ? 0 : EINVAL;
}

// O_PATH first: merely opening a device or a FIFO can have effects.
int refusal_to_open(const std::string& root, const std::string& path) {
  const Descriptor file(open_below(root, path, O_PATH | O_CLOEXEC));
  return file.valid() ? type_error(file.number()) : errno;
}

Result<std::string> read_from(int file, std::size_t offset, std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got =
        pread(file, bytes.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure<std::string>(errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return {0, std::move(bytes)};
}

bool is_dot(std::string_view name) {
  return name == "." || name == "..";
}

}  // namespace

FileStatus status_of(const struct stat& seen) {
  return {.type = type_of(seen.st_mode),
          .mode = seen.st_mode & 07777,
          .uid = seen.st_uid,
          .gid = seen.st_gid,
          .device = seen.st_dev,
          .inode = seen.st_ino,
          .size = static_cast<std::uint64_t>(seen.st_size),
          .changed = seen.st_ctim.tv_sec,
          .changed_ns = static_cast<std::int32_t>(seen.st_ctim.tv_nsec)};
}

// By openat2(2), RESOLVE_IN_ROOT.
int open_below(const std::string& root, const std::string& path, int flags) {
  if (root.empty()) return open(path.c_str(), flags);
  const Descriptor top(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top.valid()) return -1;
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_IN_ROOT;
  return static_cast<int>(syscall(SYS_openat2, top.number(), path.c_str(), &how, sizeof how));
}

// The kernel answers ENODATA for the default ACL of what is no directory (fs/posix_acl.c).
Result<std::optional<Acl>> read_acl(const std::string& path, const char* kind, bool follow) {
  const Result<std::string> bytes = attribute_of(path, kind, follow ? getxattr : lgetxattr);
  if (bytes) return decode_acl(bytes.value, kind == kDefaultAcl);
  const bool none = bytes.error == ENODATA || bytes.error == ENOTSUP;
  return failure<std::optional<Acl>>(none ? 0 : bytes.error);
}

int each_name_in(int descriptor, const NameVisitor& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(fdopendir(descriptor), closedir);
  if (!directory) {
    const int error = errno;
    close(descriptor);
    return error;
  }
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) return errno;
    if (!is_dot(entry->d_name) && !visit(entry->d_name)) return 0;
  }
}

Result<FileStatus> SystemFilesystem::status(const std::string& path) const {
  struct stat seen {};
  if (root_.empty()) {
    if (lstat(path.c_str(), &seen) != 0) return failure<FileStatus>(errno);
    return {0, status_of(seen)};
  }
  const Descriptor file(open_below(root_, path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid() || fstat(file.number(), &seen) != 0) return failure<FileStatus>(errno);
  return {0, status_of(seen)};
}

Result<FileStatus> SystemFilesystem::target_status(const std::string& path) const {
  struct stat seen {};
  if (root_.empty()) {
    if (stat(path.c_str(), &seen) != 0) return failure<FileStatus>(errno);
    return {0, status_of(seen)};
  }
  const Descriptor file(open_below(root_, path, O_PATH | O_CLOEXEC));
  if (!file.valid() || fstat(file.number(), &seen) != 0) return failure<FileStatus>(errno);
  return {0, status_of(seen)};
}

Result<std::string> SystemFilesystem::read_link(const std::string& path) const {
  std::string text(4096, '\0');  // PATH_MAX: no link's text is longer
  const Here link(root_, path);
  // An empty name is the link that the descriptor is of: readlink(2).
  const ssize_t got = link.descriptor() >= 0
                          ? readlinkat(link.descriptor(), "", text.data(), text.size())
                          : readlink(link.path().c_str(), text.data(), text.size());
  if (got < 0) return failure<std::string>(errno);
  text.resize(static_cast<std::size_t>(got));
  return {0, std::move(text)};
}

Result<std::optional<Acl>> SystemFilesystem::acl(const std::string& path) const {
  const Here file(root_, path);
  return read_acl(file.path(), kAccessAcl, file.descriptor() >= 0);
}

Result<std::optional<Acl>> SystemFilesystem::default_acl(const std::string& path) const {
  const Here file(root_, path);
  return read_acl(file.path(), kDefaultAcl, file.descriptor() >= 0);
}

Result<Mount> SystemFilesystem::mount(const std::string& path) const {
  const Here file(root_, path);
  const std::string& real = file.path();
  struct statvfs seen {};
  if (statvfs(real.c_str(), &seen) != 0) return failure<Mount>(errno);
  Mount mount{.noexec = (seen.f_flag & ST_NOEXEC) != 0,
              .nosuid = (seen.f_flag & ST_NOSUID) != 0,
              .read_only = (seen.f_flag & ST_RDONLY) != 0,
              .nosymfollow = (seen.f_flag & kNoSymfollow) != 0,
              .acls = attribute_of(real, kAccessAcl, file.get_attribute()).error != ENOTSUP};
  find_mount_point(file, root_, mount);
  return {0, std::move(mount)};
}

bool SystemFilesystem::is_immutable(const std::string& path) const {
  struct statx seen {};
  const Here file(root_, path);
  return statx(AT_FDCWD, file.path().c_str(), file.follow(), 0, &seen) == 0 &&
         (seen.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
}

bool SystemFilesystem::follows_links(const std::string& directory) const {
  struct statvfs seen {};
  return statvfs(Here(root_, directory).path().c_str(), &seen) != 0 ||
         (seen.f_flag & kNoSymfollow) == 0;
}

Result<std::string> SystemFilesystem::read(const std::string& path, std::size_t offset,
                                           std::size_t count) const {
  if (const int refusal = refusal_to_open(root_, path)) return failure<std::string>(refusal);
  const Descriptor file(open_below(root_, path, O_RDONLY | kHarmless));
  if (!file.valid()) return failure<std::string>(errno);
  if (const int wrong = type_error(file.number())) return failure<std::string>(wrong);
  return read_from(file.number(), offset, count);
}

int SystemFilesystem::each_name(const std::string& path, const NameVisitor& visit) const {
  const int descriptor = open_below(root_, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return descriptor < 0 ? errno : each_name_in(descriptor, visit);
}

Result<std::string> SystemFilesystem::attribute(const std::string& path,
                                                const std::string& name) const {
  const Here file(root_, path);
  return attribute_of(file.path(), name.c_str(), file.get_attribute());
}

Result<std::string> SystemFilesystem::target_attribute(const std::string& path,
                                                       const std::string& name) const {
  if (root_.empty()) return attribute_of(path, name.c_str(), getxattr);
  const Descriptor file(open_below(root_, path, O_PATH | O_CLOEXEC));
  if (!file.valid()) return failure<std::string>(errno);
  return attribute_of("/proc/self/fd/" + std::to_string(file.number()), name.c_str(), getxattr);
}

Result<std::string> link_free_path(const std::string& path) {
  std::error_code error;
  std::string real = std::filesystem::canonical(path, error);
  return error ? failure<std::string>(error.value()) : Result<std::string>{0, std::move(real)};
}

bool leads_to(const std::string& root, const std::string& other) {
  if (!lies_in(other, root)) return false;
  const Result<std::string> from = link_free_path(root), to = link_free_path(other);
  const std::string rest = other.substr(root == "/" ? 0 : root.size());
  return from && to && to.value == (from.value == "/" ? "" : from.value) + rest;
}

}  // namespace permguard
