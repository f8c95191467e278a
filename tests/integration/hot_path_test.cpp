// SPDX-License-Identifier: Apache-2.0
//
// What a healthy request costs, counted in system calls of the process that serves it.
#include <gmock/gmock.h>
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
/// A full look at a script and its interpreter.
constexpr int kCallsOfALook = 40;

/// Calls by name; those that depend on the moment (waiting, the network, httpd's allocator that
/// happens to run out) are left out.
using Calls = std::map<std::string, int>;

bool depends_on_the_moment(const std::string& call) {
  static const std::set<std::string> kSuch = {
      "accept4",  "epoll_wait",      "epoll_ctl", "poll",   "pselect6", "read",
      "recvfrom", "write",           "writev",    "wait4",  "kill",     "close",
      "shutdown", "restart_syscall", "clone",     "clone3", "futex",    "rt_sigreturn",
      "mmap",     "munmap",          "brk"};
  return kSuch.contains(call);
}

/// Requests that mark a trace's two ends: strace comes and goes in the middle of something.
constexpr const char* kBegin = "/begin";
constexpr const char* kEnd = "/end";

/// Counts the calls that `strace` saw between the requests kBegin and kEnd.
Calls parse(const std::string& trace) {
  Calls calls;
  std::istringstream lines(trace);
  bool counting = false;
  for (std::string line; std::getline(lines, line);) {
    const bool is_end = line.find(std::string("\"GET ") + kEnd) != std::string::npos;
    if (counting && is_end) return calls;
    const std::string name = line.substr(0, line.find('('));
    if (counting && name.size() < line.size() && !depends_on_the_moment(name)) ++calls[name];
    counting = counting || line.find(std::string("\"GET ") + kBegin) != std::string::npos;
  }
  ADD_FAILURE() << "the trace does not hold both ends";
  return {};
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
  Child strace({"strace", "-o", file, "-p", std::to_string(child)});
  if (!poll_until([&] { return is_traced(child); }, std::chrono::seconds(10))) {
    return {};
  }
  server.get(kBegin);
  const auto begin = steady_clock::now();
  for (int i = 0; i < kRequests; ++i) EXPECT_EQ(server.get(path).status, 200);
  const auto took = steady_clock::now() - begin;
  server.get(kEnd);
  strace.signal(SIGINT);
  strace.wait(std::chrono::seconds(10));
  return {parse(server.tree().read("logs/strace")),
          static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(took).count()) + 1};
}

/// The calls that `calls` has more than `base`, by name.
Calls more(const Calls& calls, const Calls& base) {
  Calls surplus;
  for (const auto& [name, count] : calls) {
    const auto known = base.find(name);
    const int before = known == base.end() ? 0 : known->second;
    if (count > before) surplus[name] = count - before;
  }
  return surplus;
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
  int cost = 0;
  for (const auto& [name, count] : more(with.calls, without.calls)) cost += count;
  EXPECT_GE(cost, kRequests);
  EXPECT_LE(cost, kRequests + (with.seconds + 1) * kCallsOfALook);
}

TEST_F(HotPath, ExplainModeCostsNothing) {
  const Measured without = measure("PermGuard off", "/cgi-bin/ok.cgi");
  const Measured with = measure("PermGuard explain", "/cgi-bin/ok.cgi");
  ASSERT_FALSE(without.calls.empty());
  EXPECT_THAT(more(with.calls, without.calls), testing::IsEmpty());
}

TEST_F(HotPath, AStaticFileCostsNothing) {
  const Measured without = measure("PermGuard off", "/index.html");
  const Measured with = measure("PermGuard enforce", "/index.html");
  ASSERT_FALSE(without.calls.empty());
  EXPECT_THAT(more(with.calls, without.calls), testing::IsEmpty());
}

}  // namespace
}  // namespace permguard::test
