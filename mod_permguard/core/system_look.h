// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "core/filesystem.h"

namespace permguard {

inline constexpr const char* kAccessAcl = "system.posix_acl_access";    // acl(5), xattr(7)
inline constexpr const char* kDefaultAcl = "system.posix_acl_default";  // acl(5), xattr(7)

/// A descriptor that is closed with its owner. Internal to core.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }
  bool valid() const { return number_ >= 0; }
  /// The caller closes it.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

FileStatus status_of(const struct stat& seen);

/// The ACL of `path`, or of what it leads to where `follow`; as Filesystem::acl() and
/// default_acl().
Result<std::optional<Acl>> read_acl(const std::string& path, const char* kind, bool follow);

/// Opens with links followed inside `root`, which an absolute one does not leave.
int open_below(const std::string& root, const std::string& path, int flags);

/// The names in the directory that `descriptor`, which is closed, reads: Filesystem::each_name().
int each_name_in(int descriptor, const NameVisitor& visit);

}  // namespace permguard
