// SPDX-License-Identifier: Apache-2.0
#include "oracle/suexec_run.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace permguard::oracle {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLog = "/var/log/apache2/suexec.log";

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void require(bool good, const std::string& what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

[[noreturn]] void become_and_execute(const std::string& binary, const Identity& caller,
                                     const std::string& directory,
                                     const std::array<std::string, 4>& words, int output,
                                     bool no_new_privs) {
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(null, STDERR_FILENO);
  dup2(output, STDOUT_FILENO);
  const bool become = setgroups(caller.groups.size(), caller.groups.data()) == 0 &&
                      setgid(caller.gid) == 0 && setuid(caller.uid) == 0;
  if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(kNoDirectory);
  if (!become || chdir(directory.c_str()) != 0) _exit(kNoDirectory);
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    arguments[i] = const_cast<char*>(words[i].c_str());
  }
  std::array<char*, 1> environment{nullptr};
  execve(binary.c_str(), arguments.data(), environment.data());
  _exit(kNoExec);
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 512> buffer;
  ssize_t got = 0;
  while ((got = read(file, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

SuexecRun run_suexec(const std::string& binary, const Identity& caller, const SuexecTarget& target,
                     const std::string& script, bool no_new_privs) {
  const std::size_t slash = script.find_last_of('/');
  const std::array<std::string, 4> words{
      binary, (target.userdir ? "~" : "") + std::to_string(target.who.uid),
      std::to_string(target.who.gid), script.substr(slash + 1)};
  std::array<int, 2> pipe{};
  require(pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe2");
  fs::remove(kLog);
  const pid_t child = fork();
  require(child >= 0, "fork");
  if (child == 0) {
    become_and_execute(binary, caller, script.substr(0, slash), words, pipe[1], no_new_privs);
  }
  close(pipe[1]);
  const std::string output = read_all(pipe[0]);
  close(pipe[0]);
  int status = 0;
  require(waitpid(child, &status, 0) == child, "waitpid");
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output.find(kMarker) != std::string::npos,
          contents(kLog)};
}

}  // namespace permguard::oracle
