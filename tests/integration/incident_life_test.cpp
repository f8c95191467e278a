// SPDX-License-Identifier: Apache-2.0
//
// When the watch may close what a request brought up, and when it must: contract, section 3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

nlohmann::json status(HttpdServer& server) {
  return nlohmann::json::parse(server.get("/permguard-status?json").body);
}

class IncidentLife : public ::testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as httpd's parent has";
  }

  static HttpdOptions options(std::string config) {
    HttpdOptions options;
    options.mpm = GetParam();
    options.config = "PermGuardWatchInterval 1\n" + std::move(config);
    return options;
  }

  /// Waits until the watch has ended twice more: at least one whole run lies in between.
  static void wait_for_watch(HttpdServer& server) {
    int runs = 2;
    nlohmann::json last = status(server)["watch"][0]["last_run"];
    EXPECT_TRUE(poll_until([&] {
      const nlohmann::json now = status(server)["watch"][0]["last_run"];
      if (now != last) --runs;
      last = now;
      return runs == 0;
    }));
  }

  static std::size_t open_incidents(HttpdServer& server) {
    std::size_t count = 0;
    const nlohmann::json now = status(server);
    for (const auto& incident : now["incidents"]) count += incident["open"] == true;
    return count;
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, IncidentLife, testing::ValuesIn(kBothMpms),
                         [](const auto& each) { return name_of(each.param); });

/// Settings of a virtual host that is not watched, and of <Files>, which only a request has.
TEST_P(IncidentLife, TheWatchClosesNothingThatStillStands) {
  HttpdServer server(options(R"(
PermGuardWatch @ROOT@/watched
<VirtualHost *>
  ServerName other
  PermGuardWatch off
  ScriptAlias /own/ @ROOT@/own/
  <Directory @ROOT@/own>
    PermGuardExpect mode=0755
    PermGuardForbid world-writable
    SetEnv PATH /nonexistent
  </Directory>
  <Files files.cgi>
    PermGuardExpect mode=0755
  </Files>
  <Directory @ROOT@/files>
    Options +ExecCGI
    SetHandler cgi-script
  </Directory>
  Alias /files @ROOT@/files
</VirtualHost>
)"));
  server.log().allow("AH01215");  // without a PATH the scripts find no cat
  server.tree().mkdir("watched");
  server.tree().write("own/drift.cgi", cgi_script("x"), 0775);
  server.tree().write("own/risk.cgi", cgi_script("x"), 0757);
  server.tree().write("own/command.cgi", cgi_script("x", "/usr/bin/env nosuch"), 0755);
  server.tree().write("files/files.cgi", cgi_script("x"), 0775);
  server.start();
  for (const char* path :
       {"/own/drift.cgi", "/own/risk.cgi", "/own/command.cgi", "/files/files.cgi"}) {
    server.request("GET", path, {"Host: other"});
  }
  for (const char* told : {"own/drift.cgi", "own/risk.cgi", "own/command.cgi", "files/files.cgi"}) {
    server.log().expect(server.tree().path(told) + "'");
  }
  const std::size_t open = open_incidents(server);
  EXPECT_GE(open, 5U);  // risk.cgi drifts too
  wait_for_watch(server);
  EXPECT_EQ(open_incidents(server), open);
  EXPECT_EQ(server.log().count("recovered"), 0U);

  for (const char* file : {"own/drift.cgi", "own/risk.cgi", "files/files.cgi"}) {
    server.tree().chmod(file, 0755);
  }
  server.log().expect("recovered: mode-drift '" + server.tree().path("own/drift.cgi"));
  server.log().expect("recovered: world-writable '" + server.tree().path("own/risk.cgi"));
  server.log().expect("recovered: mode-drift '" + server.tree().path("files/files.cgi"));
}

TEST_P(IncidentLife, WhatLeavesTheConfigurationIsClosed) {
  const std::string kept = "PermGuard report\nScriptAlias /kept/ @ROOT@/kept/\n";
  const std::string as_nobody = "<Directory @ROOT@/kept>\nPermGuardRunAs daemon\n</Directory>\n";
  HttpdServer server(options(kept + as_nobody + R"(
PermGuardWatch @ROOT@/watched
<VirtualHost *>
  ServerName first
</VirtualHost>
<VirtualHost *>
  ServerName gone
  ScriptAlias /gone/ @ROOT@/gone/
</VirtualHost>
)"));
  for (const char* file : {"kept/a.cgi", "watched/a.cgi", "gone/a.cgi"}) {
    server.tree().write(file, cgi_script("x"), 0640);
  }
  server.start();
  for (const char* file : {"kept/a.cgi", "watched/a.cgi", "gone/a.cgi"}) {
    server.log().expect("cannot execute '" + server.tree().path(file));
  }
  server.configure("PermGuardWatchInterval 1\n" + kept);
  server.graceful();
  for (const char* file : {"kept/a.cgi", "watched/a.cgi", "gone/a.cgi"}) {
    server.log().expect("recovered: not-executable '" + server.tree().path(file));
  }
  server.log().expect("not-executable: www-data cannot execute '" +
                      server.tree().path("kept/a.cgi"));
}

/// What is watched no more may be dispatched as before.
TEST_P(IncidentLife, TheEndOfTheWatchIsNoRecovery) {
  HttpdServer server(options("PermGuard report\nScriptAlias /own/ @ROOT@/own/\n"));
  server.tree().write("own/a.cgi", cgi_script("x"), 0640);
  server.tree().write("cgi-bin/b.cgi", cgi_script("x"), 0640);
  server.start();
  server.log().expect("cannot execute '" + server.tree().path("own/a.cgi"));
  server.log().expect("cannot execute '" + server.tree().path("cgi-bin/b.cgi"));
  server.configure(
      "PermGuardWatchInterval 1\nPermGuardWatch off\nPermGuardWatch @ROOT@/cgi-bin\n"
      "PermGuard report\nScriptAlias /own/ @ROOT@/own/\n");
  server.graceful();
  wait_for_watch(server);
  server.tree().chmod("cgi-bin/b.cgi", 0755);
  server.log().expect("recovered: not-executable '" + server.tree().path("cgi-bin/b.cgi"));
  wait_for_watch(server);
  EXPECT_EQ(server.log().count("recovered: not-executable '" + server.tree().path("own/a.cgi")),
            0U);
  server.tree().chmod("own/a.cgi", 0755);
  server.log().expect("recovered: not-executable '" + server.tree().path("own/a.cgi"));
}

TEST_P(IncidentLife, NamesThatNoFileCanHaveAreNoFindings) {
  HttpdServer server(options(""));
  server.start();
  server.log().allow("File name too long");
  server.log().allow("script not found or unable to stat");
  for (const char* path : {"/", "/cgi-bin/", "/cgi-bin/more/"}) {
    server.get(path + std::string(300, 'x'));
  }
  EXPECT_EQ(status(server)["incidents"].size(), 0U);
  EXPECT_EQ(status(server)["health"], "pass");
}

TEST_P(IncidentLife, DriftIsToldAtOnceAndOnceAndWhatWaitsGoesOnWaiting) {
  HttpdServer server(
      options("PermGuardRunAs daemon\nPermGuardLogInterval 0\n"
              "PermGuardWatch off\n<Directory @ROOT@/cgi-bin>\n"
              "PermGuardExpect mode=0755\n</Directory>\n"));
  // daemon may not execute it, so the model says; httpd's own user, who does, may.
  const std::string script = server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0750);
  server.tree().chown("cgi-bin/a.cgi", "www-data", "www-data");
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").body, "a\n");
  server.log().expect("mode-drift: '" + script);
  EXPECT_EQ(server.log().count("[permguard:error]"), 0U);

  server.log().allow("End of script output");
  server.tree().write("cgi-bin/b.cgi", "#!/bin/sh\nexit 2\n", 0775);
  EXPECT_EQ(server.get("/cgi-bin/b.cgi").status, 500);
  server.log().expect("exonerated");
  const std::string drift = "mode-drift: '" + server.tree().path("cgi-bin/b.cgi");
  server.log().expect(drift);
  EXPECT_EQ(server.log().count(drift), 1U);
}

TEST_P(IncidentLife, SharedDirectoriesAreWatchedOnce) {
  HttpdServer server(
      options("PermGuard report\nPermGuardWatch @ROOT@/cgi-bin\n"
              "<VirtualHost *>\nServerName one\n"
              "ScriptAlias /s/ @ROOT@/cgi-bin/\n</VirtualHost>\n"
              "<VirtualHost *>\nServerName two\n"
              "ScriptAlias /s/ @ROOT@/cgi-bin/\n</VirtualHost>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  server.start();
  server.log().expect("not-executable");
  EXPECT_TRUE(poll_until([&] { return !status(server)["watch"][0]["findings"].empty(); }));
  EXPECT_EQ(status(server)["watch"][0]["findings"].size(), 1U);
  const ProcessResult test = server.config_test();
  EXPECT_EQ(test.err.find("not-executable"), test.err.rfind("not-executable")) << test.err;
}

/// SetEnv PATH is what env(1) searches.
TEST_P(IncidentLife, TheConfiguredPathIsSearched) {
  HttpdServer server(
      options("PermGuardConfigTest fail\n<Directory @ROOT@/cgi-bin>\n"
              "SetEnv PATH @ROOT@/bin:/usr/bin:/bin\n</Directory>\n"));
  server.tree().write("bin/mine", cgi_script("mine"), 0755);
  server.tree().write("cgi-bin/a.cgi", "#!/usr/bin/env mine\n", 0755);
  const ProcessResult test = server.config_test();
  EXPECT_EQ(test.exit_code, 0) << test.err;
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").body, "mine\n");
  wait_for_watch(server);
  EXPECT_EQ(server.log().count("command-not-found"), 0U);
}

TEST_P(IncidentLife, TheConfigurationTestIsForItself) {
  HttpdServer server(options("PermGuardConfigTest fail\nPermGuardWatch off\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  EXPECT_EQ(server.config_test().exit_code, 1);
  EXPECT_THAT(server.config_test({"-t", "-D", "DUMP_PERMGUARD"}).out, HasSubstr("not-executable"));
  for (const char* other : {"-M", "-S"}) {
    const ProcessResult dump = server.config_test({other});
    EXPECT_EQ(dump.exit_code, 0) << other;
    EXPECT_THAT(dump.out + dump.err, Not(HasSubstr("not-executable"))) << other;
  }
}

/// What lies behind a closed directory is no better for that.
TEST_P(IncidentLife, AClosedDirectoryIsAnErrorAndHidesNothing) {
  HttpdServer server(options(""));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  server.start();
  server.log().expect("not-executable: www-data cannot execute");
  server.tree().chmod("cgi-bin", 0700);
  const std::string line = server.log().expect("search-denied: www-data cannot read '" +
                                               server.tree().path("cgi-bin") + "'");
  EXPECT_THAT(line, Not(HasSubstr("on the way")));
  EXPECT_THAT(line, HasSubstr("fix: setfacl -m u:www-data:rx '"));
  wait_for_watch(server);
  EXPECT_EQ(server.log().count("recovered"), 0U);
  server.tree().setfacl("cgi-bin", {"-m", "u:www-data:rx"});
  server.log().expect("recovered: directory-search-denied");
  server.tree().chmod("cgi-bin/a.cgi", 0755);
  server.log().expect("recovered: not-executable");
}

/// A request closes what its own virtual host's settings brought up, not another's.
TEST_P(IncidentLife, AnotherVirtualHostsRequestClosesNoFindingOfSettings) {
  HttpdServer server(options(R"(
PermGuard report
PermGuardWatch off
<VirtualHost *>
  ServerName plain
  ScriptAlias /shared/ @ROOT@/shared/
</VirtualHost>
<VirtualHost *>
  ServerName strict
  ScriptAlias /shared/ @ROOT@/shared/
  PermGuardForbid world-writable
  <Directory @ROOT@/shared>
    PermGuardExpect mode=0755
  </Directory>
</VirtualHost>
)"));
  server.tree().write("shared/a.cgi", cgi_script("a"), 0757);
  server.start();
  const auto get = [&](const char* host) {
    return server.request("GET", "/shared/a.cgi", {std::string("Host: ") + host}).status;
  };
  server.log().allow("-drift");
  EXPECT_EQ(get("strict"), 200);
  server.log().expect("world-writable: www-data cannot execute");
  EXPECT_EQ(open_incidents(server), 2U);
  EXPECT_EQ(get("plain"), 200);
  EXPECT_EQ(open_incidents(server), 2U);
  server.tree().chmod("shared/a.cgi", 0755);
  EXPECT_EQ(get("strict"), 200);
  EXPECT_EQ(open_incidents(server), 0U);
}

}  // namespace
}  // namespace permguard::test
