// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/kernel.h"
#include "core/surroundings.h"

namespace permguard {
namespace {

constexpr char kAskAccess = 'a';
constexpr char kAskExecute = 'x';
constexpr std::size_t kMaxRequest = 2 + 65536;  // question, wanted, path

/// A process's namespaces and root, held open.
struct OpenedProcess {
  explicit OpenedProcess(pid_t pid) {
    const std::string base = "/proc/" + std::to_string(pid);
    mount_namespace = opened(base + "/ns/mnt", O_RDONLY);
    root = opened(base + "/root", O_PATH | O_DIRECTORY);
    if (!shares_with(pid, "ns/user").value) user_namespace = opened(base + "/ns/user", O_RDONLY);
  }
  ~OpenedProcess() {
    for (const int descriptor : {mount_namespace, root, user_namespace}) {
      if (descriptor >= 0) close(descriptor);
    }
  }
  OpenedProcess(const OpenedProcess&) = delete;
  OpenedProcess& operator=(const OpenedProcess&) = delete;

  int mount_namespace = -1;
  int root = -1;
  int user_namespace = -1;  ///< -1: the caller's own
  int error = 0;

 private:
  int opened(const std::string& path, int flags) {
    const int descriptor = open(path.c_str(), flags | O_CLOEXEC);
    if (descriptor < 0) error = errno;
    return descriptor;
  }
};

/// What the child needs, made before the fork: the asker may have threads, so the child may not
/// allocate (fork(2): only async-signal-safe functions).
struct Orders {
  const Identity& who;
  bool is_already;
  bool use_exec_check;
  const OpenedProcess* enter;
};

int enter_process(const OpenedProcess& process) {
  // setns(2) resets root and working directory, so the root is entered by its descriptor after.
  const bool entered = setns(process.mount_namespace, CLONE_NEWNS) == 0 &&
                       fchdir(process.root) == 0 && chroot(".") == 0 && chdir("/") == 0;
  return entered ? 0 : errno;
}

int set_capabilities(std::uint32_t bits) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0].effective = data[0].permitted = bits;
  return syscall(SYS_capset, &header, data.data()) == 0 ? 0 : errno;
}

/// The user ids stay what they are for the caller; whoever enters a user namespace has all its
/// capabilities, over files whose owners it maps (user_namespaces(7)).
int enter_user_namespace(int descriptor) {
  if (const int error = set_capabilities(1U << CAP_SYS_ADMIN); error != 0) return error;
  return setns(descriptor, CLONE_NEWUSER) == 0 ? 0 : errno;
}

int become(const Identity& who, int user_namespace) {
  if (setgroups(who.groups.size(), who.groups.data()) != 0 ||
      setresgid(who.gid, who.gid, who.gid) != 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
      setresuid(who.uid, who.uid, who.uid) != 0) {
    return errno;
  }
  if (user_namespace >= 0) {
    if (const int error = enter_user_namespace(user_namespace); error != 0) return error;
  }
  return set_capabilities((who.dac_override ? 1U << CAP_DAC_OVERRIDE : 0U) |
                          (who.dac_read_search ? 1U << CAP_DAC_READ_SEARCH : 0U));
}

int answer(const char* request, bool use_exec_check) {
  const char* path = request + 2;
  if (request[0] == kAskAccess) {
    return effective_access(path, static_cast<Permissions>(request[1]));
  }
  return use_exec_check ? effective_execute(path) : ENOSYS;
}

[[noreturn]] void serve(int socket, const Orders& orders) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int error = orders.enter != nullptr ? enter_process(*orders.enter) : 0;
  if (error == 0 && !orders.is_already) {
    error = become(orders.who, orders.enter != nullptr ? orders.enter->user_namespace : -1);
  }
  (void)!write(socket, &error, sizeof error);
  std::array<char, kMaxRequest + 1> request{};
  while (error == 0) {
    const ssize_t size = read(socket, request.data(), kMaxRequest);
    if (size < 2) {
      break;
    }
    request[static_cast<std::size_t>(size)] = '\0';
    const int result = answer(request.data(), orders.use_exec_check);
    if (write(socket, &result, sizeof result) != sizeof result) {
      break;
    }
  }
  _exit(0);
}

}  // namespace

DelegateKernel::DelegateKernel(const Identity& who, bool use_exec_check,
                               std::optional<pid_t> enter_pid) {
  std::optional<OpenedProcess> process;
  if (enter_pid) {
    process.emplace(*enter_pid);
    error_ = process->error;
  }
  std::array<int, 2> ends{};
  if (error_ == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    error_ = errno;
  }
  if (error_ != 0) {
    return;
  }
  const bool is_already = current_identity() == who && (!process || process->user_namespace < 0);
  const Orders orders{who, is_already, use_exec_check, process ? &*process : nullptr};
  child_ = fork();
  if (child_ == 0) {
    close(ends[0]);
    serve(ends[1], orders);
  }
  error_ = child_ < 0 ? errno : 0;
  close(ends[1]);
  socket_ = ends[0];
  if (error_ == 0 && read(socket_, &error_, sizeof error_) != sizeof error_) {
    error_ = EPIPE;
  }
}

DelegateKernel::~DelegateKernel() {
  if (socket_ >= 0) {
    // Another child forked meanwhile may hold a copy of this end: closing alone would not end it.
    shutdown(socket_, SHUT_RDWR);
    close(socket_);
  }
  if (child_ > 0) {
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

KernelAnswer DelegateKernel::ask(char question, const std::string& path, Permissions wanted) const {
  if (error_ != 0 || path.size() > kMaxRequest - 2) {
    return {};
  }
  std::string request{question, static_cast<char>(wanted)};
  request += path;
  int result = 0;
  if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0 ||
      read(socket_, &result, sizeof result) != sizeof result) {
    return {};
  }
  return answer_from_errno(result);
}

KernelAnswer DelegateKernel::may_access(const std::string& path, Permissions wanted) const {
  return ask(kAskAccess, path, wanted);
}

KernelAnswer DelegateKernel::may_execute(const std::string& path) const {
  return ask(kAskExecute, path, 0);
}

}  // namespace permguard
