// SPDX-License-Identifier: Apache-2.0
#include "core/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "report/sentence.h"
#include "support/process.h"
#include "support/renamer.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = FixStep::Kind;

std::optional<std::uint32_t> id_of(AclEntry::Tag, std::string_view name) {
  const Result<Identity> who = lookup_identity(std::string(name));
  return who ? std::optional<std::uint32_t>(who.value.uid) : std::nullopt;
}

class RepairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root to change owners";
    }
  }

  FixStep step(Kind kind, const std::string& path, const std::string& spec) const {
    return {kind, path, 0, spec, false};
  }
  Plan plan(const std::vector<FixStep>& steps) const {
    return plan_changes(filesystem_, steps, id_of);
  }
  FileStatus status(const std::string& path) const { return filesystem_.status(path).value; }
  /// Whether the file with this inode, wherever it is in the tenant's tree, names daemon.
  bool names_daemon(std::uint64_t inode) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(tree_.path("tenant"))) {
      if (status(entry.path()).inode != inode) continue;
      const Acl acl = filesystem_.acl(entry.path()).value.value_or(Acl{});
      return std::any_of(acl.begin(), acl.end(), [](const AclEntry& each) {
        return each.tag == AclEntry::Tag::user && each.id == 1;
      });
    }
    ADD_FAILURE() << "the file is gone";
    return false;
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
};

TEST_F(RepairTest, StepsOnOneFileAreOneChange) {
  const std::string path = tree_.write("a", "x", 0600);
  const Plan plan =
      this->plan({step(Kind::chmod, path, "a+x"), step(Kind::setfacl, path, "u:www-data:rx")});
  ASSERT_THAT(plan.changes, SizeIs(1));
  ASSERT_EQ(apply_change(plan.changes[0]), 0);
  EXPECT_EQ(status(path).mode, 0751U);
  EXPECT_EQ(filesystem_.acl(path).value, plan.changes[0].after.rights.acl);
}

TEST_F(RepairTest, TwoNamesOfOneFileAreOneChange) {
  const std::string one = tree_.write("one", "", 0600), other = tree_.path("other");
  ASSERT_EQ(link(one.c_str(), other.c_str()), 0);
  const Plan plan = this->plan({step(Kind::chmod, one, "a+x"), step(Kind::chmod, other, "a+x"),
                                step(Kind::chmod, other, "g+r")});
  ASSERT_EQ(plan.changes.size(), 1U);
  EXPECT_EQ(plan.changes[0].path, one);
  EXPECT_EQ(plan.changes[0].steps.size(), 2U) << "what the other name adds";
  EXPECT_EQ(apply_plan(plan.changes), std::vector<int>{EMLINK});
  EXPECT_EQ(status(other).mode, 0600U);
  EXPECT_EQ(apply_plan(plan.changes, {.hard_links = true}), std::vector<int>{0});
  EXPECT_EQ(status(other).mode, 0751U);
}

TEST_F(RepairTest, FilesComeBeforeTheDirectoriesThatLeadToThem) {
  const std::string file = tree_.write("a/b/c", "x", 0644);
  tree_.chmod("a/b", 0700);
  tree_.chmod("a", 0700);
  const Plan plan =
      this->plan({step(Kind::chmod, tree_.path("a"), "0711"),
                  step(Kind::chmod, tree_.path("a/b"), "0711"), step(Kind::chmod, file, "a+x")});
  std::vector<std::string> order;
  for (const Change& change : plan.changes) {
    order.push_back(change.path);
  }
  EXPECT_THAT(order, ElementsAre(file, tree_.path("a/b"), tree_.path("a")));
}

TEST_F(RepairTest, OwnerModeAndAclAreRestored) {
  const std::string path = tree_.write("a", "x", 0604);
  tree_.setfacl("a", {"-m", "u:daemon:rwx"});
  const Plan plan =
      this->plan({step(Kind::chown, path, "www-data:33"), step(Kind::restore_acl, path, ""),
                  step(Kind::chmod, path, "4750")});
  ASSERT_THAT(plan.changes, SizeIs(1));
  ASSERT_EQ(apply_change(plan.changes[0]), 0);
  EXPECT_EQ(status(path).mode, 04750U);
  EXPECT_EQ(status(path).uid, 33U);
  EXPECT_EQ(filesystem_.acl(path).value, std::nullopt);
}

/// The group digit of a file with an ACL is its mask, and must not stay when the ACL goes.
TEST_F(RepairTest, WithoutItsAclTheFileHasItsOldMode) {
  const std::string path = tree_.write("a", "x", 0700);
  tree_.setfacl("a", {"-m", "u:www-data:x"});
  const Plan plan = this->plan({step(Kind::restore_acl, path, "")});
  ASSERT_THAT(plan.changes, SizeIs(1));
  ASSERT_EQ(apply_change(plan.changes[0]), 0);
  EXPECT_EQ(status(path).mode, 0700U);
}

TEST_F(RepairTest, WhatIsAsItShouldBeIsNoChange) {
  const std::string path = tree_.write("a", "x", 0755);
  EXPECT_THAT(plan({step(Kind::chmod, path, "a+x")}).changes, IsEmpty());
}

TEST_F(RepairTest, WhatCannotBePlannedIsSaid) {
  const std::string path = tree_.write("a", "x", 0755);
  const Plan plan = this->plan(
      {step(Kind::chmod, tree_.path("none"), "a+x"), step(Kind::chown, path, "no-such-user-here")});
  ASSERT_THAT(plan.unplanned, SizeIs(2));
  EXPECT_EQ(plan.unplanned[0].error, ENOENT);
  EXPECT_EQ(plan.unplanned[1].error, EINVAL);
}

TEST_F(RepairTest, AFileThatChangedMeanwhileIsLeftAlone) {
  const std::string path = tree_.write("a", "x", 0644);
  const Plan plan = this->plan({step(Kind::chmod, path, "a+x")});
  tree_.chmod("a", 0600);
  EXPECT_EQ(apply_change(plan.changes[0]), ESTALE);
  EXPECT_EQ(status(path).mode, 0600U);
}

TEST_F(RepairTest, ALinkInThePathIsRefused) {
  const std::string path = tree_.write("dir/a", "x", 0644);
  const Plan plan = this->plan({step(Kind::chmod, path, "a+x")});
  ASSERT_EQ(rename(tree_.path("dir").c_str(), tree_.path("moved").c_str()), 0);
  tree_.symlink("moved", "dir");
  EXPECT_EQ(apply_change(plan.changes[0]), ELOOP);
  EXPECT_EQ(status(tree_.path("moved/a")).mode, 0644U);
}

/// Status and ACL come from two looks; between them somebody exchanged a directory above, and back.
TEST_F(RepairTest, AnAclThatTheFileNeverHadIsNotCompletedAndGiven) {
  const std::string path = tree_.write("a", "x", 0644);
  Plan plan = this->plan({step(Kind::setfacl, path, "u:www-data:rx")});
  ASSERT_THAT(plan.changes, SizeIs(1));
  Rights& before = plan.changes[0].before.rights;
  before.acl = Acl{{AclEntry::Tag::user_obj, 0, 6},
                   {AclEntry::Tag::user, 1, 7},
                   {AclEntry::Tag::group_obj, 0, 4},
                   {AclEntry::Tag::mask, 0, 7},
                   {AclEntry::Tag::other, 0, 4}};
  EXPECT_EQ(apply_change(plan.changes[0]), ESTALE);
  EXPECT_EQ(filesystem_.acl(path).value, std::nullopt);
}

/// chmod(2) drops the setgid bit of a foreign group without a word; so do some file systems with
/// all of it.
TEST_F(RepairTest, WhatIsIgnoredIsSaidAndUndone) {
  const std::string path = tree_.write("a", "x", 0644);
  tree_.chown("a", "daemon", "www-data");
  tree_.chmod(".", 0755);
  const int result = test::run_as("daemon", [&] {
    const Plan plan = this->plan({step(Kind::chmod, path, "02755")});
    return plan.changes.size() == 1 && apply_plan(plan.changes) == std::vector<int>{kIgnored};
  });
  EXPECT_EQ(result, 1);
  EXPECT_EQ(status(path).mode, 0644U);
}

/// As the kernel does: the set-id bits were the old owner's word.
TEST_F(RepairTest, AChangeOfOwnerGivesNobodysSetIdBitsToAnother) {
  const std::string path = tree_.write("a", "x");
  tree_.chown("a", "www-data", "www-data");
  tree_.chmod("a", 06755);
  const Plan plan = this->plan({step(Kind::chown, path, "root:root")});
  ASSERT_THAT(plan.changes, SizeIs(1));
  EXPECT_EQ(apply_change(plan.changes[0]), 0);
  EXPECT_EQ(status(path).mode, 0755U);
}

/// One model: what is printed does the same when it is pasted.
TEST_F(RepairTest, TheCommandsDoWhatIsApplied) {
  const std::vector<std::string> starts = {"0640", "06775", "0600", "0707"};
  const std::vector<std::string> acls = {"", "u:www-data:rwx", "u:www-data:rwx,m::r-x",
                                         "g:daemon:r-x,m::---"};
  const std::vector<FixStep> steps = {
      step(Kind::chmod, "", "a+x"),
      step(Kind::chmod, "", "2750"),
      step(Kind::setfacl, "", "u:daemon:rx"),
      {Kind::setfacl, "", 0, "u:daemon:rx,m::rx", true},
      step(Kind::restore_acl, "", ""),
      step(Kind::restore_acl, "", "u::rwx,g::r-x,o::---"),
      step(Kind::restore_acl, "", "u::rw-,u:33:r-x,g::rwx,m::r-x,o::--x"),
      step(Kind::chown, "", "www-data:daemon")};
  for (const std::string& mode : starts) {
    for (const std::string& acl : acls) {
      for (FixStep what : steps) {
        const std::string applied = tree_.write("applied", "x"),
                          pasted = tree_.write("pasted", "x");
        for (const char* name : {"applied", "pasted"}) {
          tree_.chmod(name, static_cast<mode_t>(std::stoul(mode, nullptr, 8)));
          if (!acl.empty()) tree_.setfacl(name, {"-n", "-m", acl});
        }
        what.path = pasted;
        const std::string command = exact_commands({{what}, {}}).front();
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
        what.path = applied;
        for (const Change& change : plan({what}).changes) ASSERT_EQ(apply_change(change), 0);
        const std::string told = mode + ' ' + acl + ": " + command;
        EXPECT_EQ(status(applied).mode, status(pasted).mode) << told;
        EXPECT_EQ(status(applied).uid, status(pasted).uid) << told;
        EXPECT_EQ(filesystem_.acl(applied).value, filesystem_.acl(pasted).value) << told;
        tree_.remove("applied");
        tree_.remove("pasted");
      }
    }
  }
}

/// A tenant exchanges the file for a link to a secret, and the directory above for a link to that
/// of the secret and for one with an ACL of his choice, while it is repaired, again and again.
TEST_F(RepairTest, ARaceNeverReachesTheSecret) {
  const unsigned long wanted = test::wanted_renames(100'000);
  const std::string secret = tree_.write("outside/a", "x", 0600);
  const std::string path = tree_.write("tenant/dir/a", "x", 0644);
  tree_.symlink(secret, "tenant/dir/link");
  tree_.symlink(tree_.path("outside"), "tenant/there");
  tree_.write("tenant/his/a", "x", 0644);
  tree_.setfacl("tenant/his/a", {"-m", "u:daemon:rwx"});
  for (const char* name : {"tenant", "tenant/dir", "tenant/his", "tenant/his/a"}) {
    tree_.chown(name, "daemon", "daemon");
  }
  const FileStatus before = status(secret);
  const std::uint64_t inode = status(path).inode;
  unsigned long applied = 0, refused = 0, renames = 0;
  {
    const test::Renamer tenant("daemon", {{path, tree_.path("tenant/dir/link")},
                                          {tree_.path("tenant/dir"), tree_.path("tenant/there")},
                                          {tree_.path("tenant/dir"), tree_.path("tenant/his")}});
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    for (unsigned i = 0; renames < wanted && std::chrono::steady_clock::now() < end; ++i) {
      const char* spec = i % 2 == 0 ? "u:www-data:x" : "u:www-data:rx";
      for (const Change& change : plan({step(Kind::setfacl, path, spec)}).changes) {
        apply_change(change) == 0 ? ++applied : ++refused;
      }
      renames = tenant.renames();
    }
  }
  std::cout << renames << " renames, " << applied << " applied, " << refused << " refused\n";
  EXPECT_EQ(status(secret), before);
  EXPECT_GE(renames, wanted);
  EXPECT_GT(applied, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_FALSE(names_daemon(inode)) << "an ACL of another file";
}

}  // namespace
}  // namespace permguard
