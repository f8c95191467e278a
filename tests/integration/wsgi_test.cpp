// SPDX-License-Identifier: Apache-2.0
//
// mod_wsgi: applications in the child itself and in daemon processes of other users.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "integration/dispatcher_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view kApplication = R"(import os
def application(environ, start_response):
    body = ('uid %d %s' % (os.getuid(), environ['PATH_INFO'])).encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
handle_request = application
)";

/// A child that holds an embedded Python may hang or abort when httpd stops, without mod_permguard
/// too: AH00045 and the lines after it are allowed.
class Wsgi : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to start daemons as other users";
  }

  Scene scene{
      .mpm = GetParam(),
      .modules = {"wsgi", "actions"},
      .config = R"(
WSGISocketPrefix @ROOT@/rt/wsgi
WSGIDaemonProcess games user=games threads=1 home=/
WSGIDaemonProcess own threads=1 home=/
WSGIDaemonProcess helped user=games supplementary-groups=mail,news threads=1 home=/
WSGIScriptAlias /embedded @ROOT@/apps/embedded.wsgi
WSGIScriptAlias /games @ROOT@/apps/games.wsgi process-group=games
WSGIScriptAlias /own @ROOT@/apps/own.wsgi process-group=own
WSGIScriptAlias /helped @ROOT@/apps/helped.wsgi process-group=helped
WSGIScriptAlias /tree @ROOT@/apps/tree.wsgi
<Location "/tree">
  WSGIProcessGroup %{ENV:chosen_group}
  SetEnv chosen_group games
</Location>
WSGIHandlerScript paint @ROOT@/apps/handler.wsgi
<Location "/painted">
  SetHandler paint
</Location>
<Directory "@ROOT@/htdocs/plain">
  SetHandler wsgi-script
</Directory>
)",
      .lay_out =
          [](TempTree& tree) {
            for (const char* name : {"embedded", "games", "own", "helped", "tree", "handler"}) {
              tree.write("apps/" + std::string(name) + ".wsgi", kApplication, 0644);
            }
            tree.write("htdocs/plain/app.wsgi", kApplication, 0600);
          },
      .allowed = {"mod_wsgi", "wsgi:", "Options ExecCGI is off", "[client", "AH00045", "AH00046",
                  "exit signal Abort"}};

  void give(const std::string& name, const std::string& user, mode_t mode) {
    scene.lay_out = [=, lay_out = scene.lay_out](TempTree& tree) {
      lay_out(tree);
      tree.chmod(name, mode);
      tree.chown(name, user);
    };
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, Wsgi, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Wsgi, HealthyApplicationsAnswerAsWithStockHttpd) {
  give("apps/games.wsgi", "games", 0400);  // www-data may not read them
  give("apps/tree.wsgi", "games", 0400);
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    tree.chown("apps/helped.wsgi", "root", "news");
    tree.chmod("apps/helped.wsgi", 0640);
  };
  expect_as_stock(scene, {{"/embedded"},
                          {"/embedded/more"},
                          {"/embedded", "HEAD"},
                          {"/embedded", "FOO"},
                          {"/embedded", "POST", {}, "sent=1"},
                          {"/games", "POST", {}, "sent=1"},
                          {"/games"},
                          {"/games/more"},
                          {"/own"},
                          {"/helped"},
                          {"/tree"},
                          {"/painted"}});
}

TEST_P(Wsgi, TheChildItselfReadsAnEmbeddedOne) {
  give("apps/embedded.wsgi", "root", 0600);
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/embedded").status, 500);
  server.log().expect("read-denied: www-data cannot read '" +
                      server.tree().path("apps/embedded.wsgi") + "': mode 0600");
  EXPECT_EQ(server.lines(), 1U);
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"wsgi\",result=\"blocked\"}"), "1");
}

TEST_P(Wsgi, ADaemonsUserReadsTheOthers) {
  give("apps/games.wsgi", "www-data", 0600);
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/games").status, 500);  // mod_wsgi's own answer
  server.log().expect("read-denied (modelled): games cannot read '" +
                      server.tree().path("apps/games.wsgi"));
  EXPECT_EQ(server.errors(), 1U);
}

TEST_P(Wsgi, ADaemonOfHttpdsOwnUserIsCertain) {
  give("apps/own.wsgi", "games", 0600);
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/own").status, 500);
  server.log().expect("read-denied: www-data cannot read '");
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(Wsgi, AHandlerScriptIsReadInsteadOfTheFile) {
  give("apps/handler.wsgi", "root", 0600);
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/painted").status, 500);
  server.log().expect("read-denied: www-data cannot read '" +
                      server.tree().path("apps/handler.wsgi"));
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(Wsgi, ALoadedApplicationIsNeverAnsweredFor) {
  scene.config += "WSGIScriptReloading Off\n";
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/own").status, 200);
  server.tree().chmod("apps/own.wsgi", 0600);
  EXPECT_EQ(server.get("/own").status, 200);
  EXPECT_EQ(server.lines(), 0U);
}

/// No Python runs in this jail: only what is asked before a request is sent there counts.
TEST_P(Wsgi, AScriptInADaemonsChrootIsNamedFromOutside) {
  scene.config +=
      "WSGIDaemonProcess jailed user=games chroot=@ROOT@/outer/jail threads=1 home=/\n"
      "WSGIScriptAlias /jailed @ROOT@/outer/jail/app.wsgi process-group=jailed\n";
  scene.lay_out = [](TempTree& tree) {
    tree.write("outer/jail/app.wsgi", kApplication, 0600);
    tree.chown("outer", "root", "www-data");
    tree.chmod("outer", 0750);  // where games never goes
  };
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/jailed").status, 500);
  server.log().expect("read-denied (modelled): games cannot read '" +
                      server.tree().path("outer/jail/app.wsgi") + "': mode 0600");
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(Wsgi, WhatStockHttpdRefusesIsNotLookedAt) {
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/plain/app.wsgi").status, 403);
  EXPECT_EQ(server.lines(), 0U);
}

TEST_P(Wsgi, WhereAScriptChoosesTheGroupNothingIsSaid) {
  give("apps/embedded.wsgi", "games", 0600);
  scene.config += "WSGIDispatchScript @ROOT@/apps/dispatch.wsgi\n";
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    tree.write("apps/dispatch.wsgi", "def process_group(environ):\n    return 'games'\n");
  };
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/embedded").status, 200);
  EXPECT_EQ(server.lines(), 0U);
}

}  // namespace
}  // namespace permguard::test
