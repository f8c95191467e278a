// SPDX-License-Identifier: Apache-2.0
//
// `permguard audit` in trees that are large, deep, strange or in motion.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "support/process.h"
#include "support/puppet.h"
#include "support/renamer.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kScript[] = "#!/bin/sh\n";
constexpr char kCommand[] = PERMGUARD_BUILD "/permguard";

class AuditTreesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
    tree_.write("good.cgi", kScript, 0755);
  }

  ProcessResult audit(std::vector<std::string> further = {}) const {
    std::vector<std::string> arguments = {kCommand, "audit", tree_.root(), "--as", "www-data"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return run(arguments);
  }
  nlohmann::json json(std::vector<std::string> further = {}) const {
    further.insert(further.end(), {"--format", "json"});
    return nlohmann::json::parse(audit(further).out);
  }
  /// `count` scripts that share an inode.
  void write_many(const std::string& directory, int count) {
    const std::string first = tree_.write(directory + "/0.cgi", kScript, 0755);
    for (int i = 1; i < count; ++i) {
      ASSERT_EQ(link(first.c_str(), tree_.path(directory + "/" + std::to_string(i)).c_str()), 0);
    }
  }

  TempTree tree_;
};

/// A tenant shows each directory in the place of the one below, by links that he exchanges for
/// directories at full speed. Who follows one between two looks meets all of them again in it, and
/// does not come to an end.
TEST_F(AuditTreesTest, AWalkEndsWhateverIsRenamedMeanwhile) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const char* name : {"1", "2", "3", "4", "5", "6"}) {
    const std::string directory = "t/d" + std::string(name), link = "t/l" + std::string(name);
    tree_.write(directory + "/a.cgi", kScript, 0755);
    tree_.symlink(".", link);
    pairs.emplace_back(tree_.path(directory), tree_.path(link));
  }
  run({"chown", "-Rh", "daemon:daemon", tree_.path("t")});
  const Renamer tenant("daemon", pairs);
  ProcessOptions options;
  options.timeout = std::chrono::seconds(30);
  for (int i = 0; i < 20; ++i) {
    const ProcessResult result =
        run({kCommand, "audit", tree_.path("t"), "--as", "www-data", "--format", "json"}, options);
    ASSERT_FALSE(result.timed_out) << tenant.renames() << " renames";
    EXPECT_LE(nlohmann::json::parse(result.out)["checked"], 6) << result.out;
  }
  EXPECT_GT(tenant.renames(), 0U);
}

TEST_F(AuditTreesTest, WhatIsNoFileNeitherBlocksNorCounts) {
  ASSERT_EQ(mkfifo(tree_.path("fifo").c_str(), 0777), 0);
  ASSERT_EQ(mknod(tree_.path("tty").c_str(), S_IFCHR | 0777, makedev(5, 0)), 0);
  ASSERT_EQ(mknod(tree_.path("disk").c_str(), S_IFBLK | 0777, makedev(7, 200)), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  tree_.path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(listener);
  for (const char* name : {"fifo", "tty", "disk", "socket", ".", ".."}) {
    tree_.symlink(name, "to" + std::string(name));
  }
  tree_.symlink("b", "a");
  tree_.symlink("a", "b");
  const auto document = json({"--jobs", "3"});
  EXPECT_EQ(document["checked"], 3) << document.dump(2);  // good.cgi, a and b
  EXPECT_EQ(document["findings"].size(), 2U);
  EXPECT_EQ(document["findings"][0]["code"], "symlink-loop");
  EXPECT_THAT(document["unexamined"], IsEmpty());
}

TEST_F(AuditTreesTest, AnyNameIsWrittenInEveryFormat) {
  const std::string names[] = {"line\nfeed",  "\xff\xfe", "it's", "\"$x\"",
                               "\x1b[31mred", "-rf",      " "};
  for (const std::string& name : names) tree_.write(name, kScript, 0644);
  const auto document = json();
  ASSERT_EQ(document["findings"].size(), std::size(names));
  std::size_t encoded = 0;
  for (const auto& finding : document["findings"]) encoded += finding.contains("path_base64");
  EXPECT_EQ(encoded, 1U);
  const std::string text = audit().out;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 + static_cast<int>(std::size(names)));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(audit({"--format", "openmetrics"}).exit_code, 1);
}

TEST_F(AuditTreesTest, WhatLiesDeeperThanAnyPathIsNamed) {
  const std::string name(200, 'd');
  int directory = open(tree_.root().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(mkdirat(directory, name.c_str(), 0755), 0);
    const int below = openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    close(directory);
    directory = below;
  }
  close(directory);
  const ProcessResult result = audit({"--format", "json"});
  EXPECT_EQ(result.exit_code, 2);
  const auto document = nlohmann::json::parse(result.out);
  ASSERT_EQ(document["unexamined"].size(), 1U);
  EXPECT_EQ(document["unexamined"][0]["errno"], "ENAMETOOLONG");
  EXPECT_EQ(document["healthy"], false);
  run({"rm", "-rf", tree_.path(name)});
}

/// In a mount namespace of its own: a bind mount of the tree into itself, and one without exec.
TEST_F(AuditTreesTest, MountsAreExaminedWithTheirOwnRights) {
  tree_.mkdir("again");
  tree_.write("stick/a.cgi", kScript, 0755);
  const std::string root = tree_.root();
  const ProcessResult result = run(
      {"unshare", "-m", "sh", "-c",
       "mount --bind '" + root + "' '" + root + "/again' && mount --bind '" + root + "/stick' '" +
           root + "/stick' && mount -o remount,bind,noexec '" + root + "/stick' && exec '" +
           kCommand + "' audit '" + root + "' --as www-data --format json"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const auto document = nlohmann::json::parse(result.out);
  EXPECT_EQ(document["checked"], 4);
  ASSERT_EQ(document["findings"].size(), 1U);
  EXPECT_EQ(document["findings"][0]["code"], "noexec-mount");
  EXPECT_EQ(document["findings"][0]["target"], root + "/stick/a.cgi");
}

TEST_F(AuditTreesTest, WhatIsNamedTwiceIsExaminedOnce) {
  tree_.write("a/b/bad.cgi", kScript, 0644);
  const std::string bad = tree_.path("a/b/bad.cgi");
  const auto once = [&](const std::vector<std::string>& roots) {
    std::vector<std::string> arguments = {kCommand,   "audit",    "--as",
                                          "www-data", "--format", "json"};
    for (const std::string& root : roots) arguments.push_back(tree_.root() + root);
    const auto json = nlohmann::json::parse(run(arguments).out);
    EXPECT_EQ(json["findings"].size(), 1U);
    EXPECT_EQ(json["findings"][0]["target"], bad);
  };
  once({"/a", "/a/b"});
  once({"/a/b", "/a"});
  once({"/a/b/", "/a//b/.", "/a/./b"});
  once({"/a", "/a/b/bad.cgi"});
  // A walk does not come by what a link leads to.
  tree_.write("elsewhere/bad.cgi", kScript, 0644);
  tree_.symlink("../elsewhere", "a/link");
  const ProcessResult both =
      run({kCommand, "audit", "--as", "www-data", tree_.path("a"), tree_.path("a/link")});
  EXPECT_THAT(both.out, HasSubstr("a/link/bad.cgi'"));
  const auto entries =
      nlohmann::json::parse(run({kCommand, "snapshot", tree_.path("a"), tree_.path("a/b")}).out);
  EXPECT_EQ(entries["entries"].size(), 3U);
  EXPECT_EQ(entries["roots"].size(), 1U);
}

TEST_F(AuditTreesTest, AnyNumberOfJobsSaysTheSame) {
  for (int i = 0; i < 300; ++i) {
    const std::string name = std::to_string(i % 23) + "/" + std::to_string(i % 5) + "/f";
    tree_.write(name + std::to_string(i), kScript, i % 4 == 0 ? 0644 : 0755);
  }
  const auto targets = [this](const char* jobs) {
    std::vector<std::string> found;
    const auto document = json({"--jobs", jobs});
    for (const auto& finding : document["findings"]) found.push_back(finding["target"]);
    return found;
  };
  EXPECT_EQ(targets("1").size(), 75U);
  EXPECT_EQ(targets("64"), targets("1"));
  EXPECT_EQ(audit({"--jobs", "65"}).exit_code, 2);
}

TEST_F(AuditTreesTest, ProgressIsForATerminalOnly) {
  write_many("many", 20'000);
  const std::string command =
      std::string(kCommand) + " audit '" + tree_.root() + "' --as www-data --jobs 1";
  const ProcessResult terminal =
      run({"script", "-q", "-e", "-c", command + " > /dev/null", "/dev/null"});
  EXPECT_EQ(terminal.exit_code, 0);
  EXPECT_THAT(terminal.out, AllOf(HasSubstr("\r\x1b[K["), HasSubstr(" files, "), HasSubstr("/s, "),
                                  HasSubstr(" scripts, 0 findings")));
  EXPECT_TRUE(terminal.out.ends_with("\r\x1b[K")) << "the line is gone at the end";
  const ProcessResult piped = run({"sh", "-c", command});
  EXPECT_EQ(piped.err, "");
  EXPECT_THAT(piped.out, HasSubstr("20001 files examined, 0 findings\n"));
}

/// An ordinary user is told what he could not see, and 2 wins over findings.
TEST_F(AuditTreesTest, AnOrdinaryUserHearsWhatWasNotExamined) {
  tree_.write("broken.cgi", kScript, 0644);
  tree_.write("private.cgi", kScript, 0600);
  tree_.write("locked/a.cgi", kScript, 0755);
  tree_.chmod("locked", 0700);
  ProcessOptions options;
  options.user = "daemon";
  const ProcessResult result = run({kCommand, "audit", tree_.root(), "--format", "json"}, options);
  EXPECT_EQ(result.exit_code, 2);
  const auto document = nlohmann::json::parse(result.out);
  ASSERT_EQ(document["unexamined"].size(), 2U);
  EXPECT_EQ(document["unexamined"][0]["path"], tree_.path("locked"));
  EXPECT_EQ(document["unexamined"][0]["errno"], "EACCES");
  EXPECT_EQ(document["unexamined"][1]["path"], tree_.path("private.cgi"));
  EXPECT_THAT(document["findings"].dump(),
              AllOf(HasSubstr("not-listable"), HasSubstr("not-executable")));
  EXPECT_THAT(result.err, HasSubstr("cannot be examined: Permission denied"));
}

TEST_F(AuditTreesTest, ADefaultAclIsPartOfTheDesiredState) {
  TempTree elsewhere;
  tree_.mkdir("inherits");
  tree_.setfacl("inherits", {"-m", "d:u:www-data:rx,u:daemon:rx"});
  tree_.write("inherits/x\ny/a.cgi", kScript, 0755);
  const auto rights = [this] { return run({"getfacl", "-Rp", tree_.root()}).out; };
  const std::string before = rights();
  const std::string desired =
      elsewhere.write("desired.json", run({kCommand, "snapshot", tree_.root()}).out);
  const std::vector<std::string> compare = {kCommand, "audit", "--against",
                                            desired,  "--as",  "www-data"};
  EXPECT_EQ(run(compare).exit_code, 0) << run(compare).out;
  tree_.setfacl("inherits", {"-k"});
  tree_.setfacl("inherits/x\ny", {"-b"});
  const ProcessResult drift = run(compare);
  EXPECT_EQ(drift.exit_code, 1);
  EXPECT_THAT(drift.out, HasSubstr("setfacl --set d:u::rwx,d:u:www-data:r-x"));

  std::vector<std::string> as_puppet = compare;
  as_puppet.insert(as_puppet.end(), {"--format", "puppet"});
  const std::string manifest = elsewhere.write("fix.pp", run(as_puppet).out);
  const ProcessResult first = puppet_apply(manifest);
  EXPECT_EQ(first.exit_code, 2) << first.out << first.err;
  EXPECT_EQ(rights(), before);
  EXPECT_EQ(puppet_apply(manifest).exit_code, 0) << "a second run changes nothing";
  EXPECT_EQ(run(compare).exit_code, 0);
}

TEST_F(AuditTreesTest, AnEmptyManifestIsValidToo) {
  TempTree elsewhere;
  const ProcessResult healthy = audit({"--format", "puppet"});
  EXPECT_EQ(healthy.exit_code, 0);
  const std::string manifest = elsewhere.write("fix.pp", healthy.out);
  EXPECT_EQ(run({"puppet", "parser", "validate", manifest}).exit_code, 0);
  EXPECT_EQ(run({"puppet-lint", "--fail-on-warnings", manifest}).exit_code, 0);
  EXPECT_THAT(healthy.out, Not(HasSubstr("recurse")));
}

}  // namespace
}  // namespace permguard::test
