// SPDX-License-Identifier: Apache-2.0
//
// mpm-itk serves each vhost as a user of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "integration/dispatcher_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

class Itk : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to serve vhosts as other users";
  }

  static HttpResponse get(const HttpdServer& server, const std::string& host,
                          std::string_view path) {
    return server.request("GET", path, {"Host: " + host});
  }

  Scene scene{.mpm = Mpm::prefork,
              .modules = {"mpm_itk=/usr/lib/apache2/modules/mpm_itk.so"},
              .config = R"(
<VirtualHost *>
  ServerName plain
</VirtualHost>
<VirtualHost *>
  ServerName games
  AssignUserID games games
</VirtualHost>
<VirtualHost *>
  ServerName news
  AssignUserID news news
</VirtualHost>
)",
              .lay_out =
                  [](TempTree& tree) {
                    const std::string who = "#!/bin/sh\necho; id -un\n";
                    tree.write("cgi-bin/own.cgi", who, 0744);
                    tree.chown("cgi-bin/own.cgi", "games", "games");
                    tree.write("cgi-bin/all.cgi", who, 0755);
                  },
              .allowed = {"exec of '", "End of script output before headers", "AH01215"}};
};

TEST_F(Itk, HealthyScriptsAnswerAsWithStockHttpd) {
  expect_as_stock(scene, {{"/cgi-bin/own.cgi", "GET", {"Host: games"}},
                          {"/cgi-bin/all.cgi", "GET", {"Host: games"}},
                          {"/cgi-bin/all.cgi", "GET", {"Host: news"}},
                          {"/cgi-bin/all.cgi", "GET", {"Host: plain"}}});
}

TEST_F(Itk, TheUserIsTheVhostsOwn) {
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(get(server, "games", "/cgi-bin/own.cgi").body, "games\n");
  EXPECT_EQ(get(server, "news", "/cgi-bin/own.cgi").status, 500);
  server.log().expect("execute-denied: news cannot execute '");
  EXPECT_EQ(get(server, "plain", "/cgi-bin/own.cgi").status, 500);
  server.log().expect("execute-denied: www-data cannot execute '");
  EXPECT_EQ(server.lines(), 2U);
}

/// The watch runs in a child that is still root, so no answer of its own kernel counts.
TEST_F(Itk, TheWatchAsksForEachVhostsUser) {
  scene.config +=
      "<VirtualHost *>\nServerName lists\nAssignUserID list list\n"
      "ScriptAlias /lists/ @ROOT@/lists/\n</VirtualHost>\nPermGuardWatchInterval 1\n";
  scene.lay_out = [](TempTree& tree) {
    tree.write("lists/own.cgi", "#!/bin/sh\n", 0700);
    tree.chown("lists/own.cgi", "games", "games");
    tree.write("cgi-bin/main.cgi", "#!/bin/sh\n", 0744);
  };
  DispatcherServer server(scene, "report");
  server.log().expect("execute-denied (modelled): www-data cannot execute '" +
                      server.tree().path("cgi-bin/main.cgi"));
  server.log().expect("execute-denied (modelled): list cannot execute '" +
                      server.tree().path("lists/own.cgi"));
  server.log().allow("execute-denied (modelled)");  // by every run of the watch
  server.tree().chown("lists/own.cgi", "list", "list");
  server.log().allow("server-writable");
  server.log().expect("recovered: execute-denied '" + server.tree().path("lists/own.cgi"));
  server.tree().chmod("cgi-bin/main.cgi", 0755);
  server.log().expect("recovered: execute-denied '" + server.tree().path("cgi-bin/main.cgi"));
  EXPECT_EQ(server.metric("permguard_watch_files"), "2");
}

TEST_F(Itk, CountersAndIncidentsAreShared) {
  DispatcherServer server(scene, "enforce");
  for (int i = 0; i < 3; ++i) get(server, "news", "/cgi-bin/own.cgi");
  server.log().allow("execute-denied");
  get(server, "games", "/cgi-bin/own.cgi");
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"cgi\",result=\"blocked\"}"), "3");
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"cgi\",result=\"healthy\"}"), "1");
  EXPECT_EQ(server.metric("permguard_incidents_open"), "1");
  server.tree().chmod("cgi-bin/own.cgi", 0755);
  EXPECT_EQ(get(server, "news", "/cgi-bin/own.cgi").body, "news\n");
  server.log().expect("recovered: execute-denied");
  EXPECT_EQ(server.metric("permguard_incidents_open"), "0");
}

}  // namespace
}  // namespace permguard::test
