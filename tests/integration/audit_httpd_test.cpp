// SPDX-License-Identifier: Apache-2.0
//
// `permguard audit --httpd`: whose rights count, and whose name is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/httpd_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AuditHttpdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as configtest has";
  }

  /// `permguard audit --httpd` of `server`, with `more` options, behind `launcher`.
  static ProcessResult audit(HttpdServer& server, const std::vector<std::string>& more = {},
                             std::vector<std::string> launcher = {}) {
    EXPECT_EQ(server.config_test({"-t"}).exit_code, 0);  // writes httpd.conf
    std::vector<std::string> command = std::move(launcher);
    command.insert(command.end(),
                   {PERMGUARD_BUILD "/permguard", "audit",
                    "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf")});
    command.insert(command.end(), more.begin(), more.end());
    return run(command);
  }
};

/// One place as www-data, one as another user; each has a script only the other could run.
HttpdOptions two_users() {
  HttpdOptions options;
  options.config =
      "ScriptAlias /own/ \"@ROOT@/own/\"\n"
      "ScriptAlias /other/ \"@ROOT@/other/\"\n"
      "<Directory \"@ROOT@/other\">\nPermGuardRunAs daemon\n</Directory>\n"
      "PermGuardConfigTest off\n";
  return options;
}

TEST_F(AuditHttpdTest, TellsEachPlacesOwnUser) {
  HttpdServer server(two_users());
  const std::string own = server.tree().write("own/a.cgi", cgi_script("x"), 0750);
  const std::string other = server.tree().write("other/a.cgi", cgi_script("x"), 0750);
  const ProcessResult text = audit(server);
  EXPECT_EQ(text.exit_code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("as www-data (uid 33"));
  EXPECT_THAT(text.out, HasSubstr("execute-denied: www-data cannot execute '" + own + "'"));
  EXPECT_THAT(text.out, HasSubstr("as daemon (uid 1"));
  EXPECT_THAT(text.out, HasSubstr("execute-denied: daemon cannot execute '" + other + "'"));

  const auto json = nlohmann::json::parse(audit(server, {"--format", "json"}).out);
  EXPECT_EQ(json["user"]["name"], "www-data");
  ASSERT_EQ(json["findings"].size(), 4U);  // x and r of each
  for (const auto& finding : json["findings"]) {
    EXPECT_EQ(finding["user"]["name"], finding["target"] == own ? "www-data" : "daemon");
  }
}

TEST_F(AuditHttpdTest, AsMakesOneUserOfAll) {
  HttpdServer server(two_users());
  server.tree().write("own/a.cgi", cgi_script("x"), 0750);
  server.tree().write("other/a.cgi", cgi_script("x"), 0755);
  const ProcessResult text = audit(server, {"--as", "daemon"});
  EXPECT_EQ(text.exit_code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("as daemon (uid 1, gid 1, groups 1): named by --as"));
  EXPECT_THAT(text.out, HasSubstr("daemon cannot execute '" + server.tree().path("own/a.cgi")));
  EXPECT_THAT(text.out, Not(HasSubstr("www-data")));
  EXPECT_THAT(text.out, Not(HasSubstr(server.tree().path("other/a.cgi"))));
}

/// What the configuration dispatches, asked for another need than its handlers have.
TEST_F(AuditHttpdTest, NeedCountsForEveryScript) {
  HttpdServer server(two_users());
  const std::string own = server.tree().write("own/a.cgi", cgi_script("x"), 0711);
  server.tree().write("other/a.cgi", cgi_script("x"), 0644);
  const ProcessResult text = audit(server, {"--need", "read"});
  EXPECT_EQ(text.exit_code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("read-denied: www-data cannot read '" + own + "'"));
  EXPECT_THAT(text.out, Not(HasSubstr("cannot execute")));
}

/// A section for a directory below makes it a place of its own, which the one around leaves to it.
TEST_F(AuditHttpdTest, JudgesADirectoryBelowByItsOwnSection) {
  HttpdOptions options;
  options.config =
      "<Directory \"@ROOT@/cgi-bin/below\">\nPermGuardRunAs daemon\n</Directory>\n"
      "<Directory \"@ROOT@/cgi-bin/gone\">\nPermGuardRunAs daemon\n</Directory>\n"
      "PermGuardConfigTest off\n";
  HttpdServer server(std::move(options));
  server.tree().write("cgi-bin/below/a.cgi", cgi_script("x"), 0750);
  server.tree().chown("cgi-bin/below/a.cgi", "", "www-data");
  const ProcessResult text = audit(server);
  EXPECT_EQ(text.exit_code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("daemon cannot execute '"));
  EXPECT_THAT(text.out, Not(HasSubstr("www-data cannot")));
  EXPECT_THAT(text.out, Not(HasSubstr("gone")));
  server.tree().chown("cgi-bin/below/a.cgi", "", "daemon");
  EXPECT_EQ(audit(server).exit_code, 0) << "www-data cannot execute it, nor need he";
}

/// An ordinary user can ask the kernel for himself only.
TEST_F(AuditHttpdTest, IsModelledWhereNobodyCanBeAsked) {
  HttpdServer server(two_users());
  server.tree().write("own/a.cgi", cgi_script("x"), 0754);
  server.tree().write("other/a.cgi", cgi_script("x"), 0755);
  const ProcessResult text =
      audit(server, {}, {"setpriv", "--reuid", "daemon", "--regid", "daemon", "--init-groups"});
  EXPECT_EQ(text.exit_code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("execute-denied (modelled): www-data cannot execute"));
  EXPECT_THAT(text.out, HasSubstr("by the configuration of httpd; computed from modes"));
  EXPECT_THAT(text.out, HasSubstr("by the configuration of httpd; the kernel was asked"));
}

}  // namespace
}  // namespace permguard::test
