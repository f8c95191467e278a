// SPDX-License-Identifier: Apache-2.0
//
// Why AT_EXECVE_CHECK has no place before dispatch inside httpd: reproduces, on a kernel that
// has it (Linux 6.14), what it costs and what it does to its own process and to writers.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "core/kernel.h"

namespace {

using permguard::effective_access;
using permguard::kExecute;

constexpr int kCalls = 20000;
constexpr int kTries = 2000;
constexpr int kFlagExecveCheck = 0x10000;  // AT_EXECVE_CHECK, linux/fcntl.h of Linux 6.14

/// A script that is gone with the object.
class Script {
 public:
  Script() {
    const int fd = mkostemp(path_.data(), O_CLOEXEC);
    if (fd < 0 || write(fd, "#!/bin/sh\n", 10) != 10 || fchmod(fd, 0755) != 0) std::abort();
    close(fd);
  }
  ~Script() { unlink(path()); }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  const char* path() const { return path_.data(); }

 private:
  std::array<char, 40> path_ = {"/tmp/permguard-bench.XXXXXX"};
};

/// 0 or errno of the check.
int exec_check(const char* path) {
  std::array<char, 2> name = {"x"};
  std::array<char*, 2> arguments = {name.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  const long result =
      syscall(SYS_execveat, AT_FDCWD, path, arguments.data(), environment.data(), kFlagExecveCheck);
  return result == 0 ? 0 : errno;
}

double seconds_for(const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Checks `path` without pause in a thread of its own, until the object is gone.
class Checker {
 public:
  Checker(const char* path, bool leaves_fs)
      : thread_([this, path, leaves_fs] {
          if (leaves_fs && unshare(CLONE_FS) != 0) std::abort();
          while (!stop_) {
            exec_check(path);
            ++checks_;
          }
        }) {
    while (checks_ == 0) std::this_thread::yield();
  }
  ~Checker() {
    stop_ = true;
    thread_.join();
  }
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  int checks() const { return checks_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> checks_{0};
  std::thread thread_;  // last: starts when the others are there
};

void print_cost(const Script& script) {
  const double access = seconds_for([&] { effective_access(script.path(), kExecute); });
  const double check = seconds_for([&] { exec_check(script.path()); });
  std::printf("cost                            %.1f x faccessat2\n", check / access);
}

/// How many of kTries threads could not be made (EAGAIN) meanwhile.
int refused_threads() {
  int refused = 0;
  for (int i = 0; i < kTries; ++i) {
    pthread_t thread{};
    const int error = pthread_create(
        &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
    if (error == 0) pthread_join(thread, nullptr);
    if (error == EAGAIN) ++refused;
  }
  return refused;
}

void print_threads(const Script& script, bool leaves_fs) {
  const Checker checker(script.path(), leaves_fs);
  std::printf("pthread_create EAGAIN meanwhile %d of %d, %s\n", refused_threads(), kTries,
              leaves_fs ? "helper thread after unshare(CLONE_FS)" : "same fs_struct");
}

/// One thread checks, this one opens for writing, until each has had its kTries.
void print_writers(const Script& script) {
  const Checker checker(script.path(), true);
  const int before = checker.checks();
  int tries = 0, refused = 0;
  for (; tries < kTries || checker.checks() - before < kTries; ++tries) {
    const int fd = open(script.path(), O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ETXTBSY) ++refused;
    if (fd >= 0) close(fd);
  }
  std::printf("writers seeing ETXTBSY          %d of %d, while another thread checks\n", refused,
              tries);
}

void print_checks_of_a_busy_file(const Script& script) {
  const int fd = open(script.path(), O_WRONLY | O_CLOEXEC);
  int busy = 0;
  for (int i = 0; i < kTries; ++i) busy += exec_check(script.path()) == ETXTBSY ? 1 : 0;
  std::printf("checks seeing ETXTBSY           %d of %d, while a writer has the file open\n", busy,
              kTries);
  close(fd);
}

}  // namespace

int main() {
  const Script script;
  if (!permguard::kernel_has_exec_check()) {
    std::printf("this kernel has no AT_EXECVE_CHECK (Linux 6.14): nothing to measure\n");
    return 0;
  }
  print_cost(script);
  print_threads(script, false);
  print_threads(script, true);
  print_writers(script);
  print_checks_of_a_busy_file(script);
}
