// SPDX-License-Identifier: Apache-2.0
#include "httpd/bounded_child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

namespace permguard {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThrew = 255;
constexpr auto kStep = std::chrono::milliseconds(2);
/// How long a killed child is waited for.
constexpr auto kLast = std::chrono::milliseconds(200);

/// No exception may leave the child: two processes would go on.
int result_of(const std::function<int()>& work) noexcept {
  int result = kThrew;
  try {
    result = work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mod_permguard: %s\n", error.what());
  }
  std::fflush(nullptr);
  return result;
}

/// The child's wait status; none where it has not ended by `end`, or cannot be waited for.
std::optional<int> wait_until(pid_t child, Clock::time_point end) {
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if ((ended < 0 && errno != EINTR) || Clock::now() > end) return std::nullopt;
    std::this_thread::sleep_for(kStep);
  }
}

}  // namespace

std::optional<int> in_bounded_child(const std::function<int()>& work,
                                    std::chrono::milliseconds limit) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return result_of(work);
  if (child == 0) std::_Exit(result_of(work));
  const std::optional<int> status = wait_until(child, Clock::now() + limit);
  if (!status) {
    kill(child, SIGKILL);
    wait_until(child, Clock::now() + kLast);
    return std::nullopt;
  }
  const bool done = WIFEXITED(*status) && WEXITSTATUS(*status) != kThrew;
  return done ? std::optional(WEXITSTATUS(*status)) : std::nullopt;
}

}  // namespace permguard
