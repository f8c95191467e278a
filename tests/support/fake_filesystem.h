// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/filesystem.h"
#include "core/identity.h"

namespace permguard::test {

/// One file of a FakeFilesystem. Its members return it, so that a test builds it in one line:
///   fs.file("/srv/a.cgi", "#!/bin/sh\n").mode(0750).owner(1000, 33);
class FakeNode {
 public:
  /// As chmod(2): with an ACL the group digit is the mask.
  FakeNode& mode(unsigned bits);
  FakeNode& owner(uid_t uid, gid_t gid);
  /// As acl_set_file(3): the mode follows the ACL.
  FakeNode& acl(Acl entries);
  FakeNode& type(FileType type);
  FakeNode& changed(std::int64_t seconds);
  FakeNode& attribute(const std::string& name, const std::string& value);

 private:
  friend class FakeFilesystem;
  FileStatus status_;
  std::string content_;  ///< bytes of a file, or a link's text
  std::optional<Acl> acl_;
  std::map<std::string, std::string> attributes_;
};

/// A disk in memory. It has a root directory; missing parents are made as root's, mode 0755.
/// Everything is root:root; files 0644, directories 0755. Links are followed as by the kernel,
/// permissions are not looked at: whoever asks is root.
class FakeFilesystem : public Filesystem {
 public:
  /// The operations that can be made to fail.
  enum class Call { status, read_link, acl, mount, read, list, attribute };

  FakeFilesystem();

  FakeNode& directory(const std::string& path);
  FakeNode& file(const std::string& path, const std::string& content = {});
  FakeNode& link(const std::string& path, const std::string& text);
  FakeNode& socket(const std::string& path);
  FakeNode& fifo(const std::string& path);
  /// The node made before at exactly this path; a test's mistake throws std::out_of_range.
  FakeNode& at(const std::string& path) { return nodes_.at(path); }
  void remove(const std::string& path);  ///< with everything below

  /// Everything at and below `point` lies on this mount, unless a deeper one covers it.
  void mount_at(const std::string& point, Mount mount);
  /// From now on `call` on `path` fails with `error`; 0 ends that.
  void fail(Call call, const std::string& path, int error);

  Result<FileStatus> status(const std::string& path) const override;
  Result<FileStatus> target_status(const std::string& path) const override;
  Result<std::string> read_link(const std::string& path) const override;
  Result<std::optional<Acl>> acl(const std::string& path) const override;
  Result<Mount> mount(const std::string& path) const override;
  Result<std::string> read(const std::string& path, std::size_t offset,
                           std::size_t count) const override;
  Result<std::optional<Acl>> default_acl(const std::string& path) const override {
    return failure<std::optional<Acl>>(find(Call::acl, path, false).error);
  }
  int each_name(const std::string& path, const NameVisitor& visit) const override;
  Result<std::string> attribute(const std::string& path, const std::string& name) const override;
  Result<std::string> target_attribute(const std::string& path,
                                       const std::string& name) const override;

 private:
  FakeNode& make(const std::string& path, FileType type, unsigned mode);
  /// The node a call on `path` means, or the errno.
  Result<const FakeNode*> find(Call call, const std::string& path, bool follow_last) const;
  Result<std::string> resolve(const std::string& path, bool follow_last) const;
  static Result<std::string> attribute_of(const Result<const FakeNode*>& node,
                                          const std::string& name);

  std::map<std::string, FakeNode> nodes_;
  std::map<std::string, Mount> mounts_;
  std::map<std::pair<Call, std::string>, int> failures_;
  std::uint64_t next_inode_ = 2;
};

/// Names as a test sets them; "#" and the number for all others.
class FakeNames : public Names {
 public:
  std::map<uid_t, std::string> users;
  std::map<gid_t, std::string> groups;

  std::string user(uid_t uid) const override { return name_in(users, uid); }
  std::string group(gid_t gid) const override { return name_in(groups, gid); }
  /// Where user and group have one name.
  bool is_private_group(gid_t gid, uid_t uid) const override { return group(gid) == user(uid); }

 private:
  static std::string name_in(const std::map<unsigned, std::string>& names, unsigned id) {
    const auto found = names.find(id);
    return found == names.end() ? "#" + std::to_string(id) : found->second;
  }
};

}  // namespace permguard::test
