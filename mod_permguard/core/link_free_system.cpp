// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "core/chain.h"
#include "core/link_free.h"
#include "core/path_walk.h"
#include "core/system_look.h"

namespace permguard {
namespace {

constexpr int kHold = O_PATH | O_NOFOLLOW | O_CLOEXEC;

/// The names of `path` in their order, without empty ones and ".".
std::vector<std::string> names_of(std::string_view path) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    if (!name.empty() && name != ".") names.emplace_back(name);
    at = end + 1;
  }
  return names;
}

int open_with_openat2(int top, const char* path) {
  open_how how{};
  how.flags = kHold;
  how.resolve = RESOLVE_NO_SYMLINKS;
  return static_cast<int>(syscall(SYS_openat2, top, path, &how, sizeof how));
}

/// Before Linux 5.6 there is no openat2(2); older container sandboxes refuse what they do not know.
bool lacks_openat2(int descriptor) {
  return descriptor < 0 && (errno == ENOSYS || errno == EPERM);
}

int open_without_links(int top, const std::string& path) {
  const int descriptor = open_with_openat2(top, path == "/" ? "." : path.c_str() + 1);
  return lacks_openat2(descriptor) ? open_by_components(top, path) : descriptor;
}

bool is_link(int descriptor) {
  struct stat seen {};
  return fstat(descriptor, &seen) == 0 && S_ISLNK(seen.st_mode);
}

Descriptor root_descriptor(const std::string& root) {
  return Descriptor(open((root + "/").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::string name_of_descriptor(int descriptor) {
  return "/proc/self/fd/" + std::to_string(descriptor);
}

std::string join(const std::string& directory, const std::string& name) {
  return (directory == "/" ? "" : directory) + "/" + name;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The work of follow_trusted(): stands on a directory, with the names still to be taken.
class TrustedWalker {
 public:
  TrustedWalker(uid_t asker, const std::string& root)
      : asker_(asker), top_(root_descriptor(root)) {}

  TrustedWay run(const std::string& path) {
    push(path);
    bool going = top_.valid() ? stand_on("/", Descriptor(open_by_components(top_.number(), "/")))
                              : fail(errno);
    while (going && !rest_.empty()) {
      const std::string name = std::move(rest_.back());
      rest_.pop_back();
      going = name == ".." ? go_up() : take(name);
    }
    return std::move(way_);
  }

 private:
  // Each of these is false where the way ends.
  bool fail(int error) {
    way_.error = error;
    return false;
  }

  bool stand_on(std::string path, Descriptor place) {
    struct stat seen {};
    if (!place.valid() || fstat(place.number(), &seen) != 0) return fail(errno);
    return stand_on(std::move(path), std::move(place), seen);
  }

  bool stand_on(std::string path, Descriptor place, const struct stat& seen) {
    here_ = std::move(place);
    way_.end = status_of(seen);
    way_.places.push_back(std::move(path));
    return true;
  }

  /// By its path again: holding all that was passed open would cost a descriptor each.
  bool go_up() {
    std::string above = parent_of(way_.places.back());
    return stand_on(above, Descriptor(open_without_links(top_.number(), above)));
  }

  bool take(const std::string& name) {
    Descriptor next(openat(here_.number(), name.c_str(), kHold));
    struct stat seen {};
    if (!next.valid() || fstat(next.number(), &seen) != 0) return fail(errno);
    std::string path = join(way_.places.back(), name);
    return S_ISLNK(seen.st_mode) ? follow(std::move(path), next, seen.st_uid)
                                 : stand_on(std::move(path), std::move(next), seen);
  }

  bool follow(std::string path, const Descriptor& link, uid_t owner) {
    if (++links_ > kMaxLinks) return fail(ELOOP);
    if (owner != 0 && owner != asker_) {
      way_.foreign = ForeignLink{std::move(path), owner};
      return false;
    }
    std::string text(4096, '\0');  // PATH_MAX: no link's text is longer
    const ssize_t got = readlinkat(link.number(), "", text.data(), text.size());
    if (got < 0) return fail(errno);
    text.resize(static_cast<std::size_t>(got));
    push(text);
    return !text.starts_with('/') ||
           stand_on("/", Descriptor(open_by_components(top_.number(), "/")));
  }

  void push(const std::string& text) {
    std::vector<std::string> names = names_of(text);
    std::move(names.rbegin(), names.rend(), std::back_inserter(rest_));
  }

  uid_t asker_;
  Descriptor top_;
  Descriptor here_;
  TrustedWay way_;
  std::vector<std::string> rest_;  ///< the next one last
  unsigned links_ = 0;
};

}  // namespace

int open_by_components(int top, const std::string& path) {
  Descriptor here(openat(top, ".", kHold));
  for (const std::string& name : names_of(path)) {
    if (!here.valid()) return -1;
    Descriptor next(openat(here.number(), name.c_str(), kHold));
    if (!next.valid()) {
      errno = errno == ENOTDIR && is_link(here.number()) ? ELOOP : errno;
      return -1;
    }
    here = std::move(next);
  }
  return here.release();
}

LinkFreeFile::LinkFreeFile(const std::string& path) {
  descriptor_ = open_with_openat2(AT_FDCWD, path.c_str());
  if (lacks_openat2(descriptor_)) {
    descriptor_ = open_by_components(root_descriptor("").number(), path);
  }
  error_ = descriptor_ < 0 ? errno : 0;
  name_ = name_of_descriptor(descriptor_);
}

LinkFreeFile::LinkFreeFile(LinkFreeFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      error_(other.error_),
      name_(std::move(other.name_)) {}

LinkFreeFile::~LinkFreeFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<FileStatus> LinkFreeFile::status() const {
  struct stat seen {};
  if (error_ != 0) return failure<FileStatus>(error_);
  if (fstat(descriptor_, &seen) != 0) return failure<FileStatus>(errno);
  return {0, status_of(seen)};
}

std::uint64_t LinkFreeFile::hard_links() const {
  struct stat seen {};
  return error_ == 0 && fstat(descriptor_, &seen) == 0 ? seen.st_nlink : 0;
}

Result<std::optional<Acl>> LinkFreeFile::acl() const {
  return error_ != 0 ? failure<std::optional<Acl>>(error_) : read_acl(name_, kAccessAcl, true);
}

Result<std::optional<Acl>> LinkFreeFile::default_acl() const {
  return error_ != 0 ? failure<std::optional<Acl>>(error_) : read_acl(name_, kDefaultAcl, true);
}

int LinkFreeFile::each_name(const NameVisitor& visit) const {
  if (error_ != 0) return error_;
  const int directory = openat(descriptor_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return directory < 0 ? errno : each_name_in(directory, visit);
}

Result<FileStatus> LinkFreeFilesystem::status(const std::string& path) const {
  return LinkFreeFile(path).status();
}

Result<std::optional<Acl>> LinkFreeFilesystem::acl(const std::string& path) const {
  return LinkFreeFile(path).acl();
}

Result<std::optional<Acl>> LinkFreeFilesystem::default_acl(const std::string& path) const {
  return LinkFreeFile(path).default_acl();
}

int LinkFreeFilesystem::each_name(const std::string& path, const NameVisitor& visit) const {
  return LinkFreeFile(path).each_name(visit);
}

TreeFilesystem::TreeFilesystem(std::string root, std::vector<std::string> tops)
    : SystemFilesystem(root), root_(std::move(root)), tops_(std::move(tops)) {
  for (std::string& top : tops_) {
    while (top.size() > 1 && top.back() == '/') top.pop_back();
  }
}

/// The innermost; `path` itself where it lies in none.
const std::string& TreeFilesystem::top_of(const std::string& path) const {
  const std::string* innermost = nullptr;
  for (const std::string& top : tops_) {
    const bool longer = innermost == nullptr || top.size() > innermost->size();
    if (longer && lies_in(path, top)) innermost = &top;
  }
  return innermost == nullptr ? path : *innermost;
}

int TreeFilesystem::each_name(const std::string& path, const NameVisitor& visit) const {
  const std::string& top = top_of(path);
  const Descriptor begin(open_below(root_, top, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!begin.valid()) return errno;
  const std::string rest = top == "/" ? path : path.substr(top.size());
  const Descriptor directory(open_without_links(begin.number(), rest.empty() ? "/" : rest));
  if (!directory.valid()) return errno;
  const int reading = openat(directory.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return reading < 0 ? errno : each_name_in(reading, visit);
}

TrustedWay follow_trusted(const std::string& path, uid_t asker, const std::string& root) {
  return TrustedWalker(asker, root).run(path);
}

}  // namespace permguard
