// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace permguard::test {

/// What became of an execve(2): the truth that a parser is compared with.
struct ExecTruth {
  int error = 0;       ///< errno of execve; 0: it succeeded
  int status = 0;      ///< as wait(2) gives it, where execve succeeded
  std::string output;  ///< stdout; stderr goes nowhere
};

inline std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = read(fd, buffer.data(), buffer.size())) != 0;) {
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR) break;
  }
  return text;
}

/// execve of `path` with `words` as argv and `environment` ("NAME=value") in a child.
inline ExecTruth execute(const std::string& path, std::vector<std::string> words,
                         std::vector<std::string> environment = {}) {
  std::vector<char*> argv, envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& entry : environment) envp.push_back(entry.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  std::array<int, 2> out{}, failure{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(failure.data(), O_CLOEXEC) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(out[1], 1);
    dup2(null, 2);
    execve(path.c_str(), argv.data(), envp.data());
    const int error = errno;
    if (write(failure[1], &error, sizeof error) < 0) _exit(126);
    _exit(127);
  }
  close(out[1]);
  close(failure[1]);
  ExecTruth truth;
  truth.output = read_to_end(out[0]);
  if (read(failure[0], &truth.error, sizeof truth.error) < 0) abort();
  waitpid(child, &truth.status, 0);
  close(out[0]);
  close(failure[0]);
  return truth;
}

}  // namespace permguard::test
