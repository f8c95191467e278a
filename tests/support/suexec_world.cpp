// SPDX-License-Identifier: Apache-2.0
#include "support/suexec_world.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tests/places.h"

namespace permguard::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigDirectory = "/etc/apache2/suexec";

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void require(bool good, const std::string& what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

void make_directory(const std::string& path, uid_t uid = 0) {
  fs::create_directories(path);
  require(chown(path.c_str(), uid, uid) == 0, "chown " + path);
  require(chmod(path.c_str(), 0755) == 0, "chmod " + path);
}

/// A directory of the machine that must not vanish below an empty /var.
class Kept {
 public:
  explicit Kept(std::string path)
      : path_(std::move(path)),
        tree_(open_tree(AT_FDCWD, path_.c_str(),
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)) {}
  ~Kept() {
    if (tree_ >= 0) close(tree_);
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  /// Read-only: what empties the world's /var must not reach it.
  bool put_back() const {
    if (tree_ < 0) return false;
    fs::create_directories(path_);
    return move_mount(tree_, "", AT_FDCWD, path_.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0 &&
           mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
  }

 private:
  std::string path_;
  int tree_;
};

}  // namespace

SuexecWorld::SuexecWorld() : SuexecWorld({PERMGUARD_SOURCE, PERMGUARD_BUILD}) {}

SuexecWorld::SuexecWorld(const std::vector<std::string>& kept) {
  etc_.write("passwd", contents("/etc/passwd") +
                           "ann:x:53001:53001::/var/home/ann:/bin/sh\n"
                           "bob:x:53002:53002::/var/home/bob:/bin/sh\n"
                           "lowly:x:51:53001::/var/home/ann:/bin/sh\n"
                           "friend:x:53010:33::/var/home/ann:/bin/sh\n"
                           "stranger:x:53011:53001::/var/home/ann:/bin/sh\n");
  etc_.write("group", contents("/etc/group") + "ann:x:53001:\nbob:x:53002:ann\nlow:x:52:\n");
  etc_.mkdir("suexec");
  const int before = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (unshare(CLONE_NEWNS) != 0) {
    forbidden_ = std::strerror(errno);
    close(before);
    return;
  }
  before_ = before;
  if (!mount_all(kept)) forbidden_ = std::strerror(errno);
  if (forbidden_.empty()) reset();
}

SuexecWorld::~SuexecWorld() {
  // Gives this thread the machine's own mounts back; those of the world end with it.
  if (before_ < 0) return;
  if (setns(before_, CLONE_NEWNS) != 0) std::perror("setns");
  close(before_);
}

bool SuexecWorld::mount_all(const std::vector<std::string>& kept) {
  const auto bind = [&](const std::string& from, const char* to) {
    return mount(etc_.path(from).c_str(), to, nullptr, MS_BIND, nullptr) == 0;
  };
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  std::vector<std::unique_ptr<Kept>> below_var;
  for (const std::string& path : kept) {
    if (path.starts_with("/var/")) below_var.push_back(std::make_unique<Kept>(path));
  }
  return mount("tmpfs", "/var", "tmpfs", 0, "mode=0755") == 0 &&
         std::ranges::all_of(below_var, [](const auto& each) { return each->put_back(); }) &&
         bind("passwd", "/etc/passwd") && bind("group", "/etc/group") &&
         bind("suexec", kConfigDirectory);
}

void SuexecWorld::reset() {
  for (const char* path : {"/var/www", "/var/www-old", "/var/other", "/var/home", "/var/log"}) {
    fs::remove_all(path);
  }
  for (const char* path :
       {"/var/www", "/var/www-old", "/var/other", "/var/home", "/var/log/apache2"}) {
    make_directory(path);
  }
  make_directory("/var/home/ann", kAnn);
  make_directory("/var/home/ann/public_html", kAnn);
  make_directory("/var/home/bob", kBob);
}

void SuexecWorld::configure(const std::optional<std::string>& text) {
  fs::remove(etc_.path("suexec/www-data"));
  if (text) etc_.write("suexec/www-data", *text);
}

void SuexecWorld::install(const std::string& binary) {
  const std::string used = fs::canonical("/usr/lib/apache2/suexec");
  umount2(used.c_str(), MNT_DETACH);  // what an earlier call put there, if anything
  if (used == binary) return;
  require(mount(binary.c_str(), used.c_str(), nullptr, MS_BIND, nullptr) == 0, "bind " + used);
}

std::string SuexecWorld::copy_of(const std::string& binary, unsigned mode, unsigned long flags) {
  const std::string directory = "/var/copy";
  fs::create_directory(directory);
  require(mount("tmpfs", directory.c_str(), "tmpfs", flags, "mode=0755") == 0, "mount tmpfs");
  const std::string copy = directory + "/suexec";
  fs::copy_file(binary, copy);
  struct stat original {};
  require(stat(binary.c_str(), &original) == 0, "stat " + binary);
  require(chown(copy.c_str(), original.st_uid, original.st_gid) == 0, "chown " + copy);
  require(chmod(copy.c_str(), mode) == 0, "chmod " + copy);
  return copy;
}

}  // namespace permguard::test
