// SPDX-License-Identifier: Apache-2.0
#include "oracle/truth.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>

namespace permguard::oracle {
namespace {

constexpr int kTimeLimitMs = 60000;

// What the child needs, prepared by the parent: parent and child share memory until execve, so
// the child allocates nothing and makes bare system calls only.
struct Launch {
  const Identity* who = nullptr;
  const char* directory = nullptr;
  const char* target = nullptr;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  int output = -1;
  int input = -1;
  int null = -1;
  int error = 0;
};

// The C library's setuid would change every thread of the process; the system call only this.
bool become(const Identity& who) {
  return syscall(SYS_setgroups, who.groups.size(), who.groups.data()) == 0 &&
         syscall(SYS_setresgid, who.gid, who.gid, who.gid) == 0 &&
         syscall(SYS_setresuid, who.uid, who.uid, who.uid) == 0;
}

// A script whose `env NAME` finds itself runs for ever: the kernel ends it after this time of
// its processor, which no honest script of the trees needs.
constexpr rlim_t kProcessorSeconds = 1;

int child(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  lseek(launch.input, 0, SEEK_SET);
  dup2(launch.input, STDIN_FILENO);
  dup2(launch.output, STDOUT_FILENO);
  dup2(launch.null, STDERR_FILENO);
  const rlimit time{kProcessorSeconds, kProcessorSeconds};
  setrlimit(RLIMIT_CPU, &time);
  if (become(*launch.who) && chdir(launch.directory) == 0) {
    execve(launch.target, launch.arguments, launch.environment);
  }
  launch.error = errno;
  _exit(127);
}

// Like vfork, but the child's frames lie on a stack of their own.
pid_t start(Launch& launch) {
  alignas(16) static std::array<char, 64 * 1024> stack;
  return clone(child, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &launch);
}

// Reads to the end of the output; false where the time limit came first.
bool read_all(int fd, std::string& text) {
  std::array<char, 4096> buffer{};
  for (;;) {
    pollfd waiting{fd, POLLIN, 0};
    if (poll(&waiting, 1, kTimeLimitMs) <= 0) return false;
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count <= 0) return count == 0;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

// What a shell that is itself the target reads: it too can prove that it ran.
int open_input() {
  constexpr std::string_view kCommands = "echo PGMARK\n";
  const int fd = memfd_create("input", MFD_CLOEXEC);
  if (write(fd, kCommands.data(), kCommands.size()) < 0) throw std::runtime_error("memfd");
  return fd;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

Truth outcome(pid_t pid, int output, const Launch& launch) {
  std::string text;
  Truth truth;
  truth.error = launch.error;
  truth.sure = read_all(output, text) && launch.error != ETXTBSY;
  if (!truth.sure) kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  truth.ran = text.find(kMarker) != std::string::npos;
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (well && !truth.ran) truth.sure = false;
  return truth;
}

}  // namespace

Truth run(const std::string& target, const Identity& who, const std::string& search_path) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  static const int input = open_input();
  static const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  std::string name = target, path = "PATH=" + search_path;
  const std::string directory = directory_of(target);
  const std::array<char*, 2> arguments{name.data(), nullptr}, environment{path.data(), nullptr};
  Launch launch{&who,
                directory.c_str(),
                target.c_str(),
                arguments.data(),
                environment.data(),
                ends[1],
                input,
                null,
                0};
  const pid_t pid = start(launch);
  close(ends[1]);
  if (pid < 0) throw std::runtime_error("clone");
  const Truth truth = outcome(pid, ends[0], launch);
  close(ends[0]);
  return truth;
}

}  // namespace permguard::oracle
