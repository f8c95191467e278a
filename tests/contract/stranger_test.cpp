// SPDX-License-Identifier: Apache-2.0
//
// No way of the command gives away what a stranger's link or #! line leads to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "contract/command.h"
#include "support/temp_tree.h"

namespace permguard::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class StrangerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
    tree_.write("home/other/x", "#!/bin/sh\n", 0700);
    tree_.write("cgi/by_line.cgi", "#!" + tree_.path("home/other/x") + "\n", 0755);
    tree_.symlink(tree_.path("home/other/x"), "cgi/by_link.cgi");
    tree_.symlink("/etc/shadow", "cgi/leak.cgi");
    tree_.chown("home/other/x", "games", "games");
    for (const char* file : {"cgi/by_line.cgi", "cgi/by_link.cgi", "cgi/leak.cgi"}) {
      tree_.chown(file, "daemon", "daemon");
    }
  }
  static auto no_command() {
    return AllOf(Not(HasSubstr("setfacl")), Not(HasSubstr("chmod")), Not(HasSubstr("chown")));
  }
  std::string rights() const { return run({"getfacl", "-Rp", tree_.root()}).out; }

  TempTree tree_;
};

TEST_F(StrangerTest, AManifestHoldsNoResourceForIt) {
  const ProcessResult result =
      permguard({"audit", tree_.path("cgi"), "--all", "--as", "www-data", "--format", "puppet"});
  EXPECT_THAT(result.out,
              AllOf(no_command(), Not(HasSubstr("\nfile {")), Not(HasSubstr("exec {"))));
  EXPECT_THAT(result.out, HasSubstr("# not repaired: interpreter-execute-denied"));
  EXPECT_THAT(result.out, HasSubstr("leak.cgi' of daemon leads to '/etc/shadow' of root"));
}

TEST_F(StrangerTest, JsonHasAnEmptyFixAndTheSentence) {
  for (const char* file : {"cgi/by_line.cgi", "cgi/by_link.cgi"}) {
    const ProcessResult result =
        permguard({"explain", tree_.path(file), "--as", "www-data", "--format", "json"});
    EXPECT_EQ(result.exit_code, 1);
    const json findings = json::parse(result.out)["findings"];
    ASSERT_FALSE(findings.empty());
    for (const json& finding : findings) {
      EXPECT_TRUE(finding["fix"].empty()) << finding;
      EXPECT_THAT(
          finding["message"].get<std::string>(),
          AllOf(HasSubstr(" of daemon leads to '" + tree_.path("home/other/x") + "' of games"),
                HasSubstr("permguard explain '" + tree_.path("home/other/x") + "'")));
    }
  }
}

// By a link of another than root and the caller `fix` does not even start.
TEST_F(StrangerTest, FixAppliesNothing) {
  const std::string before = rights();
  for (const char* file : {"cgi/by_line.cgi", "cgi/by_link.cgi"}) {
    const ProcessResult result =
        permguard({"fix", tree_.path(file), "--as", "www-data", "--apply"});
    EXPECT_NE(result.exit_code, 0) << file;
    EXPECT_THAT(result.out, no_command()) << file;
  }
  EXPECT_THAT(permguard({"fix", tree_.path("cgi/by_line.cgi"), "--as", "www-data"}).out,
              HasSubstr("' of daemon leads to"));
  EXPECT_EQ(rights(), before);
}

TEST_F(StrangerTest, TheOwnersOwnHaveTheirCommand) {
  for (const char* file : {"cgi/by_line.cgi", "cgi/by_link.cgi"}) {
    tree_.chown(file, "games", "games");
    const ProcessResult result = permguard({"explain", tree_.path(file), "--as", "www-data"});
    EXPECT_THAT(result.out,
                HasSubstr("setfacl -m u:www-data:rx '" + tree_.path("home/other/x") + "'"));
  }
}

}  // namespace
}  // namespace permguard::test
