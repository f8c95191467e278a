// SPDX-License-Identifier: Apache-2.0
//
// When the watch runs, how much it does, and that it is in nobody's way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WatchRunsTest : public ::testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as httpd's parent has";
  }

  static HttpdOptions options(std::string config, std::vector<std::string> modules = {}) {
    HttpdOptions options;
    options.mpm = GetParam();
    options.config = "PermGuard report\n" + std::move(config);
    options.modules = std::move(modules);
    return options;
  }
};

constexpr const char* kEverySecond = "PermGuardWatchInterval 1\n";

nlohmann::json watched(HttpdServer& server, const std::string& directory) {
  const auto status = nlohmann::json::parse(server.get("/permguard-status?json").body);
  for (const auto& each : status["watch"]) {
    if (each["directory"] == directory) return each;
  }
  return {};
}

/// Waits until the watch has ended `runs` times more with `directory`; one that it has not looked
/// at has a last_run of null.
bool wait_for_runs(HttpdServer& server, const std::string& directory, unsigned runs) {
  nlohmann::json last = watched(server, directory)["last_run"];
  return poll_until([&] {
    const nlohmann::json now = watched(server, directory)["last_run"];
    if (now != last) --runs;
    last = now;
    return runs == 0;
  });
}

/// `count` healthy scripts that share one inode: quick to make and to remove.
void write_scripts(TempTree& tree, const std::string& directory, unsigned count) {
  const std::string first = tree.write(directory + "/0.cgi", cgi_script("x"), 0755);
  for (unsigned i = 1; i < count; ++i) {
    const std::string other = tree.path(directory + "/" + std::to_string(i) + ".cgi");
    if (link(first.c_str(), other.c_str()) != 0) throw std::runtime_error("link " + other);
  }
}

TEST_P(WatchRunsTest, TheFirstRunComesSoonAfterTheStart) {
  HttpdServer server(options("PermGuardWatchInterval 3600\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  server.start();
  server.log().expect("not-executable: www-data cannot execute", std::chrono::seconds(20));
}

TEST_P(WatchRunsTest, AChangeOfVerdictIsToldOnceWithoutAnyRequest) {
  HttpdServer server(options(std::string(kEverySecond) + "PermGuardLogInterval 1\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  server.start();
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("cgi-bin"), 1));
  server.tree().chmod("cgi-bin/a.cgi", 0644);
  server.log().expect("not-executable: www-data cannot execute");
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("cgi-bin"), 3));
  EXPECT_EQ(server.log().count("not-executable"), 1U);
  server.tree().chmod("cgi-bin/a.cgi", 0755);
  server.log().expect("recovered: not-executable");
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("cgi-bin"), 2));
  EXPECT_EQ(server.log().count("recovered"), 1U);
}

TEST_P(WatchRunsTest, WhatTheTableHasNoRoomForIsToldOnceToo) {
  HttpdServer server(
      options(std::string(kEverySecond) + "PermGuardLogInterval 1\nPermGuardIncidents 2\n"));
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    server.tree().write("cgi-bin/" + std::string(name) + ".cgi", cgi_script("x"), 0644);
  }
  server.start();
  for (int i = 0; i < 5; ++i) server.log().expect("not-executable: www-data cannot execute");
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("cgi-bin"), 4));
  EXPECT_EQ(server.log().count("not-executable: www-data cannot execute"), 5U);
}

TEST_P(WatchRunsTest, WhatWaitedForRoomInTheTableIsNotToldAgain) {
  HttpdServer server(
      options(std::string(kEverySecond) + "PermGuardLogInterval 1\nPermGuardIncidents 2\n"));
  for (const char* name : {"a", "b", "c", "d"}) {
    server.tree().write("cgi-bin/" + std::string(name) + ".cgi", cgi_script("x"), 0644);
  }
  server.start();
  const std::string directory = server.tree().path("cgi-bin");
  for (int i = 0; i < 4; ++i) server.log().expect("not-executable: www-data cannot execute");
  ASSERT_TRUE(wait_for_runs(server, directory, 2));
  // The table keeps the last two.
  for (const char* name : {"b", "c", "d"}) {
    server.tree().chmod("cgi-bin/" + std::string(name) + ".cgi", 0755);
  }
  ASSERT_TRUE(wait_for_runs(server, directory, 3));
  EXPECT_EQ(server.log().count("not-executable: www-data cannot execute"), 4U);
  const std::string metrics = server.get("/permguard-status?openmetrics").body;
  EXPECT_THAT(metrics, HasSubstr("permguard_incidents_open 1\n"));
}

/// What is counted does not depend on what there is room for, and room is made once.
TEST_P(WatchRunsTest, MoreFindingsThanAreKeptAreAllCounted) {
  HttpdServer server(
      options(std::string(kEverySecond) + "PermGuardLogInterval 1\nPermGuardIncidents 16\n"));
  for (int i = 0; i < 100; ++i) {
    server.tree().write("cgi-bin/" + std::to_string(i) + ".cgi", cgi_script("x"), 0644);
  }
  server.log().allow("not-executable");
  server.start();
  const std::string directory = server.tree().path("cgi-bin");
  const auto metrics = [&] { return server.get("/permguard-status?openmetrics").body; };
  const std::string evicted = "permguard_incidents_evicted_total 84\n";
  ASSERT_TRUE(wait_for_runs(server, directory, 1));
  EXPECT_THAT(metrics(), HasSubstr("{code=\"not-executable\",role=\"script\"} 100\n"));
  EXPECT_THAT(metrics(), HasSubstr(evicted));
  EXPECT_EQ(watched(server, directory)["truncated"], false);
  EXPECT_EQ(watched(server, directory)["findings_left_out"], 36);
  ASSERT_TRUE(wait_for_runs(server, directory, 2));
  EXPECT_THAT(metrics(), HasSubstr(evicted)) << "not once a run";
  for (int i = 5; i < 100; ++i) {
    server.tree().chmod("cgi-bin/" + std::to_string(i) + ".cgi", 0755);
  }
  ASSERT_TRUE(wait_for_runs(server, directory, 2));
  EXPECT_THAT(metrics(), HasSubstr("{code=\"not-executable\",role=\"script\"} 5\n"));
  EXPECT_THAT(metrics(), HasSubstr("permguard_incidents_open 5\n"));
}

TEST_P(WatchRunsTest, AThousandFilesASecond) {
  HttpdServer server(options(std::string(kEverySecond) + "PermGuardWatch @ROOT@/many\n"));
  write_scripts(server.tree(), "many", 2500);
  server.start();
  const std::string many = server.tree().path("many");
  ASSERT_TRUE(poll_until([&] { return watched(server, many)["last_run"].is_string(); }));
  const nlohmann::json result = watched(server, many);
  EXPECT_EQ(result["files"], 2500);
  EXPECT_EQ(result["truncated"], false);
  EXPECT_GE(result["duration_seconds"].get<double>(), 1.9);
}

/// The run would take half a minute. What httpd has to kill, it says in the log, which fails here.
TEST_P(WatchRunsTest, AHugeTreeDelaysNeitherAGracefulRestartNorAStop) {
  HttpdServer server(options(std::string(kEverySecond) +
                             "PermGuardWatch @ROOT@/first\nPermGuardWatch @ROOT@/huge\n"));
  server.tree().write("first/a.cgi", cgi_script("a"), 0644);
  write_scripts(server.tree(), "huge", 30'000);
  server.start();
  server.log().expect("not-executable: www-data cannot execute");
  const std::vector<pid_t> old = server.children();
  server.graceful();
  EXPECT_TRUE(poll_until(
      [&] {
        const std::vector<pid_t> now = server.children();
        return std::ranges::none_of(old,
                                    [&](pid_t pid) { return std::ranges::count(now, pid) != 0; });
      },
      std::chrono::seconds(10)));
  EXPECT_EQ(server.get("/").status, 200);
  server.tree().write("first/b.cgi", cgi_script("b"), 0644);
  server.log().expect("b.cgi': mode 0644");  // the watch of the new generation is at it
  server.stop();
  EXPECT_EQ(server.log().count("still did not exit"), 0U);
}

TEST_P(WatchRunsTest, SeesWhatTheServerMayNotReach) {
  HttpdServer server(options(kEverySecond));
  server.tree().write("home/ann/pay.cgi", cgi_script("x"), 0755);
  server.tree().chmod("home/ann", 0700);
  server.tree().symlink(server.tree().path("home/ann/pay.cgi"), "cgi-bin/link.cgi");
  server.tree().write("cgi-bin/private.cgi", cgi_script("x"), 0600);
  server.tree().write("cgi-bin/list/inner.cgi", cgi_script("x"), 0755);
  server.tree().chmod("cgi-bin/list", 0744);
  server.tree().write("cgi-bin/locked/inner.cgi", cgi_script("x"), 0755);
  server.tree().chmod("cgi-bin/locked", 0711);
  server.start();
  const std::string scripts = server.tree().path("cgi-bin/");
  server.log().expect("search-denied: www-data cannot execute '" + scripts + "link.cgi'");
  server.log().expect("not-executable: www-data cannot execute '" + scripts + "private.cgi'");
  server.log().expect("search-denied: www-data cannot execute '" + scripts + "list/inner.cgi'");
  server.log().expect("not-listable: '" + scripts + "locked'");
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("cgi-bin"), 2));
  EXPECT_EQ(server.log().count("list/inner.cgi"), 1U);
}

TEST_P(WatchRunsTest, AWrapperIsOneAndRecovers) {
  HttpdServer server(options(std::string(kEverySecond) +
                                 "<Directory @ROOT@/app>\nOptions +ExecCGI\n"
                                 "AddHandler fcgid-script .app\n"
                                 "FcgidWrapper @ROOT@/wrapper .app\n</Directory>\n",
                             {"fcgid"}));
  server.tree().write("wrapper", "#!/bin/sh\n", 0755);
  server.tree().mkdir("app");
  server.start();
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("wrapper"), 1));
  server.tree().chmod("wrapper", 0644);
  server.log().expect("wrapper-not-executable: www-data cannot execute '" +
                      server.tree().path("wrapper") + "'");
  server.tree().chmod("wrapper", 0755);
  server.log().expect("recovered: wrapper-not-executable");
}

TEST_P(WatchRunsTest, ANamedSocketIsConnectedTo) {
  HttpdServer server(
      options(std::string(kEverySecond) + "PermGuardWatch @ROOT@/app.sock need=connect\n"));
  server.tree().write("app.sock", "no socket");
  server.start();
  server.log().expect("socket-not-a-socket: www-data cannot connect '" +
                      server.tree().path("app.sock") + "'");
}

// A directory that was asked for itself: the question whether its .htaccess can be read is another
// than whether the directory can.
TEST_P(WatchRunsTest, ALockedDirectoryIsNotRecoveredByLookingAtIt) {
  HttpdServer server(options(std::string(kEverySecond) +
                             "<Directory @ROOT@/htdocs>\nAllowOverride All\n</Directory>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  server.tree().write("htdocs/locked/page.html", "page");
  server.tree().chmod("htdocs/locked", 0700);
  server.log().allow("AH00529");
  server.start();
  EXPECT_EQ(server.get("/locked/").status, 403);
  server.log().expect("htaccess-search-denied: www-data cannot read");
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("cgi-bin"), 2));
  EXPECT_EQ(server.log().count("recovered"), 0U);
  EXPECT_THAT(server.get("/permguard-status?health").body, HasSubstr("fail"));
  server.tree().chmod("htdocs/locked", 0755);
  server.log().expect("recovered: htaccess-search-denied");
}

// Where a process's own links in proc(5) lead, only that process can tell.
TEST_P(WatchRunsTest, AWayThroughTheProcessIsNoErrorOfTheWatch) {
  HttpdServer server(options(kEverySecond));
  server.tree().symlink("/bin/sh", "cgi-bin/shell");
  server.tree().write("cgi-bin/a.cgi", cgi_script("a", "/proc/self/../self/cwd/shell"), 0755);
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 200);
  ASSERT_TRUE(wait_for_runs(server, server.tree().path("cgi-bin"), 2));
  EXPECT_TRUE(watched(server, server.tree().path("cgi-bin"))["findings"].empty());
  EXPECT_THAT(server.get("/permguard-status?health").body, HasSubstr("pass"));
}

TEST_P(WatchRunsTest, DriftIsOnThePageAndInTheMetrics) {
  HttpdServer server(options(std::string(kEverySecond) +
                             "<Directory @ROOT@/cgi-bin>\n"
                             "PermGuardExpect mode=0750 owner=www-data group=daemon\n"
                             "</Directory>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  server.start();
  const std::string line = server.log().expect("-drift: '");
  EXPECT_THAT(line, HasSubstr("owner-drift"));
  EXPECT_THAT(line, HasSubstr("chown :daemon"));
  EXPECT_THAT(line, HasSubstr("chmod 0750"));
  EXPECT_TRUE(poll_until(
      [&] { return !watched(server, server.tree().path("cgi-bin"))["findings"].empty(); }));
  const std::string metrics = server.get("/permguard-status?openmetrics").body;
  for (const char* code : {"mode-drift", "owner-drift", "group-drift"}) {
    EXPECT_THAT(metrics, HasSubstr("permguard_watch_findings{code=\"" + std::string(code) +
                                   "\",role=\"script\"} 1"));
    EXPECT_THAT(server.get("/permguard-status").body, HasSubstr(code));
  }
  EXPECT_THAT(server.get("/permguard-status?health").body, HasSubstr("\"warn\""));
}

INSTANTIATE_TEST_SUITE_P(Mpms, WatchRunsTest, ::testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

}  // namespace
}  // namespace permguard::test
