// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/filesystem.h"

namespace permguard {

/// Another file system with the status of some files replaced: the tree as it would be after a
/// repair. Holds a reference to `base`. Internal to core.
class RepairedFilesystem : public Filesystem {
 public:
  explicit RepairedFilesystem(const Filesystem& base) : base_(base) {}

  /// From now on the file with this device and inode has `status`.
  void repair(const FileStatus& status) { repaired_.push_back(status); }
  bool changed() const { return !repaired_.empty(); }

  Result<FileStatus> status(const std::string& path) const override {
    return repaired(base_.status(path));
  }
  Result<FileStatus> target_status(const std::string& path) const override {
    return repaired(base_.target_status(path));
  }
  Result<std::string> read_link(const std::string& path) const override {
    return base_.read_link(path);
  }
  Result<std::optional<Acl>> acl(const std::string& path) const override { return base_.acl(path); }
  Result<Mount> mount(const std::string& path) const override { return base_.mount(path); }
  bool follows_links(const std::string& directory) const override {
    return base_.follows_links(directory);
  }
  bool is_immutable(const std::string& path) const override { return base_.is_immutable(path); }
  Result<std::string> read(const std::string& path, std::size_t offset,
                           std::size_t count) const override {
    return base_.read(path, offset, count);
  }
  Result<std::optional<Acl>> default_acl(const std::string& path) const override {
    return base_.default_acl(path);
  }
  int each_name(const std::string& path, const NameVisitor& visit) const override {
    return base_.each_name(path, visit);
  }
  Result<std::string> attribute(const std::string& path, const std::string& name) const override {
    return base_.attribute(path, name);
  }
  Result<std::string> target_attribute(const std::string& path,
                                       const std::string& name) const override {
    return base_.target_attribute(path, name);
  }

 private:
  Result<FileStatus> repaired(const Result<FileStatus>& before) const {
    const auto found =
        std::find_if(repaired_.begin(), repaired_.end(), [&](const FileStatus& file) {
          return file.device == before.value.device && file.inode == before.value.inode;
        });
    return !before || found == repaired_.end() ? before : Result<FileStatus>{0, *found};
  }

  const Filesystem& base_;
  std::vector<FileStatus> repaired_;
};

}  // namespace permguard
