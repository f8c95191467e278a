// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/file_status.h"
#include "core/identity.h"

namespace permguard {

/// What the kernel said when it was asked. EPERM, ENOSYS, EINVAL, EINTR, EIO and ENOMEM mean
/// that the question was not answered: `not_asked`, never a refusal.
struct KernelAnswer {
  enum class Kind {
    not_asked,
    allowed,
    refused,
    lost  ///< asked, and who had to answer was stopped or killed each time
  };
  Kind kind = Kind::not_asked;
  int error = 0;  ///< errno of a refusal; of lost: ETIMEDOUT stopped or too slow, ECONNRESET killed

  bool allowed() const { return kind == Kind::allowed; }
  bool refused() const { return kind == Kind::refused; }
  bool lost() const { return kind == Kind::lost; }
};

/// The answer that a system call's result stands for; `error` 0 is success.
KernelAnswer answer_from_errno(int error);

/// Asks the kernel on behalf of one identity.
class Kernel {
 public:
  virtual ~Kernel() = default;

  /// Whether that identity has all of `wanted` on the file `path` leads to, links followed:
  /// faccessat2(2) with AT_EACCESS. X on a regular file of a noexec mount is refused with
  /// EACCES (access(2)).
  virtual KernelAnswer may_access(const std::string& path, Permissions wanted) const = 0;

  /// Whether execve(2) of `path` would get past the kernel's checks: execveat(2) with
  /// AT_EXECVE_CHECK, Linux 6.14; it opens the file only, so the interpreter and the format
  /// are not part of the answer. ETXTBSY while somebody has the file open for writing, which
  /// execve(2) asks of every file of the chain. `not_asked` where the kernel or this asker
  /// cannot.
  virtual KernelAnswer may_execute(const std::string& path) const = 0;

  /// Whether the kernel itself refused: a filter on system calls (seccomp(2), systemd's
  /// SystemCallErrorNumber=) sees no path, so that it gives its error for every question, also
  /// for those whose answer path_resolution(7) fixes. To be asked after a refusal, not before: a
  /// filter may be installed at any time. True where this asker cannot be filtered.
  virtual bool refuses_by_itself(const KernelAnswer& refusal, Permissions wanted) const;
  virtual bool refuses_execution_by_itself() const;
};

/// Asks with faccessat2 only: for the calling process's own identity, one system call, no
/// allocation. The only asker that may run inside httpd before dispatch.
class AccessKernel : public Kernel {
 public:
  KernelAnswer may_access(const std::string& path, Permissions wanted) const override;
  KernelAnswer may_execute(const std::string& path) const override;
  bool refuses_by_itself(const KernelAnswer& refusal, Permissions wanted) const override;
  bool refuses_execution_by_itself() const override;
};

/// Asks with both calls, in the calling process. While AT_EXECVE_CHECK runs, pthread_create
/// fails with EAGAIN in a process that shares its fs_struct, and writers see ETXTBSY: for
/// single-threaded commands.
class ExecCheckKernel : public AccessKernel {
 public:
  KernelAnswer may_execute(const std::string& path) const override;
};

/// AccessKernel's one call, without a string: for the hot path and between fork and exec.
/// `path` is NUL-terminated. Returns 0 or errno.
int effective_access(const char* path, Permissions wanted) noexcept;

/// AT_EXECVE_CHECK, likewise. EINVAL from a kernel before 6.14, which counts as not asked.
int effective_execute(const char* path) noexcept;

/// AT_EXECVE_CHECK on a helper thread that has left its process's fs_struct by
/// unshare(CLONE_FS), so that no other thread of a server is disturbed; waits for its end.
KernelAnswer execute_check_on_helper_thread(const std::string& path) noexcept;

/// Whether this kernel knows AT_EXECVE_CHECK.
bool kernel_has_exec_check();

/// A child process that has become another identity (setgroups, setgid, setuid, then an
/// optional chroot) and asks there, with both calls. Needs root, unless `who` is the caller
/// already. May be made while other threads run: the child allocates nothing. One thread at a
/// time may ask. The child ends with this object, and with its process.
///
/// The user it has become may stop and kill it, but not trace it, and gets none of the asker's
/// descriptors. A question that is not answered is put to a new child, a few times; then it is
/// `lost`, and after a dozen new children every further one is.
class DelegateKernel : public Kernel {
 public:
  /// `use_exec_check` false leaves AT_EXECVE_CHECK out, as on older kernels.
  /// `enter`, where not empty, a process's directory in proc(5) (Process::path()): first enter its
  /// mount namespace, root and user namespace (setns(2), chroot(2)); `who` is as this process sees
  /// it.
  DelegateKernel(const Identity& who, bool use_exec_check, const std::string& enter = {});
  ~DelegateKernel() override;
  DelegateKernel(const DelegateKernel&) = delete;
  DelegateKernel& operator=(const DelegateKernel&) = delete;

  /// 0, or the errno that kept the child from becoming that identity: then every answer is
  /// not_asked.
  int error() const { return error_; }
  KernelAnswer may_access(const std::string& path, Permissions wanted) const override;
  KernelAnswer may_execute(const std::string& path) const override;
  bool refuses_by_itself(const KernelAnswer& refusal, Permissions wanted) const override;
  bool refuses_execution_by_itself() const override;

 private:
  class Entered;
  class Delegate;

  void renew() const;
  KernelAnswer ask(char question, const std::string& path, Permissions wanted) const;

  Identity who_;
  bool use_exec_check_;
  bool is_already_ = false;  ///< the caller is `who_`
  std::unique_ptr<const Entered> entered_;
  // What replacing a child changes; one thread at a time asks.
  mutable std::unique_ptr<const Delegate> delegate_;
  mutable std::uint32_t number_ = 0;  ///< of the last question
  mutable int replaced_ = 0;
  mutable int error_ = 0;
  mutable int failure_ = 0;  ///< why the last answer was lost
};

}  // namespace permguard
