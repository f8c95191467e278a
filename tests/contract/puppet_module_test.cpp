// SPDX-License-Identifier: Apache-2.0
//
// conf/puppet/permguard, as real Puppet applies it. Every path lies in a temporary directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/httpd_server.h"
#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;

constexpr char kModule[] = PERMGUARD_SOURCE "/conf/puppet/permguard";

std::string shell_output(const std::string& line) {
  const ProcessResult result = run({"sh", "-c", line});
  EXPECT_EQ(result.exit_code, 0) << line << '\n' << result.out << result.err;
  return result.out + result.err;
}

class PuppetModuleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: the module's files belong to root";
    for (const char* directory : {"apache2/mods-available", "apache2/mods-enabled", "systemd",
                                  "cron.d", "puppet", "scripts", "bin"}) {
      tree_.mkdir(directory);
    }
  }

  /// `puppet apply` of the class with `parameters`; 0: nothing to change, 2: changed.
  ProcessResult apply(const std::string& parameters) {
    const std::string manifest = tree_.write(
        "site.pp", "class { 'permguard':\n  notify_services => false,\n  apache_dir => '" +
                       tree_.path("apache2") + "',\n  systemd_dir => '" + tree_.path("systemd") +
                       "',\n  cron_dir => '" + tree_.path("cron.d") +
                       "',\n  module_file => '" PERMGUARD_BUILD "/mod_permguard.so',\n" +
                       parameters + "}\n");
    ProcessOptions options;
    options.timeout = std::chrono::seconds(100);
    return run(
        {"puppet", "apply", "--detailed-exitcodes", "--modulepath", PERMGUARD_SOURCE "/conf/puppet",
         "--confdir", tree_.path("puppet"), "--vardir", tree_.path("puppet/var"), manifest},
        options);
  }

  /// The fact, with `permguard` and `apachectl` found in the tree's bin/ only.
  nlohmann::json fact() {
    ProcessOptions options;
    options.environment = {{"PATH", tree_.path("bin") + ":/usr/bin:/bin"}};
    const ProcessResult result = run({std::string(kModule) + "/facts.d/permguard.sh"}, options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out)["permguard"];
  }

  TempTree tree_;
};

TEST_F(PuppetModuleTest, IsValidAndLintFindsNothing) {
  const std::string module = kModule;
  shell_output("puppet parser validate '" + module + "/manifests'");
  shell_output("puppet epp validate '" + module + "'/templates/*.epp");
  EXPECT_EQ(shell_output("puppet-lint --fail-on-warnings '" + module + "/manifests'"), "");
  EXPECT_EQ(nlohmann::json::parse(shell_output("cat '" + module + "/metadata.json'"))["license"],
            "Apache-2.0");
}

TEST_F(PuppetModuleTest, ConvergesAndHttpdTakesTheConfiguration) {
  const std::string parameters = "  directories => ['" + tree_.path("scripts") +
                                 "'],\n  mode => '0750',\n  group => 'www-data',\n"
                                 "  enforcement => 'enforce strict',\n"
                                 "  status_key => '" +
                                 tree_.write("status.key", "0123456789abcdef\n", 0600) + "',\n";
  const ProcessResult first = apply(parameters);
  ASSERT_EQ(first.exit_code, 2) << first.out << first.err;
  const std::string conf = tree_.read("apache2/mods-enabled/permguard.conf");
  EXPECT_THAT(conf, HasSubstr("PermGuard enforce strict\n"));
  EXPECT_THAT(conf, HasSubstr("PermGuardWatch \"" + tree_.path("scripts") + "\"\n"));
  EXPECT_THAT(conf, HasSubstr("PermGuardExpect mode=0750 owner=root group=www-data\n"));
  EXPECT_THAT(tree_.read("systemd/permguard-audit.timer.d/puppet.conf"),
              HasSubstr("OnCalendar=\nOnCalendar=hourly\n"));
  struct stat link {};
  const std::string wanted = tree_.path("systemd/timers.target.wants/permguard-audit.timer");
  EXPECT_EQ(lstat(wanted.c_str(), &link), 0);
  const ProcessResult second = apply(parameters);
  EXPECT_EQ(second.exit_code, 0) << second.out << second.err;

  HttpdOptions options;
  options.permguard = false;
  options.config = "Include " + tree_.path("apache2/mods-enabled") + "/permguard.load\nInclude " +
                   tree_.path("apache2/mods-enabled") + "/permguard.conf\n";
  HttpdServer server(options);
  server.start();
  EXPECT_EQ(server.get("/permguard-status").status, 401);
  EXPECT_EQ(
      server.request("GET", "/permguard-status", {"Authorization: Bearer 0123456789abcdef"}).status,
      200);
}

TEST_F(PuppetModuleTest, CronOrNobodyInsteadOfTheTimer) {
  ASSERT_EQ(apply("").exit_code, 2);
  ASSERT_EQ(apply("  audit_by => 'cron',\n").exit_code, 2);
  EXPECT_THAT(tree_.read("cron.d/permguard"), HasSubstr("\n17 * * * * root /usr/libexec/"));
  struct stat ignored {};
  const std::string wanted = tree_.path("systemd/timers.target.wants/permguard-audit.timer");
  EXPECT_NE(lstat(wanted.c_str(), &ignored), 0);
  ASSERT_EQ(apply("  audit_by => 'off',\n").exit_code, 2);
  EXPECT_NE(lstat(tree_.path("cron.d/permguard").c_str(), &ignored), 0);
}

TEST_F(PuppetModuleTest, RefusesWhatWouldBreakTheConfiguration) {
  const ProcessResult quoted = apply("  directories => [\"/a\\\"\\nUser root\"],\n");
  EXPECT_EQ(quoted.exit_code, 1);
  EXPECT_THAT(quoted.err, HasSubstr("directories"));
  EXPECT_EQ(apply("  mode => '0999',\n").exit_code, 1);
}

TEST_F(PuppetModuleTest, TheFactHoldsTheFindings) {
  HttpdServer server;
  const std::string script = server.tree().write("cgi-bin/pay.cgi", cgi_script("x"), 0644);
  server.start();
  tree_.symlink(PERMGUARD_BUILD "/permguard", "bin/permguard");
  tree_.write(
      "bin/apachectl",
      "#!/bin/sh\nexec /usr/sbin/apache2 -f '" + server.tree().path("httpd.conf") + "' \"$@\"\n",
      0755);
  const nlohmann::json found = fact();
  EXPECT_EQ(found["healthy"], false);
  EXPECT_THAT(found.dump(), HasSubstr(script));
  EXPECT_THAT(found.dump(), HasSubstr("not-executable"));
}

TEST_F(PuppetModuleTest, TheFactIsBounded) {
  tree_.write("bin/permguard", "#!/bin/sh\nyes '{'\n", 0755);
  EXPECT_THAT(fact()["error"], HasSubstr("more findings"));
  tree_.write("bin/permguard", "#!/bin/sh\necho '{'\nexit 2\n", 0755);
  EXPECT_THAT(fact()["error"], HasSubstr("no answer"));
}

}  // namespace
}  // namespace permguard::test
