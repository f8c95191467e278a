// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

#include "core/kernel.h"

namespace permguard {
namespace {

// linux/fcntl.h of Linux 6.14; older headers lack it.
constexpr int kExecveCheck = 0x10000;

int errno_of(long result) {
  return result == 0 ? 0 : errno;
}

struct HelperTask {
  const char* path;
  int error;
};

void* run_helper(void* argument) {
  auto* task = static_cast<HelperTask*>(argument);
  task->error = unshare(CLONE_FS) == 0 ? effective_execute(task->path) : ENOSYS;
  return nullptr;
}

/// Whether the access call answers as it must (path_resolution(7)): "" is ENOENT, a path that is
/// too long ENAMETOOLONG. Who may not even search "/" reaches nothing; he is taken for a filtered
/// one.
bool knows_access(const Kernel& kernel, const KernelAnswer& refusal, Permissions wanted) {
  const bool known =
      refusal.error == ENOENT
          ? kernel.may_access(std::string(PATH_MAX, 'x'), wanted).error == ENAMETOOLONG
          : kernel.may_access("", wanted).error == ENOENT;
  return known && kernel.may_access("/", kExecute).allowed();
}

bool knows_execution(const Kernel& kernel) {
  return kernel.may_execute("").error == ENOENT;
}

}  // namespace

bool Kernel::refuses_by_itself(const KernelAnswer&, Permissions) const {
  return true;
}

bool Kernel::refuses_execution_by_itself() const {
  return true;
}

bool AccessKernel::refuses_by_itself(const KernelAnswer& refusal, Permissions wanted) const {
  return knows_access(*this, refusal, wanted);
}

bool AccessKernel::refuses_execution_by_itself() const {
  return knows_execution(*this);
}

bool DelegateKernel::refuses_by_itself(const KernelAnswer& refusal, Permissions wanted) const {
  return knows_access(*this, refusal, wanted);
}

bool DelegateKernel::refuses_execution_by_itself() const {
  return knows_execution(*this);
}

KernelAnswer answer_from_errno(int error) {
  using Kind = KernelAnswer::Kind;
  switch (error) {
    case 0:
      return {Kind::allowed, 0};
    case EPERM:
    case ENOSYS:
    case EINVAL:
    case EINTR:
    case EIO:
    case ENOMEM:
      return {Kind::not_asked, error};
    default:
      return {Kind::refused, error};
  }
}

int effective_access(const char* path, Permissions wanted) noexcept {
  return errno_of(syscall(SYS_faccessat2, AT_FDCWD, path, static_cast<int>(wanted), AT_EACCESS));
}

int effective_execute(const char* path) noexcept {
  char* const nothing[] = {nullptr};
  return errno_of(syscall(SYS_execveat, AT_FDCWD, path, nothing, nothing, kExecveCheck));
}

KernelAnswer AccessKernel::may_access(const std::string& path, Permissions wanted) const {
  return answer_from_errno(effective_access(path.c_str(), wanted));
}

KernelAnswer AccessKernel::may_execute(const std::string&) const {
  return {};
}

KernelAnswer ExecCheckKernel::may_execute(const std::string& path) const {
  return answer_from_errno(effective_execute(path.c_str()));
}

KernelAnswer execute_check_on_helper_thread(const std::string& path) noexcept {
  HelperTask task{path.c_str(), ENOSYS};
  pthread_t thread;
  if (pthread_create(&thread, nullptr, run_helper, &task) != 0) {
    return {};
  }
  pthread_join(thread, nullptr);
  return answer_from_errno(task.error);
}

// A file that can never be executed tells a kernel that knows the flag (EACCES) from one that
// does not (EINVAL), without the flag's side effects reaching a real script.
bool kernel_has_exec_check() {
  return effective_execute("/proc/self/status") == EACCES;
}

}  // namespace permguard
