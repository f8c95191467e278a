// SPDX-License-Identifier: Apache-2.0
#include "support/temp_tree.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "support/process.h"

namespace permguard::test {
namespace {

namespace fs = std::filesystem;

void require(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

void make_parents(const std::string& root, const std::string& path) {
  for (std::size_t slash = root.size() + 1; (slash = path.find('/', slash)) != std::string::npos;
       ++slash) {
    const std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) == 0) {
      require(::chmod(parent.c_str(), 0755) == 0, "chmod " + parent);
    } else if (errno != EEXIST) {
      require(false, "mkdir " + parent);
    }
  }
}

uid_t uid_of(const std::string& user) {
  if (user.empty()) return static_cast<uid_t>(-1);
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) throw std::runtime_error("no such user: " + user);
  return entry->pw_uid;
}

gid_t gid_of(const std::string& group) {
  if (group.empty()) return static_cast<gid_t>(-1);
  const ::group* entry = ::getgrnam(group.c_str());
  if (entry == nullptr) throw std::runtime_error("no such group: " + group);
  return entry->gr_gid;
}

/// An ordinary user cannot empty a directory whose mode locks him out.
void unlock_directories(const std::string& root) {
  std::error_code ignored;
  ::chmod(root.c_str(), 0755);
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
      unlock_directories(entry.path().string());
    }
  }
}

}  // namespace

TempTree::TempTree() : root_("/tmp/permguard-test.XXXXXX") {
  require(::mkdtemp(root_.data()) != nullptr, "mkdtemp " + root_);
  require(::chmod(root_.c_str(), 0755) == 0, "chmod " + root_);
}

TempTree::~TempTree() {
  for (auto mount = mounts_.rbegin(); mount != mounts_.rend(); ++mount) {
    ::umount2(mount->c_str(), MNT_DETACH);  // lazily: a script may still run there
  }
  std::error_code ignored;
  fs::remove_all(root_, ignored);
  if (!ignored) return;
  unlock_directories(root_);
  fs::remove_all(root_, ignored);
}

std::string TempTree::path(std::string_view relative) const {
  return relative.empty() ? root_ : root_ + "/" + std::string(relative);
}

std::string TempTree::write(std::string_view relative, std::string_view contents, mode_t mode) {
  std::string file = path(relative);
  make_parents(root_, file);
  // Closed before it can be executed: a descriptor left open for writing would make ETXTBSY.
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  require(descriptor >= 0, "open " + file);
  const ssize_t written = ::write(descriptor, contents.data(), contents.size());
  ::close(descriptor);
  require(written == static_cast<ssize_t>(contents.size()), "write " + file);
  chmod(relative, mode);
  return file;
}

std::string TempTree::mkdir(std::string_view relative, mode_t mode) {
  std::string directory = path(relative);
  make_parents(root_, directory);
  require(::mkdir(directory.c_str(), 0755) == 0 || errno == EEXIST, "mkdir " + directory);
  chmod(relative, mode);
  return directory;
}

std::string TempTree::symlink(std::string_view target, std::string_view relative) {
  std::string link = path(relative);
  make_parents(root_, link);
  require(::symlink(std::string(target).c_str(), link.c_str()) == 0, "symlink " + link);
  return link;
}

void TempTree::chmod(std::string_view relative, mode_t mode) {
  require(::chmod(path(relative).c_str(), mode) == 0, "chmod " + path(relative));
}

void TempTree::chown(std::string_view relative, const std::string& user, const std::string& group) {
  require(::lchown(path(relative).c_str(), uid_of(user), gid_of(group)) == 0,
          "chown " + path(relative));
}

void TempTree::setfacl(std::string_view relative, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "setfacl");
  arguments.insert(arguments.end(), {"--", path(relative)});
  const ProcessResult result = run(arguments);
  if (!result.succeeded()) throw std::runtime_error("setfacl: " + result.err);
}

std::string TempTree::read(std::string_view relative) const {
  std::ifstream file(path(relative), std::ios::binary);
  require(file.good(), "open " + path(relative));
  return {std::istreambuf_iterator<char>(file), {}};
}

void TempTree::remove(std::string_view relative) {
  fs::remove_all(path(relative));
}

bool TempTree::mount_tmpfs(std::string_view relative, const std::string& options) {
  const std::string directory = mkdir(relative);
  const std::vector<std::string> command = {
      "mount", "-t", "tmpfs", "-o", "mode=0755,size=1m," + options, "tmpfs", directory};
  if (!run(command).succeeded()) return false;
  mounts_.push_back(directory);
  return true;
}

}  // namespace permguard::test
