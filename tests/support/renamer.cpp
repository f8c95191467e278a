// SPDX-License-Identifier: Apache-2.0
#include "support/renamer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <system_error>

#include "support/process.h"

namespace permguard::test {
namespace {

constexpr std::size_t kPage = 4096;

[[noreturn]] void exchange_for_ever(const std::string& user, const std::string& one,
                                    const std::string& other, std::atomic<unsigned long>& renames) {
  become_user(user);  // before the signal is asked for: a change of ids forgets it, prctl(2)
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (getppid() != 1) {
    if (renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0) ++renames;
  }
  _exit(0);
}

}  // namespace

Renamer::Renamer(const std::string& user,
                 const std::vector<std::pair<std::string, std::string>>& pairs) {
  void* shared = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  renames_ = new (shared) std::atomic<unsigned long>(0);
  for (const auto& [one, other] : pairs) {
    const pid_t child = fork();
    if (child == 0) exchange_for_ever(user, one, other, *renames_);
    if (child > 0) processes_.push_back(child);
  }
}

Renamer::~Renamer() {
  for (const pid_t process : processes_) {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
  munmap(renames_, kPage);
}

unsigned long wanted_renames(unsigned long usual) {
  const char* asked = std::getenv("PERMGUARD_RENAMES");
  return asked != nullptr ? std::strtoul(asked, nullptr, 10) : usual;
}

}  // namespace permguard::test
