// SPDX-License-Identifier: Apache-2.0
//
// Starts a command in a sandbox, as a service manager may:
//   sandbox landlock DIRECTORY... -- COMMAND...   only files below these may be executed
//   sandbox seccomp ERRNO CALL... -- COMMAND...   these system calls fail with that number
//   sandbox no-new-privs -- COMMAND...
// or exchanges two names over and over: sandbox exchange ONE OTHER;
// or, as a CGI program of its own, answers ok;
// or waits, as "sleep" of a root directory that has nothing else: sandbox 60
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(125);
}

void allow_execution_below(int rules, const char* directory) {
  landlock_path_beneath_attr rule{};
  rule.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE;
  rule.parent_fd = open(directory, O_PATH | O_CLOEXEC);
  require(rule.parent_fd >= 0 &&
              syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0,
          directory);
  close(rule.parent_fd);
}

// Root needs no no_new_privs for it (landlock_restrict_self(2): CAP_SYS_ADMIN).
char** enter_landlock(char** words) {
  landlock_ruleset_attr what{};
  what.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE;
  const auto rules = static_cast<int>(syscall(SYS_landlock_create_ruleset, &what, sizeof what, 0));
  require(rules >= 0, "landlock_create_ruleset");
  for (; *words != nullptr && std::string_view(*words) != "--"; ++words) {
    allow_execution_below(rules, *words);
  }
  require(syscall(SYS_landlock_restrict_self, rules, 0) == 0, "landlock_restrict_self");
  close(rules);
  return words;
}

struct Call {
  const char* name;
  unsigned number;
};

constexpr std::array<Call, 8> kCalls = {{{"faccessat2", SYS_faccessat2},
                                         {"newfstatat", SYS_newfstatat},
                                         {"statx", SYS_statx},
                                         {"readlink", SYS_readlink},
                                         {"lgetxattr", SYS_lgetxattr},
                                         {"statfs", SYS_statfs},
                                         {"execveat", SYS_execveat},
                                         {"pread64", SYS_pread64}}};

unsigned number_of(const char* name) {
  for (const Call& call : kCalls) {
    if (std::string_view(name) == call.name) return call.number;
  }
  errno = EINVAL;
  require(false, name);
  return 0;
}

constexpr sock_filter statement(unsigned code, unsigned operand) {
  return BPF_STMT(static_cast<unsigned short>(code), operand);
}

// One filter a call: the kernel asks all of them, and the least friendly answer counts.
void refuse(unsigned call, unsigned error) {
  std::array<sock_filter, 4> program = {{
      statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "PR_SET_SECCOMP");
}

char** enter_seccomp(char** words) {
  const auto error = static_cast<unsigned>(std::atoi(*words++));
  for (; *words != nullptr && std::string_view(*words) != "--"; ++words) {
    refuse(number_of(*words), error);
  }
  return words;
}

[[noreturn]] void exchange(const char* one, const char* other) {
  while (true) {
    const bool done = renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0;
    require(done, "renameat2");
  }
}

}  // namespace

int main(int, char** words) {
  if (std::getenv("GATEWAY_INTERFACE") != nullptr) {
    return std::puts("Content-Type: text/plain\n\nok") < 0;
  }
  const std::string_view kind = *++words != nullptr ? *words++ : "";
  if (kind == "landlock") words = enter_landlock(words);
  if (kind == "60") return pause();
  if (kind == "exchange") exchange(words[0], words[1]);
  if (kind == "seccomp") words = enter_seccomp(words);
  if (kind == "no-new-privs") require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl");
  require(*words != nullptr && words[1] != nullptr, "nothing to start");
  execvp(words[1], words + 1);
  std::perror(words[1]);
  return 127;
}
