// SPDX-License-Identifier: Apache-2.0
//
// Incidents: opened once, counted, closed when the question passes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

class Recover : public testing::TestWithParam<Mpm> {
 protected:
  GuardedServer server{"", GetParam()};

  void start(const std::string& config) {
    server.configure(config);
    server.start();
  }
  std::string state() { return server.get("/permguard-status?auto").body; }
};

INSTANTIATE_TEST_SUITE_P(Mpm, Recover, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Recover, IsLoggedOnceWithTheRequestsAffected) {
  start("PermGuardStatusCode 503");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
  server.log().expect("not-executable:");
  EXPECT_EQ(server.told("not-executable:"), 1U) << "repetitions wait for the interval";
  EXPECT_THAT(state(), HasSubstr("IncidentsOpen: 1"));
  server.tree().chmod("cgi-bin/broken.cgi", 0755);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 200);
  EXPECT_THAT(server.log().expect("recovered: not-executable '"),
              HasSubstr(", 4 requests affected"));
  EXPECT_EQ(server.told("recovered"), 1U);
  EXPECT_THAT(state(), HasSubstr("IncidentsOpen: 0"));
}

TEST_P(Recover, ABreakAfterwardsIsANewIncidentToldInFull) {
  start("PermGuardStatusCode 503");
  for (int i = 0; i < 2; ++i) {
    server.tree().chmod("cgi-bin/broken.cgi", 0644);
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
    server.log().expect("not-executable: www-data cannot execute");
    server.tree().chmod("cgi-bin/broken.cgi", 0755);
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 200);
    server.log().expect("recovered: not-executable");
  }
}

TEST_P(Recover, RepeatsAreCountedAfterTheInterval) {
  start("PermGuardStatusCode 503\nPermGuardLogInterval 1");
  EXPECT_TRUE(poll_until([&] {
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
    return server.told("still failing") > 0;
  }));
  server.log().expect("not-executable: www-data");
  EXPECT_THAT(server.log().expect("still failing"),
              testing::ContainsRegex("not-executable: '.*broken.cgi' still failing, [0-9]+ more "
                                     "requests? in [0-9]+ s"));
  server.log().allow("still failing");
}

TEST_P(Recover, OneFaultBehindAnother) {
  server.tree().write("deep/cgi/a.cgi", cgi_script("ok"), 0644);
  server.tree().chmod("deep", 0700);
  start("PermGuardStatusCode 503\nScriptAlias /deep/ @ROOT@/deep/cgi/");
  EXPECT_EQ(server.get("/deep/a.cgi").status, 403);
  server.log().expect("search-denied:");
  server.tree().chmod("deep", 0755);
  EXPECT_EQ(server.get("/deep/a.cgi").status, 503);
  server.log().expect("not-executable:");
  server.log().expect("recovered: search-denied '");
  server.tree().chmod("deep/cgi/a.cgi", 0755);
  EXPECT_EQ(server.get("/deep/a.cgi").status, 200);
  server.log().expect("recovered: not-executable '");
}

TEST_P(Recover, RandomNamesUnderOneLockedDirectoryAreOneIncidentThatAnotherTargetCloses) {
  server.tree().write("deep/cgi/a.cgi", cgi_script("ok"), 0755);
  server.tree().chmod("deep", 0700);
  start("ScriptAlias /deep/ @ROOT@/deep/cgi/");
  for (const char* name : {"x1", "x2", "x3"}) server.get(std::string("/deep/") + name);
  server.log().expect("search-denied:");
  // A request is counted when it is logged, which is after its answer.
  EXPECT_TRUE(poll_until([this] {
    return server.get("/permguard-status?json").body.find("\"count\":3,\"first_seen\"") !=
           std::string::npos;
  }));
  EXPECT_EQ(server.told("search-denied:"), 1U);
  EXPECT_THAT(state(), HasSubstr("IncidentsOpen: 1"));
  server.tree().chmod("deep", 0755);
  EXPECT_EQ(server.get("/deep/a.cgi").status, 200);
  EXPECT_THAT(server.log().expect("recovered: search-denied '"), HasSubstr("3 requests affected"));
}

TEST_P(Recover, AFileThatIsGoneClosesItsIncident) {
  server.tree().write("cgi-bin/dir/a.cgi", "#!/no/such/interpreter\n", 0755);
  start("PermGuardStatusCode 503");
  for (const char* name : {"broken.cgi", "dir/a.cgi"}) {
    const std::string url = std::string("/cgi-bin/") + name;
    EXPECT_EQ(server.get(url).status, 503);
    server.log().expect(name);
    server.tree().remove(std::string("cgi-bin/") + name);
    EXPECT_EQ(server.get(url).status, 404);
    EXPECT_THAT(server.log().expect("recovered: "), HasSubstr(name));
  }
  EXPECT_THAT(state(), HasSubstr("IncidentsOpen: 0"));
}

TEST_P(Recover, AnIncidentIsKeptOverRestartsAndClosedByTheNextGeneration) {
  start("PermGuardStatusCode 503");
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
  server.log().expect("not-executable:");
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
  server.restart();
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
  EXPECT_EQ(server.told("not-executable:"), 1U);
  EXPECT_THAT(state(), HasSubstr("ChecksCgiBlocked: 3"));
  server.tree().chmod("cgi-bin/broken.cgi", 0755);
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 200);
  EXPECT_THAT(server.log().expect("recovered: not-executable '"), HasSubstr("3 requests affected"));
}

TEST_P(Recover, AnotherNumberOfIncidentsBeginsAnew) {
  start("PermGuardIncidents 8");
  server.get("/cgi-bin/broken.cgi");
  server.log().expect("not-executable:");
  server.configure("PermGuardIncidents 9");
  server.graceful();
  EXPECT_THAT(state(), HasSubstr("IncidentsOpen: 0"));
}

TEST_P(Recover, TheNumberOfIncidentsIsBounded) {
  server.log().allow("not-executable:");
  start("PermGuardIncidents 2");
  for (const char* name : {"a", "b", "c"}) {
    server.tree().write(std::string("cgi-bin/") + name, cgi_script("ok"), 0644);
    server.get(std::string("/cgi-bin/") + name);
  }
  EXPECT_THAT(state(), HasSubstr("IncidentsOpen: 2"));
  EXPECT_THAT(state(), HasSubstr("IncidentsEvicted: 1"));
}

}  // namespace
}  // namespace permguard::test
