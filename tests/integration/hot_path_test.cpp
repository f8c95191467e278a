// SPDX-License-Identifier: Apache-2.0
//
// What a healthy request costs, counted in system calls of the process that serves it.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <set>
#include <sstream>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using std::chrono::steady_clock;

constexpr int kRequests = 100;
/// strace comes and goes in the middle of what the child does after an answer: not a call a
/// request.
constexpr int kEdge = kRequests / 10;
/// A full look at a script and its interpreter.
constexpr int kCallsOfALook = 40;

/// Calls by name; those that depend on the moment (waiting, the network) are left out.
using Calls = std::map<std::string, int>;

bool depends_on_the_moment(const std::string& call) {
  static const std::set<std::string> kSuch = {
      "accept4", "epoll_wait", "epoll_ctl", "poll",  "pselect6",    "read",     "recvfrom",
      "write",   "writev",     "wait4",     "kill",  "close",       "shutdown", "restart_syscall",
      "clone",   "clone3",     "futex",     "total", "rt_sigreturn"};
  return kSuch.contains(call);
}

/// Reads the table of `strace -c`: the fourth column counts, the last one names.
Calls parse(const std::string& summary) {
  Calls calls;
  std::istringstream lines(summary);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    double percent = 0;
    double seconds = 0;
    int each = 0;
    int count = 0;
    if (!(words >> percent >> seconds >> each >> count)) continue;
    std::string name;
    for (std::string word; words >> word;) name = word;
    if (!depends_on_the_moment(name)) calls[name] = count;
  }
  return calls;
}

bool is_traced(pid_t pid) {
  return run({"grep", "-q", "^TracerPid:\t[1-9]", "/proc/" + std::to_string(pid) + "/status"})
      .succeeded();
}

/// The calls of one prefork child during kRequests requests in the steady state.
struct Measured {
  Calls calls;
  int seconds = 0;
};

Measured measure(const std::string& config, const std::string& path) {
  GuardedServer server(config +
                           "\nStartServers 1\nMinSpareServers 1\nMaxSpareServers 1\n"
                           "MaxRequestWorkers 1\n",
                       Mpm::prefork);
  server.log().allow("AH00161");  // the one child is meant to be the only one
  server.start();
  server.get(path);
  const pid_t child = server.children().at(0);
  const std::string file = server.tree().path("logs/strace");
  Child strace({"strace", "-c", "-o", file, "-p", std::to_string(child)});
  if (!poll_until([&] { return is_traced(child); }, std::chrono::seconds(10))) {
    return {};
  }
  const auto begin = steady_clock::now();
  for (int i = 0; i < kRequests; ++i) EXPECT_EQ(server.get(path).status, 200);
  const auto took = steady_clock::now() - begin;
  strace.signal(SIGINT);
  strace.wait(std::chrono::seconds(10));
  return {parse(server.tree().read("logs/strace")),
          static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(took).count()) + 1};
}

int more(const Calls& calls, const Calls& base) {
  int sum = 0;
  for (const auto& [name, count] : calls) {
    const auto known = base.find(name);
    sum += std::max(0, count - (known == base.end() ? 0 : known->second));
  }
  return sum;
}

class HotPath : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to trace www-data";
    if (!run({"strace", "-o", "/dev/null", "true"}).succeeded()) {
      GTEST_SKIP() << "strace is missing or forbidden here";
    }
  }
};

TEST_F(HotPath, AHealthyScriptCostsOneCallARequest) {
  const Measured without = measure("PermGuard off", "/cgi-bin/ok.cgi");
  const Measured with = measure("PermGuard enforce", "/cgi-bin/ok.cgi");
  ASSERT_FALSE(without.calls.empty());
  EXPECT_FALSE(without.calls.contains("faccessat2"));
  // Each request makes one call; together they renew the verdict, unless they come so slowly that
  // a second passes in between: then there is a whole look, at most once a second.
  const int cost = more(with.calls, without.calls);
  EXPECT_GE(cost, kRequests);
  EXPECT_LE(cost, kRequests + (with.seconds + 1) * kCallsOfALook);
}

TEST_F(HotPath, ExplainModeCostsNothing) {
  const Measured without = measure("PermGuard off", "/cgi-bin/ok.cgi");
  const Measured with = measure("PermGuard explain", "/cgi-bin/ok.cgi");
  ASSERT_FALSE(without.calls.empty());
  EXPECT_LT(more(with.calls, without.calls), kEdge);
}

TEST_F(HotPath, AStaticFileCostsNothing) {
  const Measured without = measure("PermGuard off", "/index.html");
  const Measured with = measure("PermGuard enforce", "/index.html");
  ASSERT_FALSE(without.calls.empty());
  EXPECT_LT(more(with.calls, without.calls), kEdge);
}

}  // namespace
}  // namespace permguard::test
