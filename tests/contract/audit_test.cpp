// SPDX-License-Identifier: Apache-2.0
//
// `permguard audit`, as a shell, a deploy gate, node_exporter and Puppet see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "contract/command.h"
#include "support/httpd_server.h"
#include "support/process.h"
#include "support/puppet.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;

class AuditCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root to give files to other users";
    }
    tree_.write("good.cgi", "#!/bin/sh\n", 0755);
  }

  ProcessResult audit(std::vector<std::string> further = {}) const {
    std::vector<std::string> arguments = {"audit", tree_.root(), "--as", "www-data"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return permguard(arguments);
  }

  TempTree tree_;
};

TEST_F(AuditCommandTest, AHealthyTree) {
  const ProcessResult result = audit();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("as www-data"));
  EXPECT_THAT(result.out, HasSubstr("1 files examined, 0 findings"));
}

TEST_F(AuditCommandTest, FindingsInTextAndJson) {
  const std::string script = tree_.write("pay.cgi", "#!/bin/sh\n", 0644);
  const ProcessResult text = audit();
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.out, HasSubstr("not-executable: www-data cannot execute '" + script + "'"));
  const auto json = nlohmann::json::parse(audit({"--format", "json"}).out);
  EXPECT_EQ(json["checked"], 2);
  EXPECT_EQ(json["healthy"], false);
  ASSERT_EQ(json["findings"].size(), 1U);
  EXPECT_EQ(json["findings"][0]["code"], "not-executable");
}

TEST_F(AuditCommandTest, RisksAreWarningsUntilForbidden) {
  tree_.write("risky.cgi", "#!/bin/sh\n", 0757);
  EXPECT_EQ(audit().exit_code, 0);
  EXPECT_THAT(audit().out, HasSubstr("world-writable"));
  EXPECT_EQ(audit({"--forbid", "world-writable,setuid"}).exit_code, 1);
}

TEST_F(AuditCommandTest, ADesiredStateAndNewFiles) {
  TempTree elsewhere;
  tree_.write("gone.cgi", "#!/bin/sh\n", 0755);
  const std::string file =
      elsewhere.write("desired.json", permguard({"snapshot", tree_.root()}).out);
  EXPECT_EQ(permguard({"audit", "--against", file, "--as", "www-data"}).exit_code, 0);
  tree_.remove("gone.cgi");
  tree_.chmod("good.cgi", 0700);
  const std::string added = tree_.write("new.cgi", "#!/bin/sh\n", 0755);
  const ProcessResult result = permguard({"audit", "--against", file, "--as", "www-data"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("missing: '" + tree_.path("gone.cgi") + "'"));
  EXPECT_THAT(result.out, HasSubstr("mode-drift: '" + tree_.path("good.cgi") + "'"));
  EXPECT_THAT(result.out, HasSubstr("new: " + added));
}

TEST_F(AuditCommandTest, MetricsForNodeExporter) {
  tree_.write("pay.cgi", "#!/bin/sh\n", 0644);
  const ProcessResult result = audit({"--format", "openmetrics"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("permguard_audit_files 2\n"));
  EXPECT_THAT(result.out, HasSubstr("permguard_audit_findings{code=\"not-executable\","
                                    "role=\"script\",severity=\"error\"} 1\n"));
  const std::string file = tree_.write("metrics.prom", result.out);
  const ProcessResult checked = run({"sh", "-c", "promtool check metrics < '" + file + "'"});
  EXPECT_EQ(checked.exit_code, 0) << checked.err << checked.out;
}

TEST_F(AuditCommandTest, WhatCannotBeExaminedWins) {
  const ProcessResult result = permguard(
      {"audit", tree_.root(), tree_.path("none"), "--as", "www-data", "--format", "json"});
  EXPECT_EQ(result.exit_code, 2);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["unexamined"][0]["path"], tree_.path("none"));
}

TEST_F(AuditCommandTest, BadInputIsNamed) {
  EXPECT_THAT(permguard({"audit"}).err, HasSubstr("DIR, --httpd or --against"));
  EXPECT_THAT(audit({"--forbid", "not-executable"}).err, HasSubstr("not-executable"));
  EXPECT_THAT(audit({"--jobs", "0"}).err, HasSubstr("--jobs"));
  EXPECT_EQ(audit({"--format", "xml"}).exit_code, 2);
}

/// Broken tree → manifest → puppet apply → healthy, and a second run changes nothing.
TEST_F(AuditCommandTest, PuppetRepairsATree) {
  tree_.write("pay.cgi", "#!/bin/sh\n", 0644);
  tree_.write("it's \"$x\" #{y}.cgi", "#!/bin/sh\n", 0644);
  tree_.write("line\nfeed\xff.cgi", "#!/bin/sh\n", 0644);
  tree_.write("home/deep.cgi", "#!/bin/sh\n", 0640);
  tree_.chmod("home", 0700);
  TempTree elsewhere;
  const std::string text = audit({"--format", "puppet"}).out;
  EXPECT_THAT(text, HasSubstr("\n# as www-data (uid 33"));
  const std::string manifest = elsewhere.write("fix.pp", text);
  const ProcessResult valid = run({"puppet", "parser", "validate", manifest});
  EXPECT_EQ(valid.exit_code, 0) << valid.err;
  const ProcessResult lint = run({"puppet-lint", "--fail-on-warnings", manifest});
  EXPECT_EQ(lint.exit_code, 0) << lint.out << lint.err;
  const ProcessResult first = puppet_apply(manifest);
  EXPECT_EQ(first.exit_code, 2) << first.out << first.err;  // changes were made
  EXPECT_EQ(audit().exit_code, 0) << audit().out;
  const ProcessResult second = puppet_apply(manifest);
  EXPECT_EQ(second.exit_code, 0) << second.out << second.err;
}

TEST_F(AuditCommandTest, WhatAnHttpdDispatches) {
  HttpdServer server;
  const std::string script = server.tree().write("cgi-bin/pay.cgi", cgi_script("x"), 0644);
  server.start();
  const std::string command = "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf");
  const ProcessResult result = permguard({"audit", command, "--as", "www-data"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.out, HasSubstr("not-executable: www-data cannot execute '" + script + "'"));
  const ProcessResult bad = permguard({"audit", "--httpd=false", "--as", "www-data"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr("names no places"));
}

}  // namespace
}  // namespace permguard::test
