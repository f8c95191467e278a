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

TEST_P(EventLogTest, DriftAndRepetitionsAreEventsToo) {
  HttpdServer server(
      options("PermGuard report\nPermGuardLogInterval 1\nPermGuardWatch off\n"
              "PermGuardEventLog logs/events.json\n"
              "<Directory @ROOT@/cgi-bin>\nPermGuardExpect mode=0750\n</Directory>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  server.log().allow("mode-drift");
  server.start();
  const std::string file = server.tree().path("logs/events.json");
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 200);
  const nlohmann::json drift = await(file, "finding");
  EXPECT_EQ(drift["permguard"]["severity"], "drift");
  EXPECT_EQ(drift["log"]["level"], "warn");
  EXPECT_TRUE(poll_until([&] {
    server.get("/cgi-bin/a.cgi");
    const auto all = events(file);
    return all.back()["event"]["action"] == "repeat" && all.back()["permguard"]["count"] > 0;
  }));
}

/// The watch tells again where requests were hurt meanwhile; each finding of a file is an event.
TEST_P(EventLogTest, EachFindingAndRepetitionOfTheWatchIsAnEvent) {
  HttpdServer server(
      options("PermGuard report\nPermGuardLogInterval 2\nPermGuardWatchInterval 1\n"
              "PermGuardEventLog logs/events.json\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0666);
  for (const char* text : {"[permguard:", "AH01241", "AH01215", "End of script"}) {
    server.log().allow(text);
  }
  server.start();
  const std::string file = server.tree().path("logs/events.json");
  const auto has = [&](const char* action, const char* code) {
    return poll_until([&] {
      for (const auto& event : events(file)) {
        if (event["event"]["action"] == action && event["permguard"].value("code", "") == code &&
            event["permguard"].value("incident", 0) > 0) {
          return true;
        }
      }
      return false;
    });
  };
  EXPECT_TRUE(has("audit", "not-executable"));
  EXPECT_TRUE(has("audit", "world-writable"));
  for (int i = 0; i < 2; ++i) server.get("/cgi-bin/a.cgi");
  EXPECT_TRUE(has("repeat", "not-executable"));
}

TEST_P(EventLogTest, ALineIsShortWhateverThePath) {
  std::string deep;
  for (int i = 0; i < 18; ++i) {
    deep += std::string(20, '\\') + std::string(20, '\1') + std::string(160, 'n') + '/';
  }
  HttpdServer server(
      options("PermGuard enforce\nPermGuardWatch off\nPermGuardEventLog logs/events.json\n"));
  server.tree().write("cgi-bin/" + deep + "a.cgi", cgi_script("a"), 0644);
  server.log().allow("[permguard:");
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/" + url_escape(deep + "a.cgi")).status, 500);
  const std::string file = server.tree().path("logs/events.json");
  const nlohmann::json event = await(file, "finding");
  EXPECT_EQ(event["permguard"]["truncated"], true);
  EXPECT_LE(server.tree().read("logs/events.json").size(), 4096U);
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

TEST_P(EventLogTest, ServerStatusHasASection) {
  HttpdServer server(
      options("<Location /server-status>\nSetHandler server-status\n</Location>\n", {"status"}));
  server.start();
  EXPECT_THAT(server.get("/server-status").body, HasSubstr("permguard"));
  EXPECT_THAT(server.get("/server-status?auto").body, HasSubstr("PermGuardHealth: pass"));
  EXPECT_THAT(server.get("/server-status?notable").body, HasSubstr("<dt>Health: pass</dt>"));
}

INSTANTIATE_TEST_SUITE_P(Mpms, EventLogTest, ::testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

}  // namespace
}  // namespace permguard::test
