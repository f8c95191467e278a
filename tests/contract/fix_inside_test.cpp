// SPDX-License-Identifier: Apache-2.0
//
// `permguard fix` by root in a tree where tenants may write: it stays inside what it was asked
// about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "contract/command.h"
#include "report/utf8.h"
#include "support/process.h"
#include "support/renamer.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uid_t kDaemon = 1;
constexpr uid_t kWwwData = 33;

class FixInsideTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
  }

  std::string link_of(uid_t owner, const std::string& target, const std::string& name) {
    const std::string path = tree_.symlink(target, name);
    EXPECT_EQ(lchown(path.c_str(), owner, owner), 0);
    return path;
  }
  std::string snapshot_of(const std::string& name) {
    const ProcessResult result = permguard({"snapshot", tree_.path(name)});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return elsewhere_.write("desired.json", result.out);
  }
  /// As it is in snapshots of older releases.
  void forget_the_roots() {
    auto document = nlohmann::json::parse(elsewhere_.read("desired.json"));
    for (auto& root : document["roots"]) root = {{"path", root["path"]}};
    elsewhere_.write("desired.json", document.dump());
  }
  mode_t mode_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat(tree_.path(name).c_str(), &status), 0) << name;
    return status.st_mode & 07777;
  }
  std::string rights() const { return run({"getfacl", "-Rp", tree_.root()}).out; }
  /// Neither printed nor applied; what is said.
  std::string refusal(const std::vector<std::string>& arguments) const {
    const std::string before = rights();
    std::string said;
    for (const char* how : {"", "--apply"}) {
      std::vector<std::string> all = {"fix"};
      all.insert(all.end(), arguments.begin(), arguments.end());
      if (*how != '\0') all.emplace_back(how);
      const ProcessResult result = permguard(all);
      EXPECT_EQ(result.exit_code, 2) << result.out;
      EXPECT_THAT(result.out, AllOf(Not(HasSubstr("chmod")), Not(HasSubstr("setfacl"))));
      said = result.err;
    }
    EXPECT_EQ(rights(), before);
    return said;
  }

  TempTree tree_;
  TempTree elsewhere_;
};

/// Capistrano: the deploy user points `current` at his newest release, or at anything else.
class Releases : public FixInsideTest {
 protected:
  void SetUp() override {
    FixInsideTest::SetUp();
    if (IsSkipped()) return;
    for (const char* release : {"releases/7", "releases/8"}) {
      tree_.write(std::string(release) + "/cgi/a.cgi", "#!/bin/sh\n", 0755);
    }
    point_at("releases/7");
  }
  void point_at(const std::string& release) {
    run({"rm", "-f", tree_.path("current")});
    link_of(kDaemon, release, "current");
  }
  void drift() {
    for (const char* release : {"releases/7", "releases/8"}) {
      tree_.chmod(std::string(release) + "/cgi/a.cgi", 0700);
    }
  }
};

TEST_F(Releases, ASnapshotSaysWhatItsRootsWere) {
  const auto root =
      nlohmann::json::parse(permguard({"snapshot", tree_.path("current")}).out)["roots"][0];
  struct stat status {};
  ASSERT_EQ(::stat(tree_.path("releases/7").c_str(), &status), 0);
  EXPECT_EQ(root["path"], tree_.path("current"));
  EXPECT_EQ(root["real"], tree_.path("releases/7"));
  EXPECT_EQ(root["device"], status.st_dev);
  EXPECT_EQ(root["inode"], status.st_ino);
}

TEST_F(Releases, ARootThatIsWhatItWasIsRestored) {
  const std::string file = snapshot_of("current");
  drift();
  EXPECT_EQ(permguard({"fix", "--against", file, "--apply"}).exit_code, 0);
  EXPECT_EQ(mode_of("releases/7/cgi/a.cgi"), 0755U);
  EXPECT_EQ(mode_of("releases/8/cgi/a.cgi"), 0700U);
}

TEST_F(Releases, ARootThatLeadsElsewhereIsRefusedWithItsPath) {
  for (const char* root : {"current", "current/cgi"}) {
    point_at("releases/7");
    const std::string file = snapshot_of(root);
    drift();
    point_at("releases/8");
    const std::string rest = std::string(root).substr(7);
    const std::string now = tree_.path("releases/8" + rest);
    EXPECT_THAT(refusal({"--against", file}),
                AllOf(HasSubstr(file + ": '" + tree_.path(root) + "' leads to '" + now +
                                "', and led to '" + tree_.path("releases/7" + rest) + "'"),
                      HasSubstr("name '" + now + "' instead")));
  }
}

/// The tenant names his releases, and root reads of them.
TEST_F(Releases, NoNameWritesALineOfItsOwn) {
  const std::string file = snapshot_of("current");
  const std::string name = "releases/9\npermguard: all is well\u202e";
  tree_.write(name + "/cgi/a.cgi", "#!/bin/sh\n");
  point_at(name);
  const std::string said = refusal({"--against", file});
  EXPECT_THAT(said, AllOf(HasSubstr("releases/9\\x0apermguard"), Not(HasSubstr("\u202e"))));
  const std::string missing = permguard({"fix", "--against", tree_.path("a\nb")}).err;
  EXPECT_THAT(missing, HasSubstr("a\\x0ab: No such file"));
}

/// What is there now is compared, but nothing that could be pasted is said of it.
TEST_F(Releases, AnAuditSaysThatARootLeadsElsewhere) {
  const std::string file = snapshot_of("current");
  drift();
  point_at("releases/8");
  const ProcessResult result = permguard({"audit", "--against", file, "--as", "www-data"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("leads to '" + tree_.path("releases/8") + "'"));
  EXPECT_THAT(result.out, AllOf(HasSubstr("mode-drift"), Not(HasSubstr("chmod"))));
  const auto json = nlohmann::json::parse(
      permguard({"audit", "--against", file, "--as", "www-data", "--format", "json"}).out);
  EXPECT_EQ(json["moved"][0]["is"], tree_.path("releases/8"));
  EXPECT_EQ(json["moved"][0]["was"], tree_.path("releases/7"));
}

TEST_F(Releases, AnotherDirectoryInTheRootsPlaceIsRefused) {
  const std::string file = snapshot_of("releases/7");
  drift();
  ASSERT_EQ(rename(tree_.path("releases/7").c_str(), tree_.path("old").c_str()), 0);
  ASSERT_EQ(rename(tree_.path("releases/8").c_str(), tree_.path("releases/7").c_str()), 0);
  EXPECT_THAT(refusal({"--against", file}), HasSubstr("is not what it was when the snapshot"));
}

TEST_F(Releases, AnOlderSnapshotFollowsNoLinkOfAnybodyElse) {
  const std::string file = snapshot_of("current/cgi");
  forget_the_roots();
  drift();
  EXPECT_THAT(refusal({"--against", file}),
              AllOf(HasSubstr("through '" + tree_.path("current") + "', a link of daemon"),
                    HasSubstr("name '" + tree_.path("releases/7/cgi") + "' instead")));
  ASSERT_EQ(lchown(tree_.path("current").c_str(), 0, 0), 0);
  EXPECT_EQ(permguard({"fix", "--against", file, "--apply"}).exit_code, 0);
  EXPECT_EQ(mode_of("releases/7/cgi/a.cgi"), 0755U);
}

TEST_F(Releases, APathLeadsThroughLinksOfRootOnly) {
  drift();
  link_of(kDaemon, "releases/8/cgi/a.cgi", "one.cgi");
  const std::pair<std::string, std::string> cases[] = {
      {"current/cgi/a.cgi", "releases/7/cgi/a.cgi"}, {"one.cgi", "releases/8/cgi/a.cgi"}};
  for (const auto& [path, real] : cases) {
    EXPECT_THAT(
        refusal({tree_.path(path), "--as", "www-data"}),
        AllOf(HasSubstr("a link of daemon"), HasSubstr("name '" + tree_.path(real) + "' instead")));
  }
  const auto json = nlohmann::json::parse(
      permguard({"fix", tree_.path("one.cgi"), "--as", "www-data", "--format", "json"}).out);
  EXPECT_EQ(json["refused"][0]["instead"], tree_.path("releases/8/cgi/a.cgi"));
  EXPECT_EQ(json["unexamined"][0]["errno"], "ELOOP");
  link_of(0, "current", "roots");
  EXPECT_THAT(refusal({tree_.path("roots/cgi/a.cgi"), "--as", "www-data"}), HasSubstr("daemon"));
  link_of(0, "releases/7", "straight");
  EXPECT_EQ(
      permguard({"fix", tree_.path("straight/cgi/a.cgi"), "--as", "www-data", "--apply"}).exit_code,
      0);
  EXPECT_NE(mode_of("releases/7/cgi/a.cgi"), 0700U);
}

TEST_F(Releases, AnOrdinaryUserIsLedByHisOwnLinksToo) {
  drift();
  tree_.chown("releases/7/cgi/a.cgi", "daemon", "daemon");
  ProcessOptions daemon;
  daemon.user = "daemon";
  const std::string path = tree_.path("current/cgi/a.cgi");
  EXPECT_EQ(permguard({"fix", path, "--as", "www-data", "--apply"}, daemon).exit_code, 0);
  EXPECT_NE(mode_of("releases/7/cgi/a.cgi"), 0700U);
  ASSERT_EQ(lchown(tree_.path("current").c_str(), kWwwData, kWwwData), 0);
  EXPECT_EQ(permguard({"fix", path, "--as", "www-data", "--apply"}, daemon).exit_code, 2);
}

/// The script's `#!` line is root's, the link on the way to the interpreter is not.
TEST_F(FixInsideTest, NoLinkOfAnybodyElseLeadsToTheInterpreter) {
  run({"cp", "/bin/sh", tree_.mkdir("secret") + "/sh"});
  tree_.chmod("secret", 0700);
  link_of(kDaemon, "secret", "venv");
  const std::string script = tree_.write("a.cgi", "#!" + tree_.path("venv/sh") + "\n", 0755);
  const ProcessResult result = permguard({"fix", script, "--as", "www-data", "--apply"});
  EXPECT_GT(result.exit_code, 0);
  EXPECT_THAT(result.out, Not(HasSubstr("done")));
  EXPECT_EQ(mode_of("secret"), 0700U);
}

TEST_F(FixInsideTest, AFileWithSeveralNamesIsChangedOnlyWhereThatIsWanted) {
  const std::string script = tree_.write("a.cgi", "#!/bin/sh\n", 0644);
  const std::string other = elsewhere_.path("other");
  if (link(script.c_str(), other.c_str()) != 0) GTEST_SKIP() << "two file systems below /tmp";
  const ProcessResult printed = permguard({"fix", script, "--as", "www-data"});
  EXPECT_EQ(printed.exit_code, 1);
  EXPECT_THAT(printed.err, AllOf(HasSubstr("several hard links"), HasSubstr("--hard-links")));
  const ProcessResult refused = permguard({"fix", script, "--as", "www-data", "--apply"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.out, HasSubstr("failed: chmod a+x"));
  EXPECT_THAT(refused.err, HasSubstr("several hard links"));
  EXPECT_EQ(mode_of("a.cgi"), 0644U);
  const auto json = nlohmann::json::parse(
      permguard({"fix", script, "--as", "www-data", "--apply", "--format", "json"}).out);
  EXPECT_EQ(json["changes"][0]["hard_links"], 2);
  EXPECT_EQ(json["changes"][0]["applied"], false);
  EXPECT_EQ(permguard({"fix", script, "--as", "www-data", "--apply", "--hard-links"}).exit_code, 0);
  EXPECT_EQ(mode_of("a.cgi"), 0755U);
}

/// chmod(2) drops a foreign group's setgid bit without a word, as FAT and shared folders do with
/// any bit.
TEST_F(FixInsideTest, WhatIsIgnoredIsSaid) {
  tree_.write("w/a.cgi", "#!/bin/sh\n");
  tree_.chown("w/a.cgi", "daemon", "www-data");
  tree_.chmod("w/a.cgi", 02755);
  const std::string file = snapshot_of("w");
  tree_.chmod("w/a.cgi", 0755);
  ProcessOptions daemon;
  daemon.user = "daemon";
  const ProcessResult result = permguard({"fix", "--against", file, "--apply"}, daemon);
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("failed: chmod 2755"), HasSubstr("# still mode-drift")));
  EXPECT_THAT(result.err, HasSubstr("took the change and ignored it"));
  const auto json = nlohmann::json::parse(
      permguard({"fix", "--against", file, "--apply", "--format", "json"}, daemon).out);
  EXPECT_EQ(json["changes"][0]["applied"], false);
  EXPECT_THAT(json["changes"][0]["error"], HasSubstr("ignored"));
  EXPECT_EQ(json["afterwards"][0]["code"], "mode-drift");
}

/// The tenant's own program in the place of a set-id one would run as root.
TEST_F(FixInsideTest, NoSetIdBitIsGivenTogetherWithItsOwner) {
  tree_.write("w/su", "program");
  tree_.chmod("w/su", 04755);
  const std::string file = snapshot_of("w");
  for (const mode_t mode : {0755U, 04755U}) {
    tree_.write("w/su", "his own");
    tree_.chown("w/su", "daemon", "daemon");
    tree_.chmod("w/su", mode);
    const ProcessResult result = permguard({"fix", "--against", file, "--apply"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, AllOf(HasSubstr("put the program back"), Not(HasSubstr("done"))));
    struct stat status {};
    ASSERT_EQ(::stat(tree_.path("w/su").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, kDaemon);
  }
}

TEST_F(FixInsideTest, WhoMayWriteTheSnapshotIsNotAnybody) {
  tree_.write("w/a.cgi", "#!/bin/sh\n", 0755);
  const std::string file = snapshot_of("w");
  tree_.chmod("w/a.cgi", 0700);
  elsewhere_.chown("desired.json", "daemon");
  EXPECT_THAT(refusal({"--against", file}), HasSubstr(file + ": it belongs to daemon"));
  EXPECT_EQ(permguard({"audit", "--against", file, "--as", "www-data"}).exit_code, 1);
  elsewhere_.chown("desired.json", "root", "daemon");
  elsewhere_.chmod("desired.json", 0664);
  EXPECT_THAT(refusal({"--against", file}), HasSubstr(file + ": others may write it"));
  elsewhere_.chmod("desired.json", 0644);
  EXPECT_EQ(permguard({"fix", "--against", file, "--apply"}).exit_code, 0);
}

TEST_F(FixInsideTest, AnAclThatLetsOthersWriteTheSnapshotCountsToo) {
  tree_.write("w/a.cgi", "#!/bin/sh\n", 0755);
  const std::string file = snapshot_of("w");
  ASSERT_EQ(run({"setfacl", "-m", "u:games:rw", file}).exit_code, 0);
  EXPECT_THAT(refusal({"--against", file}), HasSubstr(file + ": others may write it"));
}

TEST_F(FixInsideTest, ASnapshotSpeaksOfNothingOutsideItsRoots) {
  tree_.write("w/a.cgi", "#!/bin/sh\n", 0755);
  const std::string other = tree_.write("other.cgi", "#!/bin/sh\n", 0600);
  const std::string inside = tree_.path("w/a.cgi");
  const std::string file = snapshot_of("w");
  std::ifstream stream(file);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  for (const std::string& outside :
       {other, tree_.path("w/../other.cgi"), tree_.path("w/./a.cgi")}) {
    std::string changed = text;
    changed.replace(changed.find('"' + inside + '"') + 1, inside.size(), outside);
    elsewhere_.write("changed.json", changed);
    EXPECT_THAT(refusal({"--against", elsewhere_.path("changed.json")}), HasSubstr(outside));
  }
  EXPECT_EQ(mode_of("other.cgi"), 0600U);
}

TEST_F(FixInsideTest, ASnapshotIsAFile) {
  const std::string fifo = elsewhere_.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& file : {fifo, std::string("/dev/zero")}) {
    for (const char* command : {"fix", "audit"}) {
      const ProcessResult result = permguard({command, "--against", file});
      EXPECT_EQ(result.exit_code, 2) << command << ' ' << file;
      EXPECT_THAT(result.err, HasSubstr(file + ": is no regular file"));
    }
  }
}

class Undo : public FixInsideTest {
 protected:
  void SetUp() override {
    FixInsideTest::SetUp();
    if (!IsSkipped()) script_ = tree_.write("a.cgi", "#!/bin/sh\n", 0644);
  }
  ProcessResult fix(const std::string& undo) const {
    return permguard({"fix", script_, "--as", "www-data", "--apply", "--undo", undo});
  }
  void expect_refused(const std::string& undo, const std::string& words) const {
    const ProcessResult result = fix(undo);
    EXPECT_EQ(result.exit_code, 2) << undo;
    EXPECT_THAT(result.err, HasSubstr("--undo " + undo + ": " + words));
    EXPECT_EQ(mode_of("a.cgi"), 0644U) << undo;
  }

  std::string script_;
};

TEST_F(Undo, IsANewFileThatOnlyRootReads) {
  const std::string undo = elsewhere_.path("undo.json");
  ASSERT_EQ(fix(undo).exit_code, 0);
  struct stat status {};
  ASSERT_EQ(::stat(undo.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(permguard({"fix", "--against", undo, "--apply"}).exit_code, 0);
  EXPECT_EQ(mode_of("a.cgi"), 0644U);
}

TEST_F(Undo, NeverWritesWhatExists) {
  const std::string file = elsewhere_.write("passwd", "words");
  expect_refused(file, "it exists already");
  expect_refused(elsewhere_.symlink("passwd", "link"), "it exists already");
  expect_refused(elsewhere_.symlink("nothing", "dangling"), "it exists already");
  EXPECT_EQ(elsewhere_.read("passwd"), "words");
  EXPECT_NE(access(elsewhere_.path("nothing").c_str(), F_OK), 0);
  expect_refused(elsewhere_.path("none/undo"), "No such file or directory");
  expect_refused(elsewhere_.root() + "/", "Is a directory");
}

TEST_F(Undo, LeavesNoHalfFile) {
  if (!elsewhere_.mount_tmpfs("full", "size=4k")) GTEST_SKIP() << "the machine forbids mounts";
  run({"sh", "-c", "head -c 4096 /dev/zero >\"$0\"", elsewhere_.path("full/zeros")});
  const std::string undo = elsewhere_.path("full/undo");
  expect_refused(undo, "No space left on device");
  EXPECT_NE(access(undo.c_str(), F_OK), 0);
}

TEST_F(Undo, IsLedByNoLinkOfAnybodyElse) {
  elsewhere_.mkdir("real");
  const std::string link = elsewhere_.symlink("real", "link");
  ASSERT_EQ(lchown(link.c_str(), kDaemon, kDaemon), 0);
  expect_refused(link + "/undo.json", "'" + link + "' is a link of daemon");
  ASSERT_EQ(lchown(link.c_str(), 0, 0), 0);
  EXPECT_EQ(fix(link + "/undo.json").exit_code, 0);
}

/// Nothing that a terminal obeys, hides or turns round, neither in a command that is to be pasted
/// nor in JSON, and the commands still reach the file.
TEST_F(FixInsideTest, HostileNamesReachNoTerminal) {
  const std::vector<std::string> names = {"a\nb.cgi",
                                          "it's\"$(id)`id`.cgi",
                                          "a\u202egpj.cgi",
                                          "\u2066a\u2069.cgi",
                                          "a\u200bb.cgi",
                                          "\u061ca.cgi",
                                          "a\ufeff.cgi",
                                          "a\u00adb.cgi",
                                          "\x1b]0;x\x07.cgi",
                                          "a\u009b31m.cgi",
                                          "a\U000e0041.cgi",
                                          "-rf \xff.cgi",
                                          "a\n",
                                          "\u2028a.cgi",
                                          "a\u2062b.cgi",
                                          "caf\u00e9 \u6f22.cgi"};
  const std::vector<std::string> hidden = {"\u202e", "\u2066", "\u2069", "\u200b",     "\u061c",
                                           "\ufeff", "\u00ad", "\u009b", "\U000e0041", "\x1b",
                                           "\x07",   "\u2028", "\u2062"};
  for (const std::string& name : names) {
    const std::string script = tree_.write("d/" + name, "#!/bin/sh\n", 0644);
    const ProcessResult printed = permguard({"fix", script, "--as", "www-data"});
    const ProcessResult json = permguard({"fix", script, "--as", "www-data", "--format", "json"});
    for (const std::string& text : {printed.out, printed.err, json.out, json.err}) {
      EXPECT_EQ(utf8_prefix(text), text.size()) << text;
      for (const std::string& each : hidden) EXPECT_EQ(text.find(each), std::string::npos) << text;
    }
    EXPECT_EQ(printed.out.find('\n') + 1, printed.out.size()) << printed.out;
    EXPECT_EQ(run({"sh", "-c", printed.out}).exit_code, 0) << printed.out;
    EXPECT_EQ(mode_of("d/" + name), 0755U) << printed.out;
    EXPECT_THAT(nlohmann::json::parse(json.out)["changes"][0]["commands"][0].get<std::string>(),
                HasSubstr("chmod a+x"));
  }
}

/// A tenant exchanges the file, the directory above it or the root of the snapshot for a link to
/// root's files, at full speed, while root fixes by path and by snapshot.
class RaceOfTheTenant : public FixInsideTest {
 protected:
  static constexpr unsigned kRuns = 20;  ///< at least, for each kind of exchange

  void SetUp() override {
    FixInsideTest::SetUp();
    if (IsSkipped()) return;
    tree_.write("outside/d/a.cgi", "#!/bin/sh\n", 0600);
    tree_.chmod("outside/d", 0700);
    script_ = tree_.write("home/w/d/a.cgi", "#!/bin/sh\n", 0755);
    tree_.symlink(tree_.path("outside"), "home/w2");
    tree_.symlink(tree_.path("outside/d"), "home/w/d2");
    tree_.symlink(tree_.path("outside/d/a.cgi"), "home/w/d/a2");
    run({"chown", "-Rh", "daemon:daemon", tree_.path("home")});
    snapshot_ = snapshot_of("home/w");
  }

  /// Permissions, owners, change times and inodes.
  std::string outside() const {
    return run({"sh", "-c", "cd \"$0\" && getfacl -R . && stat -c '%n %z %i' . d d/a.cgi",
                tree_.path("outside")})
        .out;
  }
  ProcessResult fix(bool by_path) {
    ProcessOptions daemon;
    daemon.user = "daemon";
    run({"sh", "-c", "chmod 0640 \"$0\"/*/a.cgi \"$0\"/*/*/a.cgi", tree_.path("home")}, daemon);
    return by_path ? permguard({"fix", script_, "--as", "www-data", "--apply"})
                   : permguard({"fix", "--against", snapshot_, "--apply"});
  }

  std::string script_;
  std::string snapshot_;
};

TEST_F(RaceOfTheTenant, NothingOutsideChanges) {
  const std::pair<std::string, std::string> file = {script_, tree_.path("home/w/d/a2")};
  const std::pair<std::string, std::string> directory = {tree_.path("home/w/d"),
                                                         tree_.path("home/w/d2")};
  const std::pair<std::string, std::string> root = {tree_.path("home/w"), tree_.path("home/w2")};
  const std::vector<std::vector<std::pair<std::string, std::string>>> exchanges = {
      {file}, {directory}, {root}, {file, directory, root}};
  const unsigned long wanted = wanted_renames(1'000'000);
  const std::string before = outside();
  ASSERT_THAT(fix(true).out, HasSubstr("done: ")) << "what races is worth it";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  unsigned done = 0, refused = 0;
  unsigned long all = 0;
  for (const auto& pairs : exchanges) {
    const Renamer tenant("daemon", pairs);
    const auto goes_on = [&](unsigned runs) {
      const bool in_time = std::chrono::steady_clock::now() < end;
      return runs < kRuns || (in_time && tenant.renames() < wanted / exchanges.size());
    };
    for (unsigned i = 0; goes_on(i); ++i) {
      const ProcessResult result = fix(i % 2 == 0);
      ++(result.out.find("done: ") != std::string::npos ? done : refused);
      ASSERT_EQ(outside(), before) << result.out << result.err;
    }
    all += tenant.renames();
  }
  std::cout << all << " renames, " << done << " fixes, " << refused << " refused\n";
  EXPECT_GT(refused, 0U);
  EXPECT_GT(all, wanted / 10) << "too slow a machine to tell";
}

}  // namespace
}  // namespace permguard::test
