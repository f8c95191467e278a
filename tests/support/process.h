// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace permguard::test {

/// Calls `condition` until it is true, at most for `limit`; its last value.
bool poll_until(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(20));

struct ProcessOptions {
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to the test's own
  std::string directory;  ///< where it runs; empty: where the test runs
  std::string user;       ///< root only: who runs it; empty: the test's user
  std::string output;     ///< Child only: the file that gets stdout and stderr; empty: inherited
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

struct ProcessResult {
  int exit_code = -1;  ///< -1: killed by a signal, or not started (127: no such program)
  int signal = 0;
  bool timed_out = false;
  std::string out;
  std::string err;

  bool succeeded() const { return exit_code == 0; }
};

/// A process of its own group, ended with the object. It also gets SIGTERM when the test
/// program dies, so that no server is left behind.
class Child {
 public:
  Child(const std::vector<std::string>& command, const ProcessOptions& options = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  /// Its end, or nothing if it still runs after `limit`. exit_code and signal only.
  std::optional<ProcessResult> wait(std::chrono::milliseconds limit);
  /// SIGTERM, then after `limit` SIGKILL to the whole group.
  ProcessResult stop(std::chrono::milliseconds limit = std::chrono::seconds(20));

 private:
  friend ProcessResult run(const std::vector<std::string>&, const ProcessOptions&);
  Child(const std::vector<std::string>& command, const ProcessOptions& options, int out, int err);

  pid_t pid_ = -1;
  std::optional<ProcessResult> ended_;
};

/// Runs `command` (looked up in PATH) to its end and catches what it prints; its group is killed
/// after options.timeout.
ProcessResult run(const std::vector<std::string>& command, const ProcessOptions& options = {});

/// The calling process becomes `user` with that user's groups, for good. Throws.
void become_user(const std::string& user);

/// Calls `work` in a forked process that has become `user`; what `work` returned (0–255), or -1
/// where the process was killed. `work` must not use gtest's assertions.
int run_as(const std::string& user, const std::function<int()>& work);

}  // namespace permguard::test
