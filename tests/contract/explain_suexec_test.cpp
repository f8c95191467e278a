// SPDX-License-Identifier: Apache-2.0
//
// `permguard explain --suexec`, as a shell sees it, with Debian's suexec.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "support/process.h"
#include "support/suexec_world.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kScript = "/var/www/a.cgi";

class ExplainSuexec : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (access(kPristineSuexec, X_OK) != 0) GTEST_SKIP() << "apache2-suexec-pristine is missing";
    world_ = std::make_unique<SuexecWorld>();
    if (!world_->forbidden().empty()) {
      GTEST_SKIP() << "no mount namespace on this machine: " << world_->forbidden();
    }
    world_->install(kPristineSuexec);
    give("/var/www", kAnn, 0755);
    write(kScript);
    ProcessOptions www_data;
    www_data.user = "www-data";
    server_ = std::make_unique<Child>(std::vector<std::string>{"sleep", "60"}, www_data);
    ASSERT_TRUE(poll_until([this] {
      std::string name;
      std::ifstream("/proc/" + std::to_string(server_->pid()) + "/comm") >> name;
      return name == "sleep";
    }));
  }
  void TearDown() override {
    server_.reset();
    world_.reset();
  }

  static void give(const std::string& path, uid_t who, unsigned mode) {
    ASSERT_EQ(chown(path.c_str(), who, who), 0) << path;
    fs::permissions(path, static_cast<fs::perms>(mode));
  }
  static void write(const std::string& path) {
    std::ofstream(path) << "#!/bin/sh\necho\n";
    give(path, kAnn, 0755);
  }
  ProcessResult explain(std::vector<std::string> arguments, const std::string& user = "") const {
    arguments.insert(arguments.begin(), {PERMGUARD_BUILD "/permguard", "explain", "--suexec"});
    // Else it would take the httpd of another test for the server.
    arguments.insert(arguments.end(), {"--pid", std::to_string(server_->pid())});
    ProcessOptions options;
    options.user = user;
    return run(arguments, options);
  }

  std::unique_ptr<SuexecWorld> world_;
  std::unique_ptr<Child> server_;  ///< stands for a child of httpd
};

/// The policy's remedies would make him its owner; until then it is none of his.
TEST_F(ExplainSuexec, QuotesNothingThatTheTargetMayNotRead) {
  const std::string secret = "/var/www/secret.cgi";
  std::ofstream(secret) << "password=hunter2\n";
  give(secret, 0, 0700);
  const ProcessResult result = explain({secret, "--as", "ann"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.out, HasSubstr("no-shebang"));
  EXPECT_THAT(result.out, Not(HasSubstr("hunter2")));
}

TEST_F(ExplainSuexec, TakesTheOwnerForTheTarget) {
  const ProcessResult healthy = explain({kScript});
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out << healthy.err;
  EXPECT_THAT(healthy.out, HasSubstr("as ann (uid 53001"));
  EXPECT_THAT(healthy.out, HasSubstr("healthy: ann can execute '/var/www/a.cgi'"));
}

TEST_F(ExplainSuexec, ShowsTheTreeAsItIsAndAllThatIsWrong) {
  fs::permissions(kScript, fs::perms{0664});
  const ProcessResult broken = explain({kScript, "--as", "bob"});
  EXPECT_EQ(broken.exit_code, 1);
  for (const char* part :
       {"-rw-rw-r--  ann:ann", "suexec-writable (modelled)", "suexec-owner-mismatch (modelled)",
        "suexec-owner-cannot-execute (modelled)", "chown bob:bob '/var/www/a.cgi'"}) {
    EXPECT_THAT(broken.out, HasSubstr(part));
  }
}

TEST_F(ExplainSuexec, KnowsUserDirectories) {
  write("/var/home/ann/public_html/a.cgi");
  EXPECT_EQ(explain({"/var/home/ann/public_html/a.cgi"}).exit_code, 0);
  fs::create_directory("/var/home/ann/elsewhere");
  give("/var/home/ann/elsewhere", kAnn, 0755);
  write("/var/home/ann/elsewhere/a.cgi");
  const ProcessResult outside = explain({"/var/home/ann/elsewhere/a.cgi"});
  EXPECT_EQ(outside.exit_code, 1);
  EXPECT_THAT(outside.out, HasSubstr("suexec-outside-docroot"));
}

TEST_F(ExplainSuexec, WritesTheSameAsJson) {
  fs::permissions(kScript, fs::perms{0775});
  const auto json = nlohmann::json::parse(explain({kScript, "--format", "json"}).out);
  EXPECT_EQ(json["user"]["name"], "ann");
  ASSERT_EQ(json["findings"].size(), 1U);
  EXPECT_EQ(json["findings"][0]["role"], "suexec");
  EXPECT_EQ(json["findings"][0]["code"], "writable");
  EXPECT_EQ(json["findings"][0]["decided_by"], "suexec");
}

TEST_F(ExplainSuexec, AMissingScriptIsNotFound) {
  const ProcessResult missing = explain({"/var/www/none.cgi", "--as", "ann"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.out, HasSubstr("not-found"));
  EXPECT_EQ(explain({"/var/www/none.cgi"}).exit_code, 2) << "nobody is named and nobody owns it";
}

TEST_F(ExplainSuexec, RefusesWhatItCannotAnswer) {
  EXPECT_EQ(explain({kScript, "--need", "read"}).exit_code, 2);
  EXPECT_EQ(explain({kScript, "--as", "no-such-user"}).exit_code, 2);
  write("/var/www/b.cgi");
  give("/var/www/b.cgi", kBob, 0755);
  const ProcessResult several = explain({kScript, "/var/www/b.cgi"});
  EXPECT_EQ(several.exit_code, 2);
  EXPECT_THAT(several.err, HasSubstr("several owners"));
}

TEST_F(ExplainSuexec, TheServersUserMayAskToo) {
  const ProcessResult asked = explain({kScript}, "www-data");
  EXPECT_EQ(asked.exit_code, 0) << asked.out << asked.err;
  EXPECT_EQ(explain({kScript}, "nobody").exit_code, 2);
}

}  // namespace
}  // namespace permguard::test
