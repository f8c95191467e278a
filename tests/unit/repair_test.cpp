// SPDX-License-Identifier: Apache-2.0
#include "core/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

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
  EXPECT_EQ(apply_plan(plan.changes), std::vector<int>{0});
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

/// Somebody swaps the file for a link to a secret while it is repaired, again and again.
TEST_F(RepairTest, ARaceNeverReachesTheSecret) {
  const std::string secret = tree_.write("secret", "x", 0600);
  const std::string path = tree_.write("a", "x", 0644);
  std::jthread attacker([&](const std::stop_token& stop) {
    const std::string aside = tree_.path("aside");
    const std::string link = tree_.path("link");
    while (!stop.stop_requested()) {
      if (::symlink(secret.c_str(), link.c_str()) != 0) continue;
      rename(path.c_str(), aside.c_str());
      rename(link.c_str(), path.c_str());
      rename(aside.c_str(), path.c_str());
    }
  });
  unsigned applied = 0;
  unsigned refused = 0;
  for (int i = 0; i < 3000; ++i) {
    for (const Change& change :
         plan({step(Kind::chmod, path, i % 2 == 0 ? "a+x" : "0644")}).changes) {
      apply_change(change) == 0 ? ++applied : ++refused;
    }
  }
  attacker = {};
  EXPECT_EQ(status(secret).mode, 0600U);
  EXPECT_GT(applied + refused, 0U);
}

}  // namespace
}  // namespace permguard
