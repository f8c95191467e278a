// SPDX-License-Identifier: Apache-2.0
//
// What the module says of the places in a configuration: configtest, DUMP_PERMGUARD, the watch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

HttpdOptions options(Mpm mpm, std::string config) {
  HttpdOptions options;
  options.mpm = mpm;
  options.config = std::move(config);
  return options;
}

class WatchTest : public ::testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root, as httpd's parent has";
    }
  }
};

constexpr const char* kReport = "PermGuard report\nPermGuardWatchInterval 1\n";

nlohmann::json status(HttpdServer& server) {
  return nlohmann::json::parse(server.get("/permguard-status?json").body);
}

/// The story of the postmortem, up to the repair.
TEST_P(WatchTest, TellsOfAScriptBeforeAnyRequestAndOfItsRepair) {
  HttpdServer server(options(GetParam(), kReport));
  const std::string script = server.tree().write("cgi-bin/pay.cgi", cgi_script("paid"), 0644);
  server.start();
  server.log().expect("not-executable: www-data cannot execute '" + script + "'");
  EXPECT_EQ(server.get("/permguard-status?health").status, 200);
  EXPECT_THAT(server.get("/permguard-status?health").body, HasSubstr("\"fail\""));

  server.log().allow("AH01241");
  server.log().allow("AH01215");
  server.log().allow("End of script output");
  EXPECT_EQ(server.get("/cgi-bin/pay.cgi").status, 500);
  EXPECT_THAT(server.log().expect("not-executable: www-data cannot"), HasSubstr("[client"));

  server.tree().chmod("cgi-bin/pay.cgi", 0755);
  server.log().expect("recovered: not-executable '" + script + "'");
  EXPECT_EQ(server.get("/cgi-bin/pay.cgi").body, "paid\n");
  EXPECT_THAT(server.get("/permguard-status?health").body, HasSubstr("\"pass\""));
}

TEST_P(WatchTest, TellsOfDriftAndRiskAsWarnings) {
  HttpdServer server(options(GetParam(), std::string(kReport) +
                                             "<Directory @ROOT@/cgi-bin>\n"
                                             "PermGuardExpect mode=0750 owner=root group=www-data\n"
                                             "</Directory>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0757);
  server.start();
  const std::string line = server.log().expect("world-writable: '");
  EXPECT_THAT(line, HasSubstr("[permguard:warn]"));
  EXPECT_THAT(line, HasSubstr("mode-drift"));
  EXPECT_THAT(line, HasSubstr("group-drift"));
  EXPECT_EQ(status(server)["health"], "warn");
  server.tree().chown("cgi-bin/a.cgi", "root", "www-data");
  server.tree().chmod("cgi-bin/a.cgi", 0750);
  server.log().expect("recovered: mode-drift");
  EXPECT_TRUE(poll_until([&] { return status(server)["health"] == "pass"; }));
}

TEST_P(WatchTest, ARiskStandsWhateverTheScriptAnswers) {
  HttpdServer server(options(GetParam(), kReport));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0757);
  server.start();
  server.log().expect("world-writable: '");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 200);
  EXPECT_EQ(server.log().count("recovered"), 0U);
  EXPECT_EQ(status(server)["health"], "warn");
  server.tree().chmod("cgi-bin/a.cgi", 0755);
  server.log().expect("recovered: world-writable");
}

TEST_P(WatchTest, AForbiddenRiskIsAnErrorThatEnforceAnswers) {
  HttpdServer server(options(GetParam(), "PermGuardForbid world-writable\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0757);
  server.tree().write("cgi-bin/b.cgi", cgi_script("b"), 0775);
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  EXPECT_THAT(server.log().expect("world-writable"), HasSubstr("[permguard:error]"));
  EXPECT_EQ(server.get("/cgi-bin/b.cgi").body, "b\n");
}

TEST_P(WatchTest, DriftOfADispatchedScriptIsToldAndNeverAnswered) {
  HttpdServer server(
      options(GetParam(), "<Directory @ROOT@/cgi-bin>\nPermGuardExpect mode=0700\n</Directory>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").body, "a\n");
  EXPECT_THAT(server.log().expect("mode-drift: '"), HasSubstr("desired is mode 0700"));
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").body, "a\n");
}

TEST_P(WatchTest, WatchesNamedDirectoriesAndSaysWhatItMayNotList) {
  HttpdServer server(options(GetParam(), std::string(kReport) +
                                             "PermGuardWatch off\n"
                                             "PermGuardWatch @ROOT@/jobs need=read\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  server.tree().write("jobs/a.php", "<?php", 0600);
  server.tree().mkdir("jobs/hidden", 0711);
  server.start();
  server.log().expect("read-denied: www-data cannot read");
  server.log().expect("not-listable");
  EXPECT_EQ(status(server)["watch"].size(), 1U);
  EXPECT_EQ(server.log().count("a.cgi"), 0U);
}

TEST_P(WatchTest, TheSocketsOfANamedDirectoryAreLookedAt) {
  HttpdServer server(options(GetParam(), std::string(kReport) +
                                             "PermGuardWatch off\n"
                                             "PermGuardWatch @ROOT@/sockets need=connect\n"));
  server.tree().mkdir("sockets");
  server.tree().write("sockets/readme", "words", 0600);
  const std::string path = server.tree().path("sockets/pool.sock");
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  server.start();
  server.log().expect("socket-connect-denied: www-data cannot connect '" + path + "'");
  EXPECT_EQ(server.log().count("not-a-socket"), 0U);
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  server.log().expect("recovered: socket-connect-denied '" + path + "'");
  close(listener);
}

TEST_P(WatchTest, GoesOnAfterAGracefulRestart) {
  HttpdServer server(options(GetParam(), kReport));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  server.start();
  server.graceful();
  server.tree().chmod("cgi-bin/a.cgi", 0644);
  server.log().expect("not-executable");
}

TEST_P(WatchTest, ConfigTestWarnsAndFails) {
  HttpdServer server(options(GetParam(), "PermGuard report\n"));
  const std::string script = server.tree().write("cgi-bin/pay.cgi", cgi_script("paid"), 0644);
  const ProcessResult warned = server.config_test();
  EXPECT_EQ(warned.exit_code, 0);
  EXPECT_THAT(warned.err, HasSubstr("not-executable: www-data cannot execute '" + script + "'"));
  EXPECT_THAT(warned.err, HasSubstr("Syntax OK"));

  server.configure("PermGuard report\nPermGuardConfigTest fail\n");
  EXPECT_EQ(server.config_test().exit_code, 1);
  server.tree().chmod("cgi-bin/pay.cgi", 0755);
  const ProcessResult passed = server.config_test();
  EXPECT_EQ(passed.exit_code, 0);
  EXPECT_THAT(passed.err, Not(HasSubstr("mod_permguard")));
}

TEST_P(WatchTest, DumpNamesPlacesWithFileLineUserAndMode) {
  HttpdServer server(options(GetParam(),
                             "<Directory @ROOT@/htdocs/tools>\n"
                             "Options +ExecCGI\nSetHandler cgi-script\nPermGuard explain\n"
                             "</Directory>\n"));
  server.tree().write("htdocs/tools/run", cgi_script("x"), 0644);
  const ProcessResult dump = server.config_test({"-t", "-D", "DUMP_PERMGUARD"});
  EXPECT_EQ(dump.exit_code, 0);
  EXPECT_THAT(dump.out, HasSubstr("cgi directory '" + server.tree().path("htdocs/tools") +
                                  "': execute as www-data, PermGuard explain, main server ("));
  EXPECT_THAT(dump.out, HasSubstr("not-executable: www-data cannot execute '" +
                                  server.tree().path("htdocs/tools/run") + "'"));
  EXPECT_THAT(dump.out, HasSubstr("cgi directory '" + server.tree().path("cgi-bin") + "'"));
  const ProcessResult json = server.config_test({"-t", "-D", "DUMP_PERMGUARD_JSON"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["places"].size(), 2U);
}

TEST_P(WatchTest, BadValuesAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"PermGuardForbid not-executable", "not-executable"},
      {"PermGuardForbid setuid none", "setuid none"},
      {"PermGuardForbid none setuid", "none setuid"},
      {"PermGuardWatch /srv need=write", "need=write"},
      {"PermGuardWatch /srv as=no-such-user-here", "as=no-such-user-here"},
      {"PermGuardWatchInterval -1", "-1"},
      {"PermGuardConfigTest loud", "loud"},
      {"<Directory />\nPermGuardExpect mode=0999\n</Directory>", "mode=0999"},
      {"<Directory />\nPermGuardExpect owner=no-such-user-here\n</Directory>", "no-such-user-here"},
  };
  for (const auto& [config, value] : cases) {
    HttpdServer server(options(GetParam(), std::string(config) + "\n"));
    const ProcessResult result = server.config_test();
    EXPECT_EQ(result.exit_code, 1) << config;
    EXPECT_THAT(result.err, HasSubstr(value));
    EXPECT_THAT(result.err, HasSubstr("allowed: "));
  }
}

INSTANTIATE_TEST_SUITE_P(Mpms, WatchTest, ::testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

}  // namespace
}  // namespace permguard::test
