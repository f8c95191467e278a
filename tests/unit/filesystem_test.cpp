// SPDX-License-Identifier: Apache-2.0
#include "core/filesystem.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "support/fake_filesystem.h"
#include "support/real_acl.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

Acl sample_acl() {
  return {{Tag::user_obj, 0, 7},  {Tag::user, 33, 5}, {Tag::group_obj, 0, 4},
          {Tag::group, 70000, 1}, {Tag::mask, 0, 5},  {Tag::other, 0, 0}};
}

std::string encoded(std::initializer_list<std::array<unsigned, 3>> entries) {
  std::string bytes("\x02\0\0\0", 4);
  for (const auto& [tag, perms, id] : entries) {
    for (const auto& [value, size] : {std::pair{tag, 2}, {perms, 2}, {id, 4}}) {
      for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    }
  }
  return bytes;
}

TEST(DecodeAcl, ReadsEveryTag) {
  const auto acl = decode_acl(
      encoded({{1, 7, ~0U}, {2, 5, 33}, {4, 4, ~0U}, {8, 1, 70000}, {16, 5, ~0U}, {32, 0, ~0U}}));
  ASSERT_EQ(acl.error, 0);
  EXPECT_EQ(acl.value, sample_acl());
}

TEST(DecodeAcl, TheMinimalAclIsNone) {
  const auto acl = decode_acl(encoded({{1, 7, ~0U}, {4, 5, ~0U}, {32, 5, ~0U}}));
  EXPECT_EQ(acl.error, 0);
  EXPECT_EQ(acl.value, std::nullopt);
  EXPECT_EQ(decode_acl(encoded({})).value, std::nullopt);
  EXPECT_TRUE(decode_acl(encoded({{1, 7, 0}, {4, 5, 0}, {16, 5, 0}, {32, 5, 0}})).value)
      << "a mask alone takes something away";
}

TEST(DecodeAcl, RefusesWhatTheKernelWouldNotTake) {
  const std::string good = encoded({{1, 7, 0}, {2, 5, 33}, {4, 4, 0}, {16, 5, 0}, {32, 0, 0}});
  ASSERT_EQ(decode_acl(good).error, 0);
  std::string version = good;
  version[0] = 1;
  for (const std::string& bad :
       {std::string(), std::string("\x02"), version, good.substr(0, good.size() - 1), good + "x",
        encoded({{3, 7, 0}}), encoded({{1, 7, 0}, {4, 8, 0}, {32, 0, 0}}),
        encoded({{1, 7, 0}, {2, 5, 33}, {4, 4, 0}, {32, 0, 0}}), encoded({{1, 7, 0}, {4, 7, 0}}),
        encoded({{4, 7, 0}, {1, 7, 0}, {32, 0, 0}}),
        encoded({{1, 7, 0}, {4, 7, 0}, {32, 0, 0}, {32, 0, 0}})}) {
    EXPECT_EQ(decode_acl(bad).error, EINVAL) << testing::PrintToString(bad);
  }
}

class RealFiles : public testing::Test {
 protected:
  test::TempTree tree_;
  SystemFilesystem filesystem_;
};

TEST_F(RealFiles, StatusIsThatOfLstat) {
  const std::string path = tree_.write("file", "12345", 04751);
  ::chmod(path.c_str(), 04751);
  struct stat seen {};
  ASSERT_EQ(::lstat(path.c_str(), &seen), 0);
  const Result<FileStatus> status = filesystem_.status(path);
  ASSERT_TRUE(status);
  EXPECT_EQ(status.value.type, FileType::regular);
  EXPECT_EQ(status.value.mode, 04751U);
  EXPECT_EQ(status.value.inode, seen.st_ino);
  EXPECT_EQ(status.value.device, seen.st_dev);
  EXPECT_EQ(status.value.size, 5U);
  EXPECT_EQ(status.value.changed, seen.st_ctim.tv_sec);
  EXPECT_EQ(status.value.changed_ns, seen.st_ctim.tv_nsec);
  EXPECT_EQ(filesystem_.status(tree_.path("none")).error, ENOENT);
  EXPECT_EQ(filesystem_.status(path + "/below").error, ENOTDIR);
}

TEST_F(RealFiles, TypesAreTold) {
  const std::string fifo = tree_.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(filesystem_.status(fifo).value.type, FileType::fifo);
  EXPECT_EQ(filesystem_.status(tree_.symlink("x", "link")).value.type, FileType::symlink);
  EXPECT_EQ(filesystem_.status(tree_.root()).value.type, FileType::directory);
  EXPECT_EQ(filesystem_.status("/dev/null").value.type, FileType::character_device);
}

TEST_F(RealFiles, LinksAreReadNotFollowed) {
  const std::string text = std::string(3000, 'a') + "\n\xff";
  const std::string link = tree_.symlink(text, "link");
  EXPECT_EQ(filesystem_.read_link(link).value, text);
  EXPECT_EQ(filesystem_.read_link(tree_.root()).error, EINVAL);
}

TEST_F(RealFiles, AclsAreThoseThatWereSet) {
  const std::string path = tree_.write("file", "");
  EXPECT_EQ(filesystem_.acl(path).error, 0);
  EXPECT_EQ(filesystem_.acl(path).value, std::nullopt);
  test::set_real_acl(path, sample_acl());
  const auto acl = filesystem_.acl(path);
  ASSERT_EQ(acl.error, 0);
  EXPECT_EQ(acl.value, sample_acl());
  EXPECT_EQ(filesystem_.status(path).value.mode, 0750U) << "the group digit is the mask";
  EXPECT_EQ(filesystem_.acl("/proc/self/status").value, std::nullopt);
  EXPECT_EQ(filesystem_.acl(tree_.path("none")).error, ENOENT);
}

TEST_F(RealFiles, ALongAclIsReadWhole) {
  const std::string path = tree_.write("file", "");
  Acl acl{{Tag::user_obj, 0, 7}};
  for (std::uint32_t id = 5000; id < 5100; ++id) acl.push_back({Tag::user, id, 5});
  acl.insert(acl.end(), {{Tag::group_obj, 0, 5}, {Tag::mask, 0, 5}, {Tag::other, 0, 5}});
  test::set_real_acl(path, acl);
  EXPECT_EQ(filesystem_.acl(path).value, acl);
}

TEST_F(RealFiles, ReadsBytesOfRegularFilesOnly) {
  const std::string path = tree_.write("file", std::string("ab\0cd", 5));
  EXPECT_EQ(filesystem_.read(path, 0, 100).value, std::string("ab\0cd", 5));
  EXPECT_EQ(filesystem_.read(path, 3, 1).value, "c");
  EXPECT_EQ(filesystem_.read(path, 9, 4).value, "");
  EXPECT_EQ(filesystem_.read(tree_.symlink("file", "link"), 0, 2).value, "ab");
  const std::string fifo = tree_.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(filesystem_.read(fifo, 0, 4).error, EINVAL) << "and it does not hang";
  EXPECT_EQ(filesystem_.read(tree_.root(), 0, 4).error, EINVAL);
  EXPECT_EQ(filesystem_.read("/dev/zero", 0, 4).error, EINVAL);
  EXPECT_EQ(filesystem_.read(tree_.path("none"), 0, 4).error, ENOENT);
}

TEST_F(RealFiles, ListsNamesUpToTheLimit) {
  tree_.write("a", "");
  tree_.write(".b", "");
  tree_.mkdir("c\n");
  auto names = filesystem_.list(tree_.root(), 10);
  ASSERT_TRUE(names);
  std::sort(names.value.begin(), names.value.end());
  EXPECT_EQ(names.value, (std::vector<std::string>{".b", "a", "c\n"}));
  EXPECT_EQ(filesystem_.list(tree_.root(), 2).value.size(), 2U);
  EXPECT_EQ(filesystem_.list(tree_.path("a"), 2).error, ENOTDIR);
}

TEST_F(RealFiles, AttributesByName) {
  const std::string path = tree_.write("file", "");
  EXPECT_EQ(filesystem_.attribute(path, "user.none").error, ENODATA);
  const std::string value(1000, 'v');
  if (::setxattr(path.c_str(), "user.test", value.data(), value.size(), 0) != 0) {
    GTEST_SKIP() << "no user attributes on this file system";
  }
  EXPECT_EQ(filesystem_.attribute(path, "user.test").value, value);
}

TEST_F(RealFiles, TheMountIsTheOneThatHoldsThePath) {
  const Result<Mount> top = filesystem_.mount("/proc/self");
  ASSERT_TRUE(top);
  EXPECT_EQ(top.value.point, "/proc");
  EXPECT_EQ(top.value.fstype, "proc");
  if (!tree_.mount_tmpfs("odd \\name", "noexec,nosuid")) GTEST_SKIP() << "mounts are forbidden";
  const Result<Mount> mount = filesystem_.mount(tree_.write("odd \\name/file", ""));
  ASSERT_TRUE(mount);
  EXPECT_TRUE(mount.value.noexec);
  EXPECT_TRUE(mount.value.nosuid);
  EXPECT_FALSE(mount.value.read_only);
  EXPECT_EQ(mount.value.point, tree_.path("odd \\name"));
  EXPECT_EQ(mount.value.fstype, "tmpfs");
  EXPECT_FALSE(filesystem_.mount(tree_.root()).value.noexec);
}

TEST_F(RealFiles, AMountTellsWhetherLinksAreFollowedAndAclsKept) {
  EXPECT_TRUE(filesystem_.mount(tree_.root()).value.acls);
  EXPECT_FALSE(filesystem_.mount("/proc/self/status").value.acls);
  EXPECT_TRUE(filesystem_.follows_links(tree_.root()));
  if (!tree_.mount_tmpfs("mnt", "nosymfollow")) GTEST_SKIP() << "mounts are forbidden";
  EXPECT_FALSE(filesystem_.follows_links(tree_.path("mnt")));
  EXPECT_TRUE(filesystem_.mount(tree_.path("mnt")).value.nosymfollow);
  EXPECT_FALSE(filesystem_.mount(tree_.root()).value.nosymfollow);
}

TEST_F(RealFiles, ARootIsPutBeforeEveryPathAndLinksStayInside) {
  tree_.write("jail/etc/passwd", "inside");
  tree_.symlink("/etc/passwd", "jail/absolute");
  tree_.symlink("../../../etc/passwd", "jail/climbing");
  const SystemFilesystem jail(tree_.path("jail"));
  EXPECT_EQ(jail.read("/absolute", 0, 10).value, "inside");
  EXPECT_EQ(jail.read("/climbing", 0, 10).value, "inside");
  EXPECT_EQ(jail.status("/etc/passwd").value.size, 6U);
  EXPECT_EQ(jail.list("/etc", 5).value, std::vector<std::string>{"passwd"});
}

TEST_F(RealFiles, TheRootOfAProcessHasThatProcessesMounts) {
  const SystemFilesystem other("/proc/" + std::to_string(::getpid()) + "/root");
  EXPECT_EQ(other.mount("/proc/self").value.point, "/proc");
  EXPECT_EQ(other.status("/").value.inode, filesystem_.status("/").value.inode);
}

TEST(FakeFilesystem, BehavesAsADisk) {
  test::FakeFilesystem fake;
  fake.file("/srv/a/file", "text").mode(0640).owner(5, 6);
  fake.link("/srv/link", "a");
  fake.link("/loop", "loop");
  EXPECT_EQ(fake.status("/srv/a").value.type, FileType::directory);
  EXPECT_EQ(fake.status("/srv/link").value.type, FileType::symlink);
  EXPECT_EQ(fake.status("/srv/link/file").value.mode, 0640U);
  EXPECT_EQ(fake.status("/srv/a/file/x").error, ENOTDIR);
  EXPECT_EQ(fake.status("/none/x").error, ENOENT);
  EXPECT_EQ(fake.read("/loop", 0, 1).error, ELOOP);
  EXPECT_EQ(fake.read("/srv/link/file", 1, 2).value, "ex");
  EXPECT_EQ(fake.list("/srv", 9).value, (std::vector<std::string>{"a", "link"}));
  fake.fail(test::FakeFilesystem::Call::status, "/srv/a", EIO);
  EXPECT_EQ(fake.status("/srv/a").error, EIO);
  fake.remove("/srv");
  EXPECT_EQ(fake.status("/srv/link").error, ENOENT);
}

TEST(FakeFilesystem, ModeAndAclFollowEachOther) {
  test::FakeFilesystem fake;
  fake.file("/f").acl(sample_acl());
  EXPECT_EQ(fake.status("/f").value.mode, 0750U);
  fake.at("/f").mode(0711);
  EXPECT_EQ(fake.acl("/f").value->at(4), (AclEntry{Tag::mask, 0, 1}));
  EXPECT_EQ(fake.acl("/f").value->at(2), (AclEntry{Tag::group_obj, 0, 4}));
}

TEST(FakeFilesystem, TheDeepestMountCounts) {
  test::FakeFilesystem fake;
  fake.file("/mnt/a/file");
  fake.file("/mnt/ab");
  fake.mount_at("/mnt", {.fstype = "tmpfs"});
  fake.mount_at("/mnt/a", {.noexec = true, .fstype = "nfs"});
  EXPECT_EQ(fake.mount("/mnt/a/file").value.point, "/mnt/a");
  EXPECT_EQ(fake.mount("/mnt/ab").value.point, "/mnt");
  EXPECT_EQ(fake.mount("/").value.fstype, "ext4");
}

}  // namespace
}  // namespace permguard
