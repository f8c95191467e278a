// SPDX-License-Identifier: Apache-2.0
//
// The story of the postmortem, from the bad deployment to Puppet's repair, with the real parts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/httpd_server.h"
#include "support/puppet.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PostmortemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as httpd and Puppet have";
  }

  static HttpdOptions options() {
    HttpdOptions options;
    options.config =
        "PermGuard report\nPermGuardWatchInterval 2\nPermGuardHealth fail\n"
        "PermGuardConfigTest fail\n";
    return options;
  }

  HttpResponse health() { return server_.get("/permguard-status?health"); }

  std::string manifest() {
    const ProcessResult audit =
        run({PERMGUARD_BUILD "/permguard", "audit", server_.tree().path("cgi-bin"), "--as",
             "www-data", "--format", "puppet"});
    EXPECT_EQ(audit.exit_code, 1) << audit.err;
    return server_.tree().write("repair.pp", audit.out);
  }

  HttpdServer server_{options()};
};

TEST_F(PostmortemTest, FromTheDeploymentToTheRepair) {
  server_.tree().write("cgi-bin/pay.cgi", cgi_script("paid"), 0755);
  server_.start();
  EXPECT_EQ(server_.get("/cgi-bin/pay.cgi").body, "paid\n");
  EXPECT_EQ(server_.config_test().exit_code, 0);

  // Deployed 0644. The gate names it …
  const std::string script = server_.tree().write("cgi-bin/pay.cgi", cgi_script("paid"), 0644);
  const std::string told = "not-executable: www-data cannot execute '" + script + "'";
  const ProcessResult gate = server_.config_test();
  EXPECT_EQ(gate.exit_code, 1);
  EXPECT_THAT(gate.err, HasSubstr(told));

  // … and is ignored. The watch tells before anybody asks.
  EXPECT_THAT(server_.log().expect(told), Not(HasSubstr("[client")));
  EXPECT_EQ(health().status, 503);
  EXPECT_THAT(health().body, HasSubstr("\"fail\""));

  server_.log().allow("AH01241");
  server_.log().allow("End of script output");
  EXPECT_EQ(server_.get("/cgi-bin/pay.cgi").status, 500);
  const std::string line = server_.log().expect(told);
  EXPECT_THAT(line, HasSubstr("[client"));
  EXPECT_THAT(line, HasSubstr("; fix: chmod a+x '" + script + "'"));

  const ProcessResult puppet = puppet_apply(manifest());
  EXPECT_EQ(puppet.exit_code, 2) << puppet.out << puppet.err;

  EXPECT_EQ(server_.get("/cgi-bin/pay.cgi").body, "paid\n");
  server_.log().expect("recovered: not-executable '" + script + "' after ");
  EXPECT_TRUE(poll_until([this] { return health().status == 200; }));
  EXPECT_THAT(health().body, HasSubstr("\"pass\""));
  EXPECT_EQ(server_.config_test().exit_code, 0);
  EXPECT_EQ(server_.log().count("recovered: "), 1U);
}

}  // namespace
}  // namespace permguard::test
