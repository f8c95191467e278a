// SPDX-License-Identifier: Apache-2.0
//
// No order of changes opens a window.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>

#include "core/access.h"
#include "core/repair.h"
#include "support/process.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using Kind = FixStep::Kind;
using Tag = AclEntry::Tag;

std::optional<std::uint32_t> nobody(AclEntry::Tag, std::string_view) {
  return std::nullopt;
}

class RepairOrderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to change owners";
  }

  std::vector<Change> changes(const std::vector<std::pair<std::string, std::string>>& modes) const {
    std::vector<FixStep> steps;
    for (const auto& [path, mode] : modes) {
      steps.push_back({Kind::chmod, tree_.path(path), 0, mode, false});
    }
    return plan_changes(filesystem_, steps, nobody).changes;
  }
  unsigned mode(const std::string& path) const {
    return filesystem_.status(tree_.path(path)).value.mode;
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
};

/// www-data tries to read the secret all the time, while its directory is closed and it is opened,
/// and back. In every other order he would succeed now and then.
TEST_F(RepairOrderTest, NobodyEverGetsWhatHeHasNeitherBeforeNorAfter) {
  tree_.write("dir/secret", "x", 0600);
  void* shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* stop = new (shared) std::atomic<int>(0);
  auto* tries = new (static_cast<char*>(shared) + 64) std::atomic<unsigned>(0);
  const std::string secret = tree_.path("dir/secret");
  const pid_t child = fork();
  if (child == 0) {
    test::become_user("www-data");
    int opened = 0;
    while (*stop == 0) {
      const int file = open(secret.c_str(), O_RDONLY | O_CLOEXEC);
      opened = opened || file >= 0;
      if (file >= 0) close(file);
      ++*tries;
    }
    _exit(opened);
  }
  for (int i = 0; i < 500; ++i) {
    EXPECT_THAT(apply_plan(changes({{"dir", "0700"}, {"dir/secret", "0644"}})), Each(0));
    EXPECT_THAT(apply_plan(changes({{"dir", "0755"}, {"dir/secret", "0600"}})), Each(0));
  }
  const bool has_tried = test::poll_until([&] { return *tries > 100; });
  *stop = 1;
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  munmap(shared, 4096);
  EXPECT_TRUE(has_tried);
  EXPECT_EQ(status, 0) << "the secret was read";
}

TEST_F(RepairOrderTest, ADirectoryIsNotOpenedOverAFileThatCouldNotBeClosed) {
  tree_.write("dir/secret", "x", 0644);
  tree_.chmod("dir", 0700);
  const auto plan = changes({{"dir", "0755"}, {"dir/secret", "0600"}});
  tree_.chmod("dir/secret", 0640);  // somebody was quicker
  EXPECT_THAT(apply_plan(plan), ElementsAre(ESTALE, ECANCELED));
  EXPECT_EQ(mode("dir"), 0700U);
}

TEST_F(RepairOrderTest, AFileIsNotOpenedBelowADirectoryThatCouldNotBeClosed) {
  tree_.write("dir/secret", "x", 0600);
  const auto plan = changes({{"dir", "0700"}, {"dir/secret", "0644"}});
  tree_.chmod("dir", 0711);
  EXPECT_THAT(apply_plan(plan), ElementsAre(ECANCELED, ESTALE));
  EXPECT_EQ(mode("dir/secret"), 0600U);
}

/// Narrower for some and wider for others: in two steps, the file between them.
TEST_F(RepairOrderTest, AMixedChangeOfADirectoryIsWholeInTheEnd) {
  tree_.write("dir/a", "x", 0600);
  tree_.chmod("dir", 02705);
  EXPECT_THAT(apply_plan(changes({{"dir", "2750"}, {"dir/a", "0640"}})), Each(0));
  EXPECT_EQ(mode("dir"), 02750U);
  EXPECT_EQ(mode("dir/a"), 0640U);
}

TEST_F(RepairOrderTest, WhatChangedSinceItWasExaminedIsNotPlanned) {
  const std::string path = tree_.write("a", "x", 0644);
  const FileStatus examined = filesystem_.status(path).value;
  const std::vector<FixStep> steps = {{Kind::chmod, path, examined.inode, "a+x", false}};
  EXPECT_EQ(plan_changes(filesystem_, steps, nobody, {{path, examined}}).changes.size(), 1U);
  tree_.chmod("a", 0600);
  const Plan changed = plan_changes(filesystem_, steps, nobody, {{path, examined}});
  EXPECT_TRUE(changed.changes.empty());
  ASSERT_EQ(changed.unplanned.size(), 1U);
  EXPECT_EQ(changed.unplanned[0].error, ESTALE);
  tree_.write("b", "x", 0644);
  ASSERT_EQ(rename(tree_.path("b").c_str(), path.c_str()), 0);
  EXPECT_EQ(plan_changes(filesystem_, steps, nobody).unplanned.size(), 1U) << "another inode";
}

class Permissions : public ::testing::Test {
 protected:
  unsigned any(unsigned below) { return static_cast<unsigned>(dice_() % below); }

  Permission random_permission() {
    Permission permission{any(3), any(3), {any(01000), {}}};
    if (any(2) == 0) return permission;
    Acl acl = {{Tag::user_obj, 0, permission.rights.mode >> 6 & 7}};
    for (unsigned id = 0; id < 3; ++id) {
      if (any(2) == 0) acl.push_back({Tag::user, id, any(8)});
    }
    acl.push_back({Tag::group_obj, 0, any(8)});
    for (unsigned id = 0; id < 3; ++id) {
      if (any(2) == 0) acl.push_back({Tag::group, id, any(8)});
    }
    acl.push_back({Tag::mask, 0, permission.rights.mode >> 3 & 7});
    acl.push_back({Tag::other, 0, permission.rights.mode & 7});
    permission.rights.acl = acl;
    return permission;
  }

  static permguard::Permissions rights_of(const Identity& who, const Permission& permission) {
    FileStatus file;
    file.type = FileType::regular;
    file.mode = permission.rights.mode;
    file.uid = permission.uid;
    file.gid = permission.gid;
    permguard::Permissions all = 0;
    for (const auto one : {kRead, kWrite, kExecute}) {
      if (decide_access(file, permission.rights.acl, who, one).allowed) all |= one;
    }
    return all;
  }

  static std::vector<Identity> everybody() {
    std::vector<Identity> people;
    for (uid_t uid = 0; uid < 4; ++uid) {
      for (gid_t gid = 0; gid < 4; ++gid) {
        Identity who;
        who.uid = uid;
        who.gid = gid;
        who.groups = {gid, (gid + 1) % 4};
        people.push_back(who);
      }
    }
    return people;
  }

  std::mt19937 dice_{20240229};
};

TEST_F(Permissions, NarrowedGivesNobodyMoreThanBeforeAndAfter) {
  for (int i = 0; i < 20'000; ++i) {
    const Permission before = random_permission();
    const Permission after = random_permission();
    const Permission less = narrowed(before, after);
    ASSERT_EQ(less.uid, before.uid);
    ASSERT_EQ(less.gid, before.gid);
    for (const Identity& who : everybody()) {
      const unsigned rights = rights_of(who, less);
      ASSERT_EQ(rights & ~rights_of(who, before), 0U);
      ASSERT_EQ(rights & ~rights_of(who, after), 0U);
    }
  }
}

/// A change that takes nothing away may wait until the files below are as they should be.
TEST_F(Permissions, WhatTakesAwayIsKnown) {
  for (int i = 0; i < 20'000; ++i) {
    Permission before = random_permission();
    Permission after = before;
    after.rights.mode = before.rights.mode | any(01000);
    if (after.rights.acl) continue;
    EXPECT_FALSE(takes_away(before, after));
    if (after.rights.mode != before.rights.mode) {
      EXPECT_TRUE(takes_away(after, before));
    }
  }
}

}  // namespace
}  // namespace permguard
