// SPDX-License-Identifier: Apache-2.0
#include "support/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace permguard::test {
namespace {

using Clock = std::chrono::steady_clock;

void require(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

ProcessResult from_status(int status) {
  ProcessResult result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

[[noreturn]] void execute(const std::vector<std::string>& command, const ProcessOptions& options) {
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  if (!options.user.empty()) become_user(options.user);
  if (!options.directory.empty()) {
    require(::chdir(options.directory.c_str()) == 0, "chdir " + options.directory);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  ::_exit(127);
}

/// Reads both pipes until both are closed or `deadline` has come; true: both were closed.
bool drain(int out, int err, ProcessResult& result, Clock::time_point deadline) {
  std::array<pollfd, 2> polled = {pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  const std::array<std::string*, 2> texts = {&result.out, &result.err};
  std::array<char, 65536> buffer{};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    if (::poll(polled.data(), polled.size(), static_cast<int>(left.count())) <= 0) continue;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      const ssize_t count = ::read(polled[i].fd, buffer.data(), buffer.size());
      if (count > 0) texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
      if (count == 0) polled[i].fd = -1;
    }
  }
  return true;
}

int open_output(const ProcessOptions& options) {
  if (options.output.empty()) return -1;
  const int file = ::open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  require(file >= 0, "open " + options.output);
  return file;
}

}  // namespace

bool poll_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

Child::Child(const std::vector<std::string>& command, const ProcessOptions& options)
    : Child(command, options, -1, -1) {}

Child::Child(const std::vector<std::string>& command, const ProcessOptions& options, int out,
             int err) {
  const int file = open_output(options);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  require(pid_ >= 0, "fork");
  if (pid_ != 0) {
    ::setpgid(pid_, pid_);
    if (file >= 0) ::close(file);
    return;
  }
  try {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    if (file >= 0) out = err = file;
    if (out >= 0) ::dup2(out, STDOUT_FILENO);
    if (err >= 0) ::dup2(err, STDERR_FILENO);
    execute(command, options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ::_exit(127);
  }
}

Child::~Child() {
  if (!ended_) stop(std::chrono::seconds(5));
}

bool Child::running() {
  return !wait(std::chrono::milliseconds(0));
}

void Child::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

std::optional<ProcessResult> Child::wait(std::chrono::milliseconds limit) {
  poll_until(
      [this] {
        int status = 0;
        if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) ended_ = from_status(status);
        return ended_.has_value();
      },
      limit);
  return ended_;
}

ProcessResult Child::stop(std::chrono::milliseconds limit) {
  signal(SIGTERM);
  if (const auto ended = wait(limit)) return *ended;
  ::kill(-pid_, SIGKILL);
  ProcessResult result = wait(std::chrono::seconds(10)).value_or(ProcessResult{});
  result.timed_out = true;
  return result;
}

ProcessResult run(const std::vector<std::string>& command, const ProcessOptions& options) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  require(::pipe2(out.data(), O_CLOEXEC) == 0 && ::pipe2(err.data(), O_CLOEXEC) == 0, "pipe");
  Child child(command, options, out[1], err[1]);
  ::close(out[1]);
  ::close(err[1]);
  ProcessResult texts;
  const auto deadline = Clock::now() + options.timeout;
  bool in_time = drain(out[0], err[0], texts, deadline);
  ::close(out[0]);
  ::close(err[0]);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  in_time = in_time && child.wait(std::max(left, std::chrono::milliseconds(0)));
  ProcessResult result = in_time ? *child.ended_ : child.stop(std::chrono::seconds(2));
  result.timed_out = !in_time;
  result.out = std::move(texts.out);
  result.err = std::move(texts.err);
  return result;
}

void become_user(const std::string& user) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) throw std::runtime_error("no such user: " + user);
  require(::initgroups(entry->pw_name, entry->pw_gid) == 0, "initgroups " + user);
  require(::setgid(entry->pw_gid) == 0, "setgid " + user);
  require(::setuid(entry->pw_uid) == 0, "setuid " + user);
}

int run_as(const std::string& user, const std::function<int()>& work) {
  const pid_t pid = ::fork();
  require(pid >= 0, "fork");
  if (pid == 0) {
    try {
      become_user(user);
      ::_exit(work());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(255);
    }
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return from_status(status).exit_code;
}

}  // namespace permguard::test
