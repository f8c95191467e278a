// SPDX-License-Identifier: Apache-2.0
//
// conf/systemd: the units are valid, and what they run writes node_exporter's file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;

constexpr char kUnits[] = PERMGUARD_SOURCE "/conf/systemd/";

std::string contents(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(kUnits + name).rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// A path as a unit file has it: systemd.service(5), COMMAND LINES.
std::string in_unit(std::string_view path) {
  std::string text;
  for (const char byte : path) text += byte == ' ' ? "\\x20" : std::string(1, byte);
  return text;
}

class ScheduledAuditTest : public ::testing::Test {
 protected:
  /// write-textfile on permguard.prom of `line`, for sh; its exit status.
  int write(const std::string& line) {
    return run({kUnits + std::string("write-textfile"), tree_.path("permguard.prom"), "sh", "-c",
                line})
        .exit_code;
  }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(tree_.root());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  TempTree tree_;
};

TEST_F(ScheduledAuditTest, SystemdTakesTheUnits) {
  const std::string service = replaced(
      replaced(contents("permguard-audit.service"), "/usr/libexec/permguard/", in_unit(kUnits)),
      "/usr/bin/permguard", in_unit(PERMGUARD_BUILD "/permguard"));
  EXPECT_THAT(service, HasSubstr("SuccessExitStatus=1\n"));
  const std::string file = tree_.write("permguard-audit.service", service);
  const std::string timer = tree_.write("permguard-audit.timer", contents("permguard-audit.timer"));
  const ProcessResult result = run({"systemd-analyze", "verify", file, timer});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out + result.err, "");
}

TEST_F(ScheduledAuditTest, FindingsArePublished) {
  EXPECT_EQ(write("printf 'm 1\\n# EOF\\n'; exit 1"), 1);
  EXPECT_EQ(tree_.read("permguard.prom"), "m 1\n# EOF\n");
  struct stat status {};
  ASSERT_EQ(stat(tree_.path("permguard.prom").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(ScheduledAuditTest, HalfAnAnswerLeavesTheOldFile) {
  tree_.write("permguard.prom", "old\n");
  EXPECT_EQ(write("echo 'm 1'"), 2);
  EXPECT_EQ(write("exit 2"), 2);
  EXPECT_EQ(tree_.read("permguard.prom"), "old\n");
  EXPECT_EQ(files(), 1U);
}

/// The directory is another user's, who puts links to root's files into the place of what is
/// written.
TEST_F(ScheduledAuditTest, NobodyLeadsTheWriterElsewhere) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to have something to lose";
  TempTree elsewhere;
  const std::string secret = elsewhere.write("secret", "words", 0600);
  const std::string links =
      "for f in '" + tree_.root() + "'/permguard.prom.*; do ln -sf '" + secret + "' \"$f\"; done; ";
  EXPECT_EQ(write(links + "printf 'm 1\\n# EOF\\n'"), 0);
  tree_.remove("permguard.prom");
  tree_.symlink(secret, "permguard.prom");
  EXPECT_EQ(write("printf 'm 2\\n# EOF\\n'"), 0);
  EXPECT_EQ(tree_.read("permguard.prom"), "m 2\n# EOF\n");
  EXPECT_EQ(elsewhere.read("secret"), "words");
  struct stat status {};
  ASSERT_EQ(stat(secret.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(ScheduledAuditTest, OnlyRootsLinksLeadToTheDirectory) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give links to other users";
  tree_.mkdir("real");
  const std::string link = tree_.symlink("real", "link");
  const std::vector<std::string> command = {kUnits + std::string("write-textfile"),
                                            link + "/a.prom", "echo", "# EOF"};
  EXPECT_EQ(run(command).exit_code, 0);
  ASSERT_EQ(lchown(link.c_str(), 1, 1), 0);
  const ProcessResult refused = run(command);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr(link + " is a link of daemon, which is not followed; name " +
                                     tree_.path("real") + " instead"));
}

TEST_F(ScheduledAuditTest, WritesWhatTheCommandPrints) {
  tree_.write("scripts/good.cgi", "#!/bin/sh\n", 0755);
  const std::string audit = "exec '" PERMGUARD_BUILD "/permguard' audit '" + tree_.path("scripts") +
                            "' --format openmetrics --as '#" + std::to_string(geteuid()) + "'";
  EXPECT_EQ(write(audit), 0);
  EXPECT_THAT(tree_.read("permguard.prom"), HasSubstr("permguard_audit_files 1\n"));
}

}  // namespace
}  // namespace permguard::test
