// SPDX-License-Identifier: Apache-2.0
//
// mod_fcgid: scripts that speak FastCGI, and FcgidWrapper.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/dispatcher_server.h"
#include "integration/fcgi_program.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

class Fcgid : public testing::TestWithParam<Mpm> {
 protected:
  Scene scene{
      .mpm = GetParam(),
      .modules = {"fcgid"},
      .config = R"(
FcgidIPCDir @ROOT@/rt/fcgid
FcgidProcessTableFile @ROOT@/rt/fcgid_shm
FcgidInitialEnv PATH /usr/bin:/bin
<Directory "@ROOT@/apps">
  Options +ExecCGI
  AddHandler fcgid-script .fcgi .page .any
  FcgidWrapper "@ROOT@/apps/wrap -x" .page
</Directory>
Alias /apps/ "@ROOT@/apps/"
Alias /off/ "@ROOT@/off/"
<Directory "@ROOT@/off">
  SetHandler fcgid-script
</Directory>
<Location "/virtual/">
  Options +ExecCGI
  SetHandler fcgid-script
  FcgidWrapper "@ROOT@/apps/wrap" virtual
</Location>
)",
      .lay_out =
          [](TempTree& tree) {
            tree.write("apps/app.fcgi", kFcgiProgram, 0755);
            tree.write("apps/wrap", kFcgiProgram, 0755);
            tree.write("apps/text.page", "the page", 0644);
            tree.write("apps/broken.fcgi", kFcgiProgram, 0644);
            tree.write("off/app.fcgi", kFcgiProgram, 0644);
          },
      .allowed = {"error reading data from FastCGI server", "End of script output",
                  "mod_fcgid:", "exec of '", "can't connect unix domain socket", "terminate"}};
};

INSTANTIATE_TEST_SUITE_P(Mpm, Fcgid, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Fcgid, HealthyProgramsAnswerAsWithStockHttpd) {
  expect_as_stock(scene, {{"/apps/app.fcgi"},
                          {"/apps/app.fcgi/more"},
                          {"/apps/app.fcgi", "HEAD"},
                          {"/apps/app.fcgi", "FOO"},
                          {"/apps/app.fcgi", "POST", {}, "sent=1"},
                          {"/apps/text.page", "POST", {}, "sent=1"},
                          {"/apps/text.page"},
                          {"/virtual/anything"}});
}

TEST_P(Fcgid, AProgramThatCannotBeStartedIsAnswered) {
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/apps/broken.fcgi").status, 500);
  EXPECT_THAT(server.log().expect("[permguard:error]"),
              HasSubstr("not-executable: www-data cannot execute '" +
                        server.tree().path("apps/broken.fcgi") + "': mode 0644"));
  EXPECT_EQ(server.lines(), 1U);
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"fcgid\",result=\"blocked\"}"), "1");
}

TEST_P(Fcgid, ReportTellsItOnceAndStartsIt) {
  DispatcherServer server(scene, "report");
  EXPECT_EQ(server.get("/apps/broken.fcgi").status, 500);
  server.log().expect("not-executable: www-data cannot execute");
  EXPECT_EQ(server.errors(), 1U);
}

TEST_P(Fcgid, AProgramThatRunsIsNeverAnsweredFor) {
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/apps/app.fcgi").status, 200);
  server.tree().chmod("apps/app.fcgi", 0644);
  EXPECT_EQ(server.get("/apps/app.fcgi").status, 200);  // the process lives on
  EXPECT_EQ(server.lines(), 0U);
  server.graceful();  // now it is gone
  EXPECT_EQ(server.get("/apps/app.fcgi").status, 500);
  server.log().expect("not-executable: www-data");
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(Fcgid, AWrapperThatRunsServesScriptsItHasNotSeen) {
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    tree.write("apps/other.page", "other");
  };
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/apps/text.page").status, 200);
  server.tree().chmod("apps/wrap", 0644);
  EXPECT_EQ(server.get("/apps/other.page").body, "otherGET");
  EXPECT_EQ(server.lines(), 0U);
}

TEST_P(Fcgid, AForbiddenRiskIsAnsweredThoughTheProgramRuns) {
  scene.config += "PermGuardForbid world-writable\n";
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/apps/app.fcgi").status, 200);
  server.tree().chmod("apps/app.fcgi", 0757);
  EXPECT_EQ(server.get("/apps/app.fcgi").status, 500);
  server.log().expect("world-writable: ");
}

TEST_P(Fcgid, TheWrapperHasItsOwnChain) {
  DispatcherServer server(scene, "enforce");
  server.tree().write("apps/wrap", "#!/no/such/python\n", 0755);
  EXPECT_EQ(server.get("/apps/text.page").status, 500);
  const std::string line = server.log().expect("[permguard:error]");
  EXPECT_THAT(line, HasSubstr("wrapper-interpreter-not-found: www-data cannot execute '" +
                              server.tree().path("apps/wrap") + "'"));
  server.tree().write("apps/wrap", kFcgiProgram, 0644);
  EXPECT_EQ(server.get("/virtual/page").status, 500);
  server.log().expect("wrapper-not-executable: www-data cannot execute");
  server.tree().chmod("apps/wrap", 0755);
  EXPECT_EQ(server.get("/apps/text.page").body, "the pageGET");
  server.log().expect("recovered: wrapper-not-executable");
}

TEST_P(Fcgid, BehindAWrapperTheScriptIsRead) {
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    tree.write("apps/secret.page", "secret", 0600);
  };
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/apps/secret.page").status, 200);  // a wrapper may do without it
  EXPECT_EQ(server.lines(), 0U);
}

TEST_P(Fcgid, StrictAnswersForAScriptThatAWrapperCannotRead) {
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    tree.write("apps/secret.page", "secret", 0600);
  };
  DispatcherServer server(scene, "enforce strict");
  const HttpResponse response = server.get("/apps/secret.page");
  EXPECT_EQ(response.status, 500) << response.body;
  server.log().expect("read-denied (modelled): www-data cannot read '");
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(Fcgid, WhatStockHttpdRefusesIsNotLookedAt) {
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/off/app.fcgi").status, 403);
  EXPECT_EQ(server.get("/apps/none.fcgi").status, 404);
  EXPECT_EQ(server.lines(), 0U);
}

TEST_P(Fcgid, ItsPathIsItsOwn) {
  scene.config += "SetEnv PATH /no/such/directory\n";
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    std::string program(kFcgiProgram);
    program.replace(0, program.find('\n'), "#!/usr/bin/env python3");
    tree.write("apps/app.fcgi", program, 0755);
    tree.write("apps/cmd.fcgi", program, 0755);
  };
  scene.config += "FcgidCmdOptions @ROOT@/apps/cmd.fcgi InitialEnv PATH=/nowhere\n";
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/apps/app.fcgi").status, 200);
  EXPECT_EQ(server.get("/apps/cmd.fcgi").status, 500);
  EXPECT_THAT(server.log().expect("command-not-found: www-data"), HasSubstr("/nowhere"));
}

TEST_P(Fcgid, AProgramThatEndsIsExonerated) {
  DispatcherServer server(scene, "report");
  EXPECT_EQ(server.get("/apps/app.fcgi?quit").status, 500);
  EXPECT_THAT(server.log().expect("exonerated: www-data can execute"),
              HasSubstr("the request failed with status 500: no headers from the script"));
}

TEST(FcgidConfig, WithoutTheModuleItsDirectivesStayUnknown) {
  for (const char* line : {"FcgidWrapper /bin/true", "WSGIProcessGroup none"}) {
    HttpdOptions options;
    options.config = line;
    HttpdServer server(options);
    const ProcessResult result = server.config_test();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("Invalid command '" +
                                      std::string(line).substr(0, std::string(line).find(' '))));
  }
}

}  // namespace
}  // namespace permguard::test
