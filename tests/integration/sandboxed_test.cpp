// SPDX-License-Identifier: Apache-2.0
//
// A service manager's filter on system calls is not the script's: httpd below one answers as stock
// httpd below the same one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "integration/guarded_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

constexpr const char* kSandbox = PERMGUARD_BUILD "/tests/sandbox";
constexpr const char* kSilence = "the kernel does not answer here";
constexpr const char* kScripts[] = {"ok.cgi",     "broken.cgi", "silent.cgi", "env.cgi",
                                    "lost.cgi",   "text.cgi",   "secret.cgi", "program.cgi",
                                    "nobody.cgi", "missing.cgi"};

struct Filter {
  Mpm mpm;
  int error;
  std::vector<std::string> calls;
};

std::string name_of(const Filter& filter) {
  std::string name = name_of(filter.mpm) + std::to_string(filter.error);
  for (const std::string& call : filter.calls) name += call;
  return name;
}

void PrintTo(const Filter& filter, std::ostream* out) {
  *out << name_of(filter);
}

std::vector<Filter> all_filters() {
  std::vector<Filter> filters;
  for (const Mpm mpm : kBothMpms) {
    for (const int error : {EACCES, EPERM, ELOOP, ENOTDIR, ENOENT, ENOSYS, ETXTBSY}) {
      filters.push_back({mpm, error, {"faccessat2"}});
    }
  }
  for (const int error : {EACCES, ENOENT, ENOTDIR, ELOOP}) {
    for (const char* call : {"statx", "readlink", "lgetxattr", "statfs", "execveat"}) {
      filters.push_back({Mpm::event, error, {call, "faccessat2"}});
    }
  }
  return filters;
}

class Sandboxed : public testing::TestWithParam<Filter> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: a filter needs CAP_SYS_ADMIN";
  }

  HttpdOptions options(bool permguard) const {
    HttpdOptions options;
    options.mpm = GetParam().mpm;
    options.permguard = permguard;
    options.launcher = {kSandbox, "seccomp", std::to_string(GetParam().error)};
    options.launcher.insert(options.launcher.end(), GetParam().calls.begin(),
                            GetParam().calls.end());
    options.launcher.push_back("--");
    return options;
  }

  static void lay_out(HttpdServer& server) {
    TempTree& tree = server.tree();
    tree.write("cgi-bin/ok.cgi", cgi_script("ok"), 0755);
    tree.write("cgi-bin/broken.cgi", cgi_script("ok"), 0644);
    tree.write("cgi-bin/silent.cgi", "#!/bin/sh\nexit 1\n", 0755);
    tree.write("cgi-bin/env.cgi", cgi_script("ok", "/usr/bin/env sh"), 0755);
    tree.write("cgi-bin/lost.cgi", cgi_script("ok", "/no/such/interpreter"), 0755);
    tree.write("cgi-bin/text.cgi", "echo\n", 0755);
    tree.write("cgi-bin/secret.cgi", cgi_script("ok"), 0711);
    tree.write("cgi-bin/nobody.cgi", cgi_script("ok"), 0750);
    run({"cp", kSandbox, tree.path("cgi-bin/program.cgi")});
    for (const char* text : {"[permguard:error]", "exec of '", "End of script output", "AH0"}) {
      server.log().allow(text);
    }
  }
};

TEST_P(Sandboxed, AnswersAsStock) {
  HttpdServer stock(options(false)), guard(options(true));
  guard.log().allow(kSilence);
  for (HttpdServer* server : {&stock, &guard}) {
    lay_out(*server);
    server->start();
  }
  for (const char* script : kScripts) {
    const std::string path = std::string("/cgi-bin/") + script;
    const HttpResponse expected = stock.get(path);
    for (int repeat = 0; repeat < 2; ++repeat) {
      const HttpResponse answer = guard.get(path);
      EXPECT_EQ(answer.status, expected.status) << path;
      EXPECT_TRUE(expected.status != 200 || answer.body == expected.body) << path;
    }
  }
  EXPECT_EQ(guard.get("/cgi-bin/ok.cgi").status, 200);
  EXPECT_EQ(guard.log().count("lsm-denied"), 0U);
  EXPECT_EQ(guard.log().count("symlink-loop"), 0U);
  EXPECT_EQ(guard.log().count("text-busy"), 0U);
  EXPECT_EQ(guard.log().count("exonerated: www-data can execute '"), 0U);
}

TEST_P(Sandboxed, TheLogSaysOnceThatTheKernelDoesNotAnswer) {
  HttpdServer guard(options(true));
  lay_out(guard);
  guard.start();
  for (int i = 0; i < 3; ++i) {
    for (const char* script : kScripts) guard.get(std::string("/cgi-bin/") + script);
  }
  guard.log().expect(kSilence);
  EXPECT_EQ(guard.log().count(kSilence), 1U);
}

INSTANTIATE_TEST_SUITE_P(ByFilter, Sandboxed, testing::ValuesIn(all_filters()),
                         [](const auto& test) { return name_of(test.param); });

/// What is reached by a process's own links in /proc depends on the process.
TEST(OwnLinks, LeaveTheAnswerToHttpd) {
  GuardedServer server;
  TempTree& tree = server.tree();
  tree.symlink("/bin/sh", "cgi-bin/interpreter");
  tree.symlink("/proc/thread-self/cwd", "here");
  server.log().allow("[permguard:error]");
  const std::vector<std::string> ways = {
      "/proc/self/cwd/interpreter",        "/proc/thread-self/cwd/interpreter",
      "/proc//self/./cwd/interpreter",     "/proc/self/../self/cwd/interpreter",
      tree.path("here") + "/interpreter",  "/proc/self/root/bin/sh",
      "/proc/self/task/../cwd/interpreter"};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    tree.write("cgi-bin/way" + std::to_string(i), cgi_script("ok", ways[i]), 0755);
  }
  const std::vector<std::string> nowhere = {"/proc/self/fd/77", "/dev/fd/77",
                                            "/proc/1/cwd/no-such-file"};
  for (std::size_t i = 0; i < nowhere.size(); ++i) {
    tree.write("cgi-bin/nowhere" + std::to_string(i), cgi_script("ok", nowhere[i]), 0755);
  }
  server.configure("PermGuard enforce strict");
  server.start();
  for (std::size_t i = 0; i < ways.size(); ++i) {
    EXPECT_EQ(server.get("/cgi-bin/way" + std::to_string(i)).status, 200) << ways[i];
  }
  EXPECT_EQ(server.told("cannot execute"), 0U);
  for (std::size_t i = 0; i < nowhere.size(); ++i) {
    const std::string name = "nowhere" + std::to_string(i);
    EXPECT_EQ(server.get("/cgi-bin/" + name).status, 500) << nowhere[i];
    server.log().expect("exec of '" + tree.path("cgi-bin/" + name));  // httpd tried
    const std::string line =
        server.log().expect("(modelled): www-data cannot execute '" + tree.path("cgi-bin/" + name));
    EXPECT_THAT(line, testing::HasSubstr("name the file itself, not a way through /proc")) << line;
    EXPECT_THAT(line, testing::Not(testing::HasSubstr("chmod")));
  }
}

/// Deployments at full speed, each state of which works. httpd itself may fail: a shell opens its
/// script once more, which is a program by then.
TEST(Deployments, AreNeverAnswered) {
  constexpr int kRequests = 400;
  for (const Mpm mpm : kBothMpms) {
    GuardedServer server("PermGuard enforce strict", mpm);
    TempTree& tree = server.tree();
    tree.write("cgi-bin/a.cgi", cgi_script("ok"), 0755);
    run({"cp", kSandbox, tree.path("cgi-bin/b.cgi")});
    server.log().allow("(modelled): www-data cannot execute");
    server.start();
    const Child renamer(
        {kSandbox, "exchange", tree.path("cgi-bin/a.cgi"), tree.path("cgi-bin/b.cgi")});
    int served = 0;
    for (int i = 0; i < kRequests; ++i) served += server.get("/cgi-bin/a.cgi").status == 200;
    EXPECT_GT(served, kRequests / 2);
    EXPECT_EQ(server.told("cannot execute"), server.told("(modelled): www-data cannot execute"));
    EXPECT_THAT(server.get("/permguard-status?auto").body,
                testing::HasSubstr("PermGuardChecksCgiBlocked: 0\n"));
  }
}

}  // namespace
}  // namespace permguard::test
