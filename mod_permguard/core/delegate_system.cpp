// SPDX-License-Identifier: Apache-2.0
//
// The delegate belongs to the user it has become, who may stop it, kill it and set its limits
// (kill(2), prlimit(2)). So no answer is waited for without end, none counts that is not whole and
// to the question asked, and a delegate that was stopped or killed is replaced a bounded number of
// times.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstring>
#include <ctime>
#include <limits>

#include "core/kernel.h"
#include "core/surroundings.h"

namespace permguard {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr char kAskAccess = 'a';
constexpr char kAskExecute = 'x';
constexpr std::size_t kMaxPath = 65536;

constexpr milliseconds kAnswerLimit{10'000};  ///< a slow file system, an automounter
constexpr milliseconds kLook{50};             ///< how soon a stopped delegate is noticed
constexpr milliseconds kReapLimit{200};       ///< one killed in a system call may not end at once
constexpr int kAttempts = 3;                  ///< to get one answer
constexpr int kReplacements = 12;             ///< in all

struct Request {
  std::uint32_t number = 0;
  char question = 0;
  Permissions wanted = 0;
};

struct Reply {
  std::uint32_t number = 0;
  int result = 0;
};

/// What the child needs, made before the fork: the asker may have threads, so the child may not
/// allocate (fork(2): only async-signal-safe functions).
struct Orders {
  const Identity& who;
  bool is_already;
  bool use_exec_check;
  int mount_namespace;  ///< -1: nothing is entered
  int root;
  int user_namespace;  ///< -1: the caller's own
  pid_t parent;
};

int enter_process(const Orders& orders) {
  if (orders.mount_namespace < 0) return 0;
  // setns(2) resets root and working directory, so the root is entered by its descriptor after.
  const bool entered = setns(orders.mount_namespace, CLONE_NEWNS) == 0 &&
                       fchdir(orders.root) == 0 && chroot(".") == 0 && chdir("/") == 0;
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

/// Also where the kernel has no close_range(2), before Linux 5.9.
void close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  const long most = sysconf(_SC_OPEN_MAX);
  for (long each = first; each < (most > 0 ? most : 1024); ++each) close(static_cast<int>(each));
}

enum Kept : int { kSocket = 0, kUserNamespace = 1 };

/// Leaves the socket at 0 and a user namespace at 1, and no other descriptor: what root has open
/// is nothing for the user. Whether there is a user namespace.
bool keep_only(int socket, int user_namespace) {
  const int high_socket = fcntl(socket, F_DUPFD, 3);
  const int high_namespace = user_namespace < 0 ? -1 : fcntl(user_namespace, F_DUPFD, 3);
  dup2(high_socket, kSocket);
  const bool kept = high_namespace >= 0 && dup2(high_namespace, kUserNamespace) >= 0;
  close_from(kept ? kUserNamespace + 1 : kSocket + 1);
  return kept;
}

int answer(const Request& request, const char* path, bool use_exec_check) {
  if (request.question == kAskAccess) return effective_access(path, request.wanted);
  return use_exec_check ? effective_execute(path) : ENOSYS;
}

void send_reply(const Reply& reply) {
  if (send(kSocket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) _exit(0);
}

/// A change of credentials clears the signal of the parent's death and may make the process one
/// that others may trace: prctl(2), PR_SET_PDEATHSIG and PR_SET_DUMPABLE.
void guard_against_others(pid_t parent) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) _exit(0);
}

[[noreturn]] void serve(int socket, const Orders& orders) {
  // A handler of the asker's would run here; all but SIGKILL and SIGSTOP can be held off.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  guard_against_others(orders.parent);
  int error = enter_process(orders);
  const bool has_namespace = keep_only(socket, orders.user_namespace);
  if (error == 0 && !orders.is_already) {
    error = become(orders.who, has_namespace ? kUserNamespace : -1);
  }
  close(kUserNamespace);
  guard_against_others(orders.parent);
  send_reply({0, error});
  std::array<char, kMaxPath + 1> path;
  while (error == 0) {
    Request request;
    std::array<iovec, 2> parts{{{&request, sizeof request}, {path.data(), kMaxPath}}};
    const ssize_t size = readv(kSocket, parts.data(), parts.size());
    if (size < static_cast<ssize_t>(sizeof request)) break;
    path[static_cast<std::size_t>(size) - sizeof request] = '\0';
    send_reply({request.number, answer(request, path.data(), orders.use_exec_check)});
  }
  _exit(0);
}

/// Whether `child` waits for a signal to go on: nobody but its user has stopped it.
bool is_stopped(pid_t child) {
  siginfo_t state{};
  return waitid(P_PID, static_cast<id_t>(child), &state, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         state.si_pid == child;
}

/// Without end only where the child waits for a disk that does not answer: then it is left behind.
void reap(pid_t child) {
  const auto end = Clock::now() + kReapLimit;
  kill(child, SIGKILL);
  while (true) {
    const pid_t ended = waitpid(child, nullptr, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR) || Clock::now() > end) return;
    const timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace

/// A process's namespaces and root, held open for every delegate that enters it.
class DelegateKernel::Entered {
 public:
  explicit Entered(const std::string& process) {
    mount_namespace = opened(process + "/ns/mnt", O_RDONLY);
    root = opened(process + "/root", O_PATH | O_DIRECTORY);
    if (!shares_with(process, "ns/user").value) {
      user_namespace = opened(process + "/ns/user", O_RDONLY);
    }
  }
  ~Entered() {
    for (const int descriptor : {mount_namespace, root, user_namespace}) {
      if (descriptor >= 0) close(descriptor);
    }
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

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

/// One child and the socket to it.
class DelegateKernel::Delegate {
 public:
  explicit Delegate(const Orders& orders) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      error_ = errno;
      return;
    }
    socket_ = ends[0];
    child_ = fork();
    if (child_ == 0) serve(ends[1], orders);
    error_ = child_ < 0 ? errno : 0;
    close(ends[1]);
  }
  ~Delegate() {
    if (socket_ >= 0) close(socket_);
    if (child_ > 0) reap(child_);
  }
  Delegate(const Delegate&) = delete;
  Delegate& operator=(const Delegate&) = delete;

  /// Why there is no child; 0: there is.
  int error() const { return error_; }

  bool ask(const Request& request, const std::string& path) const {
    std::array<iovec, 2> parts{{{const_cast<Request*>(&request), sizeof request},
                                {const_cast<char*>(path.data()), path.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(sizeof request + path.size());
  }

  /// The answer to question `number`. Errors: ETIMEDOUT it was stopped or is too slow, ECONNRESET
  /// it is gone or says anything else.
  Result<int> answer_to(std::uint32_t number) const {
    const auto end = Clock::now() + kAnswerLimit;
    while (true) {
      pollfd readable{socket_, POLLIN, 0};
      const int ready = poll(&readable, 1, static_cast<int>(kLook.count()));
      if (ready > 0) break;
      if (is_stopped(child_) || Clock::now() > end) return failure<int>(ETIMEDOUT);
    }
    Reply reply;
    const ssize_t got = recv(socket_, &reply, sizeof reply, MSG_DONTWAIT);
    const bool whole = got == sizeof reply && reply.number == number;
    return whole ? Result<int>{0, reply.result} : failure<int>(ECONNRESET);
  }

 private:
  int socket_ = -1;
  pid_t child_ = -1;
  int error_ = 0;
};

DelegateKernel::DelegateKernel(const Identity& who, bool use_exec_check, const std::string& enter)
    : who_(who), use_exec_check_(use_exec_check) {
  if (!enter.empty()) {
    entered_ = std::make_unique<Entered>(enter);
    error_ = entered_->error;
  }
  const bool own_users = !entered_ || entered_->user_namespace < 0;
  is_already_ = own_users && current_identity() == who;
  for (int attempt = 0; error_ == 0 && !delegate_ && attempt < kAttempts; ++attempt) renew();
  if (error_ == 0 && !delegate_) error_ = failure_;
}

DelegateKernel::~DelegateKernel() = default;

/// Makes a delegate that has become `who`; where it cannot, `error_` says so for good.
void DelegateKernel::renew() const {
  const Orders orders{who_,
                      is_already_,
                      use_exec_check_,
                      entered_ ? entered_->mount_namespace : -1,
                      entered_ ? entered_->root : -1,
                      entered_ ? entered_->user_namespace : -1,
                      getpid()};
  auto fresh = std::make_unique<Delegate>(orders);
  error_ = fresh->error();
  if (error_ != 0) return;
  const Result<int> became = fresh->answer_to(0);
  failure_ = became.error;
  error_ = became ? became.value : 0;
  if (became && became.value == 0) delegate_ = std::move(fresh);
}

KernelAnswer DelegateKernel::ask(char question, const std::string& path, Permissions wanted) const {
  if (path.size() > kMaxPath) return {};
  for (int attempt = 0; error_ == 0 && attempt < kAttempts; ++attempt) {
    if (!delegate_) {
      if (replaced_ == kReplacements) break;
      ++replaced_;
      renew();
      if (error_ != 0) failure_ = error_;
      if (!delegate_) continue;
    }
    const Request request{++number_ == 0 ? ++number_ : number_, question, wanted};
    const Result<int> result = delegate_->ask(request, path) ? delegate_->answer_to(request.number)
                                                             : failure<int>(ECONNRESET);
    if (result) return answer_from_errno(result.value);
    failure_ = result.error;
    delegate_.reset();
  }
  return failure_ != 0 ? KernelAnswer{KernelAnswer::Kind::lost, failure_} : KernelAnswer{};
}

KernelAnswer DelegateKernel::may_access(const std::string& path, Permissions wanted) const {
  return ask(kAskAccess, path, wanted);
}

KernelAnswer DelegateKernel::may_execute(const std::string& path) const {
  return ask(kAskExecute, path, 0);
}

}  // namespace permguard
