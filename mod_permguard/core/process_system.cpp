// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/process.h"

namespace permguard {

Result<Process> Process::open(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  const int descriptor = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failure<Process>(errno);
  Process process;
  process.pid_ = pid;
  process.descriptor_ = std::shared_ptr<const int>(new int(descriptor), [](const int* number) {
    close(*number);
    delete number;
  });
  return {0, std::move(process)};
}

std::string Process::path(const std::string& name) const {
  const std::string directory = "/proc/self/fd/" + std::to_string(descriptor_ ? *descriptor_ : -1);
  return name.empty() ? directory : directory + '/' + name;
}

std::string read_proc(const std::string& path, std::size_t most) {
  std::string text;
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  std::array<char, 4096> part;
  while (file >= 0 && text.size() < most) {
    const ssize_t got = read(file, part.data(), std::min(part.size(), most - text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  if (file >= 0) close(file);
  return text;
}

}  // namespace permguard
