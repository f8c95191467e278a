// SPDX-License-Identifier: Apache-2.0
//
// A desired state and what became of the tree: links and other types where files were, roots that
// are links, and documents that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "contract/command.h"
#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class AgainstTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
    tree_.write("w/a.cgi", "#!/bin/sh\n", 0755);
    tree_.write("w/d/b.cgi", "#!/bin/sh\n", 0755);
    secret_ = elsewhere_.write("secret", "words", 0600);
    elsewhere_.write("b.cgi", "words", 0600);
  }

  void take_snapshot(const std::string& of = "w") {
    const ProcessResult result = permguard({"snapshot", tree_.path(of)});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    file_ = elsewhere_.write("desired.json", result.out);
  }
  ProcessResult audit(std::vector<std::string> further = {}) const {
    std::vector<std::string> arguments = {"audit", "--against", file_, "--as", "www-data"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return permguard(arguments);
  }
  ProcessResult fix(std::vector<std::string> further = {}) const {
    std::vector<std::string> arguments = {"fix", "--against", file_};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return permguard(arguments);
  }
  void replace_by_link(const std::string& name, const std::string& target) {
    run({"rm", "-rf", tree_.path(name)});
    tree_.symlink(target, name);
  }
  mode_t mode_of(const std::string& path) const {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }
  /// Rewrites the first entry of the snapshot, and gives what audit says of it.
  std::string complaint(const std::string& member, const nlohmann::json& value) {
    auto document = nlohmann::json::parse(elsewhere_.read("desired.json"));
    value.is_discarded() ? (void)document["entries"][1].erase(member)
                         : (void)(document["entries"][1][member] = value);
    const std::string bad = elsewhere_.write("bad.json", document.dump());
    const ProcessResult result = permguard({"audit", "--against", bad, "--as", "www-data"});
    EXPECT_EQ(result.exit_code, 2) << member << value;
    return result.err;
  }

  TempTree tree_;
  TempTree elsewhere_;
  std::string secret_;
  std::string file_;
};

/// A command would go through the link, to a file of somebody else.
TEST_F(AgainstTest, ALinkInAFilesPlaceIsNeverChangedThrough) {
  take_snapshot();
  replace_by_link("w/a.cgi", secret_);
  const ProcessResult result = audit();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("missing: '" + tree_.path("w/a.cgi") + "': mode 0777"));
  EXPECT_THAT(result.out, HasSubstr("it is a symbolic link now, not the regular file"));
  EXPECT_THAT(result.out, Not(HasSubstr("chmod")));
  EXPECT_THAT(audit({"--format", "puppet"}).out,
              AllOf(HasSubstr("# not repaired: missing"), Not(HasSubstr("file {"))));
  const ProcessResult fixed = fix({"--apply"});
  EXPECT_EQ(fixed.exit_code, 1);
  EXPECT_THAT(fixed.out,
              HasSubstr("# missing " + tree_.path("w/a.cgi") + ": put the regular file"));
  EXPECT_THAT(fixed.err, IsEmpty());
  EXPECT_EQ(mode_of(secret_), 0600U);
}

TEST_F(AgainstTest, WhatLiesBehindALinkInADirectorysPlaceIsNotMeant) {
  take_snapshot();
  replace_by_link("w/d", elsewhere_.root());
  const ProcessResult result = audit();
  EXPECT_THAT(result.out, HasSubstr("it is a symbolic link now, not the directory"));
  EXPECT_THAT(result.out, HasSubstr("missing: '" + tree_.path("w/d/b.cgi") + "'"));
  EXPECT_THAT(result.out, Not(HasSubstr("chmod")));
  EXPECT_EQ(fix({"--apply"}).exit_code, 1);
  EXPECT_EQ(mode_of(elsewhere_.path("b.cgi")), 0600U);
}

TEST_F(AgainstTest, ALinkInTheRootsPlaceIsNotFollowed) {
  take_snapshot();
  replace_by_link("w", elsewhere_.root());
  const ProcessResult result = audit();
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("it is a symbolic link now"), Not(HasSubstr("new: "))));
}

TEST_F(AgainstTest, AnotherTypeOfTheSameModeIsDrift) {
  take_snapshot();
  tree_.remove("w/a.cgi");
  tree_.mkdir("w/a.cgi", 0755);
  const ProcessResult result = audit();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("it is a directory now, not the regular file"));
}

/// Older snapshots name no type.
TEST_F(AgainstTest, WithoutATypeALinkIsStillKnown) {
  take_snapshot();
  auto document = nlohmann::json::parse(elsewhere_.read("desired.json"));
  for (auto& entry : document["entries"]) entry.erase("type");
  elsewhere_.write("desired.json", document.dump());
  EXPECT_EQ(audit().exit_code, 0);
  replace_by_link("w/a.cgi", secret_);
  EXPECT_THAT(audit().out, HasSubstr("not the file or directory"));
}

/// current -> releases/7: the release is meant, whatever it is.
TEST_F(AgainstTest, ARootThatIsALinkIsFollowed) {
  tree_.symlink("w", "current");
  tree_.symlink("w/a.cgi", "one.cgi");
  take_snapshot("current");
  EXPECT_EQ(audit().exit_code, 0) << audit().out;
  tree_.chmod("w/a.cgi", 0700);
  const std::string added = tree_.write("w/new.cgi", "#!/bin/sh\n", 0755);
  EXPECT_THAT(audit().out, AllOf(HasSubstr("mode-drift: '" + tree_.path("current/a.cgi") + "'"),
                                 HasSubstr("new: " + tree_.path("current/new.cgi"))));
  EXPECT_EQ(fix({"--apply"}).exit_code, 0) << fix().out;
  EXPECT_EQ(mode_of(tree_.path("w/a.cgi")), 0755U);
  take_snapshot("one.cgi");
  EXPECT_EQ(audit().exit_code, 0);
  tree_.chmod("w/a.cgi", 0700);
  EXPECT_EQ(audit().exit_code, 1);
}

/// What www-data lacks by the drift is not given to him by an ACL, which would be drift again.
TEST_F(AgainstTest, DriftIsRestoredBeforePermissionsAreGiven) {
  take_snapshot();
  tree_.chmod("w/a.cgi", 0700);
  tree_.chmod("w/d", 0700);
  const std::string tree = tree_.path("w");
  const ProcessResult result = audit({tree});
  EXPECT_THAT(result.out, HasSubstr("; fix: chmod 0755 '" + tree_.path("w/a.cgi") + "'\n"));
  EXPECT_THAT(result.out, HasSubstr("search-denied"));
  EXPECT_THAT(result.out, Not(HasSubstr("setfacl")));
  const std::string manifest = audit({tree, "--format", "puppet"}).out;
  EXPECT_THAT(manifest, HasSubstr("# to be seen again afterwards: search-denied"));
  EXPECT_THAT(manifest, AllOf(HasSubstr("mode  => '0755'"), Not(HasSubstr("exec {"))));
}

TEST_F(AgainstTest, AFileOfSnapshotAndDirectoryIsOneFile) {
  take_snapshot();
  tree_.write("w/new.cgi", "#!/bin/sh\n", 0755);
  EXPECT_THAT(audit().out, HasSubstr("2 files examined"));
  EXPECT_THAT(audit({tree_.path("w")}).out, HasSubstr("3 files examined"));
}

TEST_F(AgainstTest, AnImmutableFileGetsNoCommand) {
  take_snapshot();
  const std::string script = tree_.path("w/a.cgi");
  tree_.chmod("w/a.cgi", 0700);
  if (run({"chattr", "+i", script}).exit_code != 0) GTEST_SKIP() << "no inode flags here";
  const ProcessResult fixes = fix();
  EXPECT_EQ(run({"chattr", "-i", script}).exit_code, 0);
  EXPECT_THAT(fixes.out, HasSubstr("chattr -ia, then chmod 0755"));
  EXPECT_THAT(fixes.out, Not(HasSubstr("\nchmod")));
}

TEST_F(AgainstTest, AnEntryThatIsWrongIsNamedWithItsValue) {
  take_snapshot();
  const std::string entry = "entries[1]: " + tree_.path("w/a.cgi") + ": ";
  const auto removed = nlohmann::json(nlohmann::json::value_t::discarded);
  EXPECT_THAT(complaint("mode", removed), HasSubstr(entry + "\"mode\" is missing"));
  EXPECT_THAT(complaint("mode", "9"), HasSubstr(entry + "\"mode\" is not octal: 9"));
  EXPECT_THAT(complaint("uid", -1), HasSubstr(entry + "\"uid\" is not an id: -1"));
  EXPECT_THAT(complaint("uid", 1.5), HasSubstr("not an id: 1.5"));
  EXPECT_THAT(complaint("gid", 18446744073709551615U), HasSubstr("\"gid\" is not an id: 1844674"));
  EXPECT_THAT(complaint("gid", 4294967295U), HasSubstr("not an id"));
  EXPECT_THAT(complaint("uid", "x"), HasSubstr("not an id: \"x\""));
  EXPECT_THAT(complaint("type", "pipe"), HasSubstr("pipe"));
  for (const char* acl : {"u::rwx", "u:33:rx", "u::rwx,g::rx,o::z", "u::rwx,u:33:rx,g::rx,o::x"}) {
    EXPECT_THAT(complaint("acl", acl), HasSubstr(entry + "\"acl\" is not one: " + acl));
  }
  EXPECT_THAT(complaint("path", "a"), HasSubstr("entries[1]: path 'a' is not absolute"));
  EXPECT_THAT(complaint("path", removed), HasSubstr("entries[1]: \"path\" is missing"));
}

TEST_F(AgainstTest, AFileThatIsNoSnapshotSaysWhereAndWhy) {
  const std::pair<std::string, const char*> cases[] = {
      {tree_.root(), "Is a directory"},
      {tree_.write("empty", ""), "the file is empty"},
      {tree_.write("cut", "{\"schema\":1,"), "not JSON: it ends too early, at byte 12"},
      {tree_.write("bad", "{\"schema\":x}"), "not JSON: byte 11"},
      {tree_.write("list", "{\"schema\":1,\"roots\":[],\"entries\":[7]}"),
       "entries[0]: not an object"},
      {tree_.write("roots", "{\"schema\":1,\"roots\":[{}],\"entries\":[]}"),
       "roots[0]: \"path\" is missing"},
  };
  for (const auto& [file, message] : cases) {
    const ProcessResult result = permguard({"fix", "--against", file});
    EXPECT_EQ(result.exit_code, 2) << file;
    EXPECT_THAT(result.err, HasSubstr(file + ": " + message));
  }
}

}  // namespace
}  // namespace permguard::test
