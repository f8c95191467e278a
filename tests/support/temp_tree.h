// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace permguard::test {

/// A directory below /tmp that every user may search (mode 0755) and that is gone when the object
/// is: mounts first, then files, whatever their modes. All paths handed in are relative to its
/// root and may hold any byte but NUL; modes are set exactly, without the umask. What fails
/// throws std::system_error or std::runtime_error, which fails the test.
class TempTree {
 public:
  TempTree();
  ~TempTree();
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;

  const std::string& root() const { return root_; }
  std::string path(std::string_view relative) const;

  /// Each makes missing parents with mode 0755 and returns the absolute path.
  std::string write(std::string_view relative, std::string_view contents, mode_t mode = 0644);
  std::string mkdir(std::string_view relative, mode_t mode = 0755);
  std::string symlink(std::string_view target, std::string_view relative);

  void chmod(std::string_view relative, mode_t mode);
  /// An empty name leaves that id alone.
  void chown(std::string_view relative, const std::string& user, const std::string& group = "");
  /// Runs setfacl(1) with `arguments` ("-m", "u:www-data:x") on the file.
  void setfacl(std::string_view relative, std::vector<std::string> arguments);
  std::string read(std::string_view relative) const;
  void remove(std::string_view relative);

  /// Mounts a tmpfs (mode 0755) with `options` ("noexec") on a directory it makes. False where
  /// the machine forbids mounts, so that the test can skip.
  [[nodiscard]] bool mount_tmpfs(std::string_view relative, const std::string& options);

 private:
  std::string root_;
  std::vector<std::string> mounts_;
};

}  // namespace permguard::test
