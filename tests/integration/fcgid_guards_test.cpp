// SPDX-License-Identifier: Apache-2.0
//
// The programs that mod_fcgid asks before any handler: FcgidAccessChecker, FcgidAuthenticator and
// FcgidAuthorizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utime.h>

#include "integration/dispatcher_server.h"
#include "integration/fcgi_program.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kUser = {"Authorization: Basic YW5uOmFubg=="};  // ann:ann

class FcgidGuards : public testing::TestWithParam<Mpm> {
 protected:
  Scene scene{.mpm = GetParam(),
              .modules = {"fcgid", "authn_core", "authz_user"},
              .config = R"(
FcgidIPCDir @ROOT@/rt/fcgid
FcgidProcessTableFile @ROOT@/rt/fcgid_shm
<Directory "@ROOT@/htdocs/access">
  FcgidAccessChecker "@ROOT@/apps/access"
</Directory>
<Directory "@ROOT@/htdocs/user">
  AuthType Basic
  AuthName x
  FcgidAuthenticator "@ROOT@/apps/user"
  Require valid-user
</Directory>
<Directory "@ROOT@/htdocs/right">
  AuthType Basic
  AuthName x
  FcgidAuthenticator "@ROOT@/apps/asked"
  FcgidAuthorizer "@ROOT@/apps/right"
  Require valid-user
</Directory>
)",
              .lay_out =
                  [](TempTree& tree) {
                    for (const char* name : {"access", "user", "right", "asked"}) {
                      tree.write(std::string("apps/") + name, kFcgiProgram, 0755);
                      const utimbuf same{1'000'000'000, 1'000'000'000};
                      ::utime(
                          tree.write(std::string("htdocs/") + name + "/page.html", "page").c_str(),
                          &same);
                    }
                  },
              .allowed = {"mod_fcgid:", "End of script output", "exec of '",
                          "can't connect unix domain socket"}};
};

INSTANTIATE_TEST_SUITE_P(Mpm, FcgidGuards, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(FcgidGuards, HealthyOnesAnswerAsWithStockHttpd) {
  expect_as_stock(scene, {{"/access/page.html"},
                          {"/user/page.html", "GET", kUser},
                          {"/user/page.html", "GET", {}, {}, 401},
                          {"/right/page.html", "GET", kUser}});
}

TEST_P(FcgidGuards, OneThatCannotRunIsExplained) {
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    for (const char* name : {"access", "user", "right"}) {
      tree.chmod(std::string("apps/") + name, 0644);
    }
  };
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/user/page.html").status, 401) << "nobody to be asked about";
  EXPECT_EQ(server.lines(), 0U);
  for (const char* name : {"access", "user", "right"}) {
    const HttpResponse response =
        server.request("GET", "/" + std::string(name) + "/page.html", kUser);
    // mod_fcgid's own answer: 503 where it gives up waiting for a process that ends at once.
    EXPECT_THAT(response.status, testing::AnyOf(500, 503));
    EXPECT_THAT(response.body, testing::Not(HasSubstr(server.tree().root())));
    server.log().expect("not-executable: www-data cannot execute '" +
                        server.tree().path(std::string("apps/") + name) + "': mode 0644");
  }
  EXPECT_EQ(server.lines(), 3U);
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"fcgid\",result=\"reported\"}"), "3");
}

/// No URL names the program, so its absence is no 404.
TEST_P(FcgidGuards, OneThatIsGoneIsExplained) {
  DispatcherServer server(scene, "enforce");
  server.tree().remove("apps/access");
  EXPECT_EQ(server.get("/access/page.html").status, 500);
  server.log().expect("not-found: www-data cannot execute '" + server.tree().path("apps/access") +
                      "'");
  server.tree().write("apps/access", kFcgiProgram, 0755);
  EXPECT_EQ(server.get("/access/page.html").status, 200);
}

TEST_P(FcgidGuards, TheWatchFindsThemAndTheirRepair) {
  scene.config += "<IfModule permguard_module>\nPermGuardWatchInterval 1\n</IfModule>\n";
  DispatcherServer server(scene, "report");
  server.tree().chmod("apps/user", 0644);
  server.log().expect("not-executable: www-data cannot execute '" +
                      server.tree().path("apps/user"));
  server.tree().chmod("apps/user", 0755);
  server.log().expect("recovered: not-executable '" + server.tree().path("apps/user"));
}

}  // namespace
}  // namespace permguard::test
