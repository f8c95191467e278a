// SPDX-License-Identifier: Apache-2.0
#include "oracle/playground.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/acl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace permguard::oracle {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void give_up(const char* call, const std::string& path) {
  throw std::runtime_error(std::string(call) + " " + path + ": " + strerror(errno));
}

void check(int result, const char* call, const std::string& path) {
  if (result != 0) give_up(call, path);
}

void write_file(const PlannedFile& file) {
  const int fd = open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) give_up("open", file.path);
  const auto written = write(fd, file.content.data(), file.content.size());
  close(fd);
  if (written != static_cast<ssize_t>(file.content.size())) give_up("write", file.path);
}

void make(const PlannedFile& file) {
  using Kind = PlannedFile::Kind;
  const char* path = file.path.c_str();
  if (file.kind == Kind::directory) check(mkdir(path, 0700), "mkdir", file.path);
  if (file.kind == Kind::regular) write_file(file);
  if (file.kind == Kind::link) check(symlink(file.content.c_str(), path), "symlink", file.path);
  if (file.kind == Kind::fifo) check(mkfifo(path, 0600), "mkfifo", file.path);
}

void set_acl(const PlannedFile& file) {
  acl_t acl = acl_from_text(file.acl.c_str());
  if (acl == nullptr) give_up("acl_from_text", file.acl);
  const int result = acl_set_file(file.path.c_str(), ACL_TYPE_ACCESS, acl);
  acl_free(acl);
  check(result, "acl_set_file", file.path);
}

// chown clears set-id bits, and chmod of a file with an ACL sets its mask: hence the order.
void set_rights(const PlannedFile& file) {
  check(lchown(file.path.c_str(), file.uid, file.gid), "chown", file.path);
  if (file.kind == PlannedFile::Kind::link) return;
  check(chmod(file.path.c_str(), file.mode), "chmod", file.path);
  if (!file.acl.empty()) set_acl(file);
}

std::string new_directory() {
  std::string name = "/tmp/permguard-oracle.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) give_up("mkdtemp", name);
  check(chmod(name.c_str(), 0755), "chmod", name);
  return name;
}

}  // namespace

Playground::Playground() {
  if (geteuid() != 0) {
    obstacle_ = "only root can become other users";
    return;
  }
  base_ = new_directory();
  plain_ = base_ + "/plain";
  noexec_ = base_ + "/noexec";
  nosuid_ = base_ + "/nosuid";
  mount_all();
}

void Playground::mount_all() {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    obstacle_ = std::string("no mount namespace of its own: ") + strerror(errno);
    return;
  }
  const std::pair<const std::string*, unsigned long> mounts[] = {
      {&plain_, 0}, {&noexec_, MS_NOEXEC}, {&nosuid_, MS_NOSUID | MS_NODEV}};
  for (const auto& [point, flags] : mounts) {
    check(mkdir(point->c_str(), 0755), "mkdir", *point);
    if (mount("oracle", point->c_str(), "tmpfs", flags, "mode=755") == 0) continue;
    obstacle_ = std::string("mount: ") + strerror(errno);
    return;
  }
}

Playground::~Playground() {
  for (const auto* point : {&plain_, &noexec_, &nosuid_}) {
    if (!point->empty()) umount2(point->c_str(), MNT_DETACH);
  }
  std::error_code ignored;
  if (!base_.empty()) fs::remove_all(base_, ignored);
}

void Playground::clear() const {
  for (const auto* point : {&plain_, &noexec_, &nosuid_}) {
    for (const auto& entry : fs::directory_iterator(*point)) fs::remove_all(entry.path());
  }
}

void Playground::build(const TreePlan& plan) const {
  clear();
  for (const auto& file : plan.files) make(file);
  for (const auto& file : plan.files) set_rights(file);
}

}  // namespace permguard::oracle
