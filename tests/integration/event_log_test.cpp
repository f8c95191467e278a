// SPDX-License-Identifier: Apache-2.0
//
// PermGuardEventLog: every event as a line of JSON, in a file or through a program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;

class EventLogTest : public ::testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root, as httpd's parent has";
    }
  }

  static HttpdOptions options(std::string config, std::vector<std::string> modules = {}) {
    HttpdOptions options;
    options.mpm = GetParam();
    options.config = std::move(config);
    options.modules = std::move(modules);
    return options;
  }

  static void allow_stock_lines(HttpdServer& server) {
    for (const char* text : {"AH01241", "AH01215", "End of script output"}) {
      server.log().allow(text);
    }
  }

  /// All lines; each must be JSON.
  static std::vector<nlohmann::json> events(const std::string& file) {
    std::vector<nlohmann::json> all;
    std::ifstream input(file);
    for (std::string line; std::getline(input, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }

  /// The first event of this action, or null where none comes.
  static nlohmann::json await(const std::string& file, const std::string& action) {
    nlohmann::json found;
    poll_until([&] {
      for (const auto& event : events(file)) {
        if (event["event"]["action"] == action) found = event;
      }
      return !found.is_null();
    });
    return found;
  }
};

TEST_P(EventLogTest, FindingRecoveryAndExoneration) {
  HttpdServer server(options("PermGuard report\nPermGuardEventLog logs/events.json\n"));
  const std::string script = server.tree().write("cgi-bin/a\n\xff\"b.cgi", cgi_script("a"), 0644);
  server.tree().write("cgi-bin/silent.cgi", "#!/bin/sh\nexit 1\n", 0755);
  allow_stock_lines(server);
  server.start();
  const std::string file = server.tree().path("logs/events.json");
  EXPECT_EQ(server.get("/cgi-bin/a%0A%FF%22b.cgi").status, 500);
  server.log().expect("not-executable");
  const nlohmann::json finding = await(file, "finding");
  EXPECT_EQ(finding["permguard"]["code"], "not-executable");
  EXPECT_EQ(finding["client"]["address"], "127.0.0.1");
  EXPECT_EQ(finding["user"]["name"], "www-data");

  run({"chmod", "755", script});
  EXPECT_EQ(server.get("/cgi-bin/a%0A%FF%22b.cgi").status, 200);
  EXPECT_FALSE(await(file, "recovered").is_null());
  EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  EXPECT_FALSE(await(file, "exonerated").is_null());
}

TEST_P(EventLogTest, TheWatchTellsToo) {
  HttpdServer server(
      options("PermGuard report\nPermGuardWatchInterval 1\nPermGuardEventLog logs/events.json\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  server.start();
  EXPECT_FALSE(await(server.tree().path("logs/events.json"), "audit").is_null());
  server.log().expect("not-executable");
}

TEST_P(EventLogTest, AProgramGetsTheLinesAndARestartLosesNone) {
  HttpdServer server(
      options("PermGuard report\nPermGuardLogInterval 0\n"
              "PermGuardEventLog \"|$/bin/cat >> @ROOT@/logs/piped.json\"\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  allow_stock_lines(server);
  server.log().allow("not-executable");
  server.log().allow("long lost child came home");  // the logger of the old generation ends
  server.start();
  const std::string file = server.tree().path("logs/piped.json");
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  EXPECT_TRUE(poll_until([&] { return events(file).size() == 2; })) << events(file).size();
}

TEST_P(EventLogTest, AFullPipeDropsAndCountsAndNeverBlocks) {
  HttpdServer server(
      options("PermGuard report\nPermGuardLogInterval 0\n"
              "PermGuardEventLog \"|/bin/sleep 600\"\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  allow_stock_lines(server);
  server.log().allow("not-executable");
  server.start();
  for (int i = 0; i < 80; ++i) EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  server.log().expect("events are dropped");
  server.log().allow("events are dropped");  // each child says it once
  EXPECT_THAT(server.get("/permguard-status?openmetrics").body,
              ::testing::ContainsRegex("permguard_events_dropped_total [1-9]"));
}

TEST_P(EventLogTest, AFileThatCannotBeOpenedStopsTheStartAndIsNamed) {
  HttpdServer server(options("PermGuardEventLog /nowhere/events.json\n"));
  EXPECT_THROW(server.start(), std::exception);
  server.log().expect("/nowhere/events.json");
  server.log().allow("AH00020");
}

TEST_P(EventLogTest, ServerStatusHasASection) {
  HttpdServer server(
      options("<Location /server-status>\nSetHandler server-status\n</Location>\n", {"status"}));
  server.start();
  EXPECT_THAT(server.get("/server-status").body, HasSubstr("permguard"));
  EXPECT_THAT(server.get("/server-status?auto").body, HasSubstr("PermGuardHealth: pass"));
}

INSTANTIATE_TEST_SUITE_P(Mpms, EventLogTest, ::testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

}  // namespace
}  // namespace permguard::test
