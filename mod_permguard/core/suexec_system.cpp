// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "core/suexec.h"

namespace permguard {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLimit = std::chrono::seconds(5);
constexpr std::size_t kMaxText = std::size_t{64} << 10;
constexpr std::size_t kMaxBinary = std::size_t{1} << 20;
constexpr std::size_t kMaxEntry = std::size_t{1} << 20;  // bytes of one passwd or group entry

/// A suexec process that prints its settings into a pipe.
class VersionRun {
 public:
  ~VersionRun() {
    if (pipe_[0] >= 0) close(pipe_[0]);
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  /// 0 or errno.
  int start(const std::string& binary) {
    if (pipe2(pipe_.data(), O_CLOEXEC) != 0) return errno;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_[1], STDERR_FILENO);
    std::string name = binary;
    std::string option = "-V";
    std::array<char*, 3> arguments{name.data(), option.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    const int error = posix_spawn(&child_, binary.c_str(), &actions, nullptr, arguments.data(),
                                  environment.data());
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_[1]);
    if (error != 0) child_ = -1;
    return error;
  }

  /// What it prints until it closes the pipe.
  Result<std::string> text() {
    const auto end = Clock::now() + kLimit;
    Result<std::string> all;
    std::array<char, 4096> buffer;
    while (all.value.size() < kMaxText) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      pollfd readable{pipe_[0], POLLIN, 0};
      const int ready = left.count() > 0 ? poll(&readable, 1, static_cast<int>(left.count())) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return failure<std::string>(ready == 0 ? ETIMEDOUT : errno);
      const ssize_t got = read(pipe_[0], buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      all.value.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  std::array<int, 2> pipe_{-1, -1};
  pid_t child_ = -1;
};

struct PasswdEntry {
  std::string buffer;
  passwd entry{};
  passwd* found = nullptr;
};

/// 0, or what the name service said; `found` is null where there is no such user.
int read_passwd(uid_t uid, PasswdEntry& result) {
  int error = ERANGE;
  for (std::size_t size = 1024; error == ERANGE && size <= kMaxEntry; size *= 2) {
    result.buffer.resize(size);
    error = getpwuid_r(uid, &result.entry, result.buffer.data(), size, &result.found);
  }
  return error == ENOENT || error == ESRCH ? 0 : error;
}

}  // namespace

Result<SuexecSettings> read_suexec_settings(const std::string& binary,
                                            const std::string& server_user) {
  VersionRun run;
  const int error = run.start(binary);
  if (error != 0) return failure<SuexecSettings>(error);
  const Result<std::string> text = run.text();
  if (!text) return failure<SuexecSettings>(text.error);
  std::optional<SuexecSettings> settings = parse_suexec_version(text.value);
  if (!settings) return failure<SuexecSettings>(EPROTO);

  const SystemFilesystem filesystem;
  settings->binary = binary;
  settings->opens_directory = suexec_opens_directory(filesystem.read(binary, 0, kMaxBinary).value);
  refresh_suexec_config(*settings, filesystem, server_user);
  return {0, *settings};
}

Result<SuexecTarget> lookup_suexec_target(uid_t uid, gid_t gid, bool userdir) {
  PasswdEntry user;
  const int error = read_passwd(uid, user);
  if (error != 0) return failure<SuexecTarget>(error);
  Result<Identity> who = lookup_identity("#" + std::to_string(uid) + ":#" + std::to_string(gid));
  if (!who) return failure<SuexecTarget>(who.error);
  SuexecTarget target;
  target.who = std::move(who.value);
  target.userdir = userdir;
  target.user_known = user.found != nullptr;
  if (user.found != nullptr) target.home = user.found->pw_dir;
  target.group_known = SystemNames().group(gid).front() != '#';
  return {0, target};
}

}  // namespace permguard
