// SPDX-License-Identifier: Apache-2.0
#include "oracle/suexec_world.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace permguard::oracle {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLog = "/var/log/apache2/suexec.log";
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

void remove_all(const std::string& path) {
  // Root needs no permission to go on; only the mode bits of other users are in the way.
  fs::remove_all(path);
}

[[noreturn]] void become_and_execute(const std::string& binary, const Identity& caller,
                                     const std::string& directory,
                                     const std::array<std::string, 4>& words, int output,
                                     bool no_new_privs) {
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(null, STDERR_FILENO);
  dup2(output, STDOUT_FILENO);
  const bool become = setgroups(caller.groups.size(), caller.groups.data()) == 0 &&
                      setgid(caller.gid) == 0 && setuid(caller.uid) == 0;
  if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(kNoDirectory);
  if (!become || chdir(directory.c_str()) != 0) _exit(kNoDirectory);
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    arguments[i] = const_cast<char*>(words[i].c_str());
  }
  std::array<char*, 1> environment{nullptr};
  execve(binary.c_str(), arguments.data(), environment.data());
  _exit(kNoExec);
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 512> buffer;
  ssize_t got = 0;
  while ((got = read(file, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

SuexecWorld::SuexecWorld() {
  etc_.write("passwd", contents("/etc/passwd") +
                           "ann:x:53001:53001::/var/home/ann:/bin/sh\n"
                           "bob:x:53002:53002::/var/home/bob:/bin/sh\n"
                           "lowly:x:51:53001::/var/home/ann:/bin/sh\n"
                           "friend:x:53010:33::/var/home/ann:/bin/sh\n"
                           "stranger:x:53011:53001::/var/home/ann:/bin/sh\n");
  etc_.write("group", contents("/etc/group") + "ann:x:53001:\nbob:x:53002:ann\nlow:x:52:\n");
  etc_.mkdir("suexec");
  before_ = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (unshare(CLONE_NEWNS) != 0 || !mount_all()) forbidden_ = std::strerror(errno);
  if (forbidden_.empty()) reset();
}

SuexecWorld::~SuexecWorld() {
  // Gives this thread the machine's own mounts back; those of the world end with it.
  if (before_ < 0) return;
  if (setns(before_, CLONE_NEWNS) != 0) std::perror("setns");
  close(before_);
}

bool SuexecWorld::mount_all() {
  const auto bind = [&](const std::string& from, const char* to) {
    return mount(etc_.path(from).c_str(), to, nullptr, MS_BIND, nullptr) == 0;
  };
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", "/var", "tmpfs", 0, "mode=0755") == 0 && bind("passwd", "/etc/passwd") &&
         bind("group", "/etc/group") && bind("suexec", kConfigDirectory);
}

void SuexecWorld::reset() {
  for (const char* path : {"/var/www", "/var/www-old", "/var/other", "/var/home", "/var/log"}) {
    remove_all(path);
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

SuexecRun run_suexec(const std::string& binary, const Identity& caller, const SuexecTarget& target,
                     const std::string& script, bool no_new_privs) {
  const std::size_t slash = script.find_last_of('/');
  const std::array<std::string, 4> words{
      binary, (target.userdir ? "~" : "") + std::to_string(target.who.uid),
      std::to_string(target.who.gid), script.substr(slash + 1)};
  std::array<int, 2> pipe{};
  require(pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe2");
  fs::remove(kLog);
  const pid_t child = fork();
  require(child >= 0, "fork");
  if (child == 0) {
    become_and_execute(binary, caller, script.substr(0, slash), words, pipe[1], no_new_privs);
  }
  close(pipe[1]);
  const std::string output = read_all(pipe[0]);
  close(pipe[0]);
  int status = 0;
  require(waitpid(child, &status, 0) == child, "waitpid");
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output.find(kMarker) != std::string::npos,
          contents(kLog)};
}

}  // namespace permguard::oracle
