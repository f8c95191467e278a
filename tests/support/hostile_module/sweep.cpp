// SPDX-License-Identifier: Apache-2.0
#include "sweep.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

#include "hostile.h"

namespace hostile {
namespace {

constexpr unsigned kLongestSeconds = 10;
constexpr int kMoments = 15;
constexpr std::int64_t kSecond = 1000000000;
enum Outcome : int { kOk, kHooks, kCode, kRefused };

struct Restart {
  apr_pool_t* pconf;
  apr_pool_t* plog;
  apr_pool_t* ptemp;
  server_rec* server;
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> pointers;
  std::uint64_t hooks;
  std::int64_t duration;  ///< of a healthy restart, nanoseconds
  int moment;             ///< of kMoments, when a word changes
  char* varies;           ///< by pointer: changes in a healthy restart too; shared with the copies
};

std::int64_t nanoseconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

/// What mod_permguard does at a restart; kRefused where httpd would not go on.
int run_hooks(const Restart& restart) {
  const apr_array_header_t* entries = ap_hook_get_post_config();
  for (int i = 0; i < entries->nelts; ++i) {
    const auto& entry = reinterpret_cast<const ap_LINK_post_config_t*>(entries->elts)[i];
    if (!entry.szName || std::strcmp(entry.szName, "mod_permguard.c") != 0) continue;
    if (entry.pFunc(restart.pconf, restart.plog, restart.ptemp, restart.server) != OK) {
      return kRefused;
    }
  }
  return kOk;
}

void be_mortal() {
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGALRM, SIGTERM, SIGHUP, SIGUSR1}) {
    signal(number, SIG_DFL);
  }
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  alarm(kLongestSeconds);
}

/// In the copy. `learns`: nothing was changed, so what changes now always does.
int judge(const Restart& restart, bool learns) {
  const int outcome = run_hooks(restart);
  if (outcome != kOk) return outcome;
  for (std::size_t i = 0; i < restart.pointers.size(); ++i) {
    const auto [address, held] = restart.pointers[i];
    if (word_at(address) == held || restart.varies[i]) continue;
    if (!learns) return kCode;
    restart.varies[i] = 1;
  }
  return hooks_sum() == restart.hooks ? kOk : kHooks;
}

/// One word, one value, and whether it is there from the beginning.
struct Attack {
  std::uintptr_t address = 0;
  std::uint64_t value = 0;
  std::string kind;
};

constinit Attack* armed = nullptr;

void store_now(int) {
  word_at(armed->address) = armed->value;
}

/// What was checked must still be so when it is used: the word changes after `nanoseconds`.
void store_later(const Attack& attack, std::int64_t nanoseconds) {
  armed = const_cast<Attack*>(&attack);
  struct sigaction action {};
  action.sa_handler = store_now;
  action.sa_flags = SA_RESTART;
  sigaction(SIGRTMIN, &action, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN;
  timer_t timer{};
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  itimerspec when{};
  when.it_value = {nanoseconds / kSecond, nanoseconds % kSecond};
  timer_settime(timer, 0, &when, nullptr);
}

std::string in_a_copy(const Restart& restart, bool learns, const Attack* later = nullptr) {
  const pid_t copy = fork();
  if (copy == 0) {
    be_mortal();
    if (later) store_later(*later, restart.duration * restart.moment / (kMoments + 1));
    _exit(judge(restart, learns));
  }
  int status = 0;
  while (waitpid(copy, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  switch (WEXITSTATUS(status)) {
    case kOk:
      return "ok";
    case kHooks:
      return "hooks";
    case kCode:
      return "code";
    default:
      return "exit " + std::to_string(WEXITSTATUS(status));
  }
}

/// Memory of the last configuration is gone.
std::vector<Range> shared_memory() {
  std::vector<Range> shared;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-s ") == line.npos) continue;
    for (const Range& range : ranges_in(line.substr(0, line.find(' ')))) shared.push_back(range);
  }
  return shared;
}

std::string attacked(Restart& restart, const Attack& attack) {
  const std::vector<Range> shared = shared_memory();
  const bool mapped = std::any_of(shared.begin(), shared.end(), [&](const Range& range) {
    return attack.address >= range.begin && attack.address < range.end;
  });
  if (!mapped) return "gone";
  const std::uint64_t before = word_at(attack.address);
  std::string outcome;
  if (attack.kind == "switches") {
    restart.moment = restart.moment % kMoments + 1;
    outcome = in_a_copy(restart, false, &attack);
  } else {
    word_at(attack.address) = attack.value;
    outcome = in_a_copy(restart, false);
  }
  word_at(attack.address) = before;
  return outcome;
}

void sweep_words(Restart& restart, std::istream& words, std::ostream& results) {
  for (int i = 0; i < 3; ++i) {
    const std::int64_t began = nanoseconds_now();
    results << "0 0 none " << in_a_copy(restart, i < 2) << '\n';
    restart.duration = nanoseconds_now() - began;
  }
  words >> std::hex;
  results << std::hex;
  for (Attack attack; words >> attack.address >> attack.value >> attack.kind;) {
    results << attack.address << ' ' << attack.value << ' ' << attack.kind << ' '
            << attacked(restart, attack) << '\n';
  }
}

}  // namespace

void sweep(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* server) {
  const std::string file = ap_server_root_relative(ptemp, "rt/sweep");
  std::ifstream words(file);
  if (!words) return;
  Restart restart{pconf, plog, ptemp, server, code_pointers(), hooks_sum(), 0, 0, nullptr};
  void* shared = mmap(nullptr, restart.pointers.size() + 1, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return;
  restart.varies = static_cast<char*>(shared);
  std::ofstream results(file + ".result");
  sweep_words(restart, words, results);
  munmap(shared, restart.pointers.size() + 1);
  unlink(file.c_str());
}

}  // namespace hostile
