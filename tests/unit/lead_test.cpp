// SPDX-License-Identifier: Apache-2.0
#include "core/lead.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/fake_filesystem.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

constexpr uid_t kAnn = 1001, kBob = 1002, kMallory = 1003;
constexpr gid_t kWeb = 500;

FileStatus node(FileType type, unsigned mode, uid_t uid, gid_t gid) {
  return {.type = type, .mode = mode, .uid = uid, .gid = gid};
}

/// The ACL of a directory whose mask lets `entry` write.
Acl acl_with(AclEntry entry, Permissions mask = 7) {
  Acl acl = {
      {Tag::user_obj, 0, 7}, {Tag::group_obj, 0, 5}, {Tag::mask, 0, mask}, {Tag::other, 0, 5}};
  acl.insert(acl.begin() + (entry.tag == Tag::user ? 1 : 2), entry);
  return acl;
}

class LeadTest : public ::testing::Test {
 protected:
  LeadTest() {
    names_.users = {{0, "root"}, {kAnn, "ann"}, {kBob, "bob"}, {kMallory, "mallory"}};
    names_.groups = {
        {0, "root"}, {kAnn, "ann"}, {kBob, "bob"}, {kMallory, "mallory"}, {kWeb, "web"}};
  }
  test::FakeNames names_;
};

// Who owns the link, who owns the directory in which it stands and who may write that, and who
// owns the file behind it: whose choice a right given there would be.
TEST_F(LeadTest, ALinkIsAsTrustworthyAsWhoeverCanReplaceIt) {
  struct Row {
    uid_t link;
    FileStatus directory;
    std::optional<Acl> acl;
    uid_t culprit;
    const char* stranger;
  };
  const auto dir = [](unsigned mode, uid_t uid, gid_t gid = 0) {
    return node(FileType::directory, mode, uid, gid);
  };
  const Row rows[] = {
      // Debian's alternatives, root's links from /usr/lib/cgi-bin to /usr/share.
      {0, dir(0755, 0), {}, 0, ""},
      {0, dir(0755, 0), {}, kAnn, ""},
      // A release link of the deploy user, a user directory's own.
      {kAnn, dir(0755, kAnn), {}, kAnn, ""},
      {kAnn, dir(0755, 0), {}, kAnn, ""},
      {0, dir(0755, kAnn), {}, kAnn, ""},
      {kAnn, dir(0775, kAnn, kAnn), {}, kAnn, ""},  // umask 002 and private groups
      {kAnn, dir(0775, 0, 0), {}, kAnn, ""},
      // Another's link.
      {kMallory, dir(0755, 0), {}, 0, "mallory"},
      {kMallory, dir(01777, 0), {}, 0, "mallory"},
      {65534, dir(0755, 0), {}, 65534, "#65534"},  // whom the kernel cannot map, and whom it cannot
      {kMallory, dir(0755, kMallory), {}, kAnn, "mallory"},
      {kAnn, dir(0755, kAnn), {}, 0, "ann"},
      {kAnn, dir(0755, kAnn), {}, kBob, "ann"},
      // Whoever may write the directory may put another in its place.
      {0, dir(0755, kMallory), {}, 0, "mallory"},
      {kAnn, dir(0755, kMallory), {}, kAnn, "mallory"},
      {kAnn, dir(0555, kMallory), {}, kAnn, "mallory"},
      {0, dir(0777, 0), {}, 0, "everybody"},
      {kAnn, dir(0757, kAnn), {}, kAnn, "everybody"},
      {0, dir(0775, 0, kWeb), {}, 0, "group web"},
      {kAnn, dir(0775, kAnn, kWeb), {}, kAnn, "group web"},
      {kAnn, dir(0775, kAnn, kMallory), {}, kAnn, "group mallory"},
      {0, dir(0775, 0, kAnn), {}, 0, "group ann"},
      // Not where the directory is sticky: only its owner and the link's.
      {0, dir(01777, 0), {}, 0, ""},
      {kAnn, dir(01777, 0), {}, kAnn, ""},
      {kAnn, dir(01775, 0, kWeb), {}, kAnn, ""},
      {0, dir(01777, kMallory), {}, 0, "mallory"},
      // By ACL; the group digit is the mask then.
      {0, dir(0775, 0), acl_with({Tag::user, kMallory, 7}), 0, "mallory"},
      {kAnn, dir(0775, kAnn), acl_with({Tag::user, kMallory, 7}), kAnn, "mallory"},
      {kAnn, dir(0775, kAnn), acl_with({Tag::user, kAnn, 7}), kAnn, ""},
      {0, dir(0775, 0), acl_with({Tag::group, kWeb, 7}), 0, "group web"},
      {0, dir(0775, 0), acl_with({Tag::user, kMallory, 5}), 0, ""},
      {0, dir(0755, 0), acl_with({Tag::user, kMallory, 7}, 5), 0, ""},
      {0, dir(0775, 0, kWeb), acl_with({Tag::user, kAnn, 5}), 0, ""},
  };
  for (const Row& row : rows) {
    const Lead lead{.kind = Lead::Kind::link,
                    .path = "/srv/link",
                    .file = node(FileType::symlink, 0777, row.link, 0),
                    .directory = row.directory,
                    .directory_acl = row.acl};
    EXPECT_EQ(stranger_to(lead, row.culprit, names_), row.stranger)
        << "row " << &row - rows << ": link of " << row.link << " in a directory of "
        << row.directory.uid << ", culprit of " << row.culprit;
  }
}

TEST_F(LeadTest, AScriptIsAsTrustworthyAsWhoeverMayWriteIt) {
  struct Row {
    FileStatus file;
    std::optional<Acl> acl;
    uid_t culprit;
    const char* stranger;
  };
  const auto script = [](unsigned mode, uid_t uid, gid_t gid = 0) {
    return node(FileType::regular, mode, uid, gid);
  };
  const Row rows[] = {
      {script(0755, 0), {}, 0, ""},
      {script(0755, 0), {}, kAnn, ""},
      {script(0755, kAnn), {}, kAnn, ""},
      {script(0755, kAnn), {}, 0, "ann"},
      {script(0755, kMallory), {}, kAnn, "mallory"},
      {script(0777, 0), {}, 0, "everybody"},
      {script(01777, 0), {}, 0, "everybody"},  // sticky says nothing of a file
      {script(0775, 0, kWeb), {}, 0, "group web"},
      {script(0775, kAnn, kAnn), {}, kAnn, ""},
      {script(0775, 0), acl_with({Tag::user, kMallory, 6}), 0, "mallory"},
      {script(0755, 0), acl_with({Tag::user, kMallory, 6}, 5), 0, ""},
  };
  for (const Row& row : rows) {
    const Lead lead{.kind = Lead::Kind::first_line, .path = "/a", .file = row.file, .acl = row.acl};
    EXPECT_EQ(stranger_to(lead, row.culprit, names_), row.stranger) << "row " << &row - rows;
  }
}

TEST_F(LeadTest, WhatCannotBeLookedAtIsNotTrusted) {
  EXPECT_NE(stranger_to({.kind = Lead::Kind::setting, .path = "/x", .file = {}}, 0, names_), "");
}

TEST_F(LeadTest, ALinkLeadsToWhatComesAfterIt) {
  test::FakeFilesystem disk;
  disk.file("/home/bob/x/a.txt");
  disk.link("/srv/www/l", "/home/bob").owner(kMallory, kMallory);
  const Walk walk = walk_path(disk, "/srv/www/l/x/a.txt", {.uid = kAnn});
  EXPECT_TRUE(links_before(walk, "/srv").empty());
  EXPECT_TRUE(links_before(walk, "/srv/www").empty());
  for (const char* path :
       {"/home", "/home/bob", "/home/bob/x", "/home/bob/x/a.txt", "/elsewhere"}) {
    const std::vector<Lead> links = links_before(walk, path);
    ASSERT_EQ(links.size(), 1U) << path;
    EXPECT_EQ(links[0].path, "/srv/www/l");
    EXPECT_EQ(links[0].file->uid, kMallory);
    EXPECT_EQ(links[0].directory->mode, 0755U);
  }
  EXPECT_EQ(goal_of(walk, "/srv/www/l/x/a.txt"), "/home/bob/x/a.txt");
}

TEST_F(LeadTest, TheGoalIsToldWhereTheEndCannotBeSeen) {
  test::FakeFilesystem disk;
  disk.directory("/home/bob");
  disk.link("/srv/www/l", "../../home/bob");
  disk.fail(test::FakeFilesystem::Call::status, "/home/bob", EACCES);
  for (const auto& [asked, goal] :
       {std::pair{"/srv/www/l", "/home/bob"}, std::pair{"/srv/www/l/a/b.txt", "/home/bob/a/b.txt"},
        std::pair{"/home/bob/c.txt", "/home/bob/c.txt"}}) {
    EXPECT_EQ(goal_of(walk_path(disk, asked, {.uid = kAnn}), asked), goal);
  }
}

TEST(PrivateGroup, IsTheUsersOwnOfHisName) {
  const SystemNames names;
  EXPECT_TRUE(names.is_private_group(33, 33));  // www-data
  EXPECT_FALSE(names.is_private_group(4, 33));
  EXPECT_FALSE(names.is_private_group(33, 0));
  EXPECT_FALSE(names.is_private_group(123456, 123456));
  EXPECT_FALSE(names.is_private_group(65534, 65534)) << "nobody is in nogroup";
}

}  // namespace
}  // namespace permguard
