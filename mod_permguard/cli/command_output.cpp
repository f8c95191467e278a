// SPDX-License-Identifier: Apache-2.0
#include "cli/command_output.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace permguard::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// A program of a process group of its own, which ends with this object.
class Running {
 public:
  explicit Running(const std::vector<std::string>& command, bool shows_errors) {
    if (pipe2(pipe_.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_[1], STDOUT_FILENO);
    if (!shows_errors) {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    if (posix_spawn(&child_, words[0], &actions, &attributes, words.data(), environ) != 0) {
      child_ = -1;
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_[1]);
  }
  ~Running() {
    if (pipe_[0] >= 0) close(pipe_[0]);
    if (child_ <= 0) return;
    kill(-child_, SIGKILL);
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  /// All it writes until the last writer ends.
  std::optional<std::string> text(const OutputLimits& limits) const {
    if (child_ <= 0) return std::nullopt;
    const auto end = Clock::now() + limits.time;
    std::string all;
    std::array<char, 65536> part;
    while (all.size() < limits.bytes) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      pollfd readable{pipe_[0], POLLIN, 0};
      const int ready = left.count() > 0 ? poll(&readable, 1, static_cast<int>(left.count())) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return std::nullopt;
      const ssize_t got = read(pipe_[0], part.data(), part.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(got));
    }
    return std::nullopt;
  }

 private:
  std::array<int, 2> pipe_{-1, -1};
  pid_t child_ = -1;
};

}  // namespace

std::optional<std::string> output_of(const std::vector<std::string>& command,
                                     const OutputLimits& limits) {
  return Running(command, limits.shows_errors).text(limits);
}

}  // namespace permguard::cli
