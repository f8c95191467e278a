// SPDX-License-Identifier: Apache-2.0
#include "core/link_free.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "support/temp_tree.h"

namespace permguard {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr uid_t kDaemon = 1;

class LinkFreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give links to other users";
    file_ = tree_.write("real/dir/a", "x", 0640);
    tree_.setfacl("real/dir/a", {"-m", "u:daemon:r"});
  }
  void give_link(const std::string& name, uid_t owner) const {
    ASSERT_EQ(lchown(tree_.path(name).c_str(), owner, owner), 0);
  }
  int opened_by_components(const std::string& path) const {
    const int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int file = open_by_components(top, path);
    const int error = file < 0 ? errno : 0;
    if (file >= 0) close(file);
    close(top);
    return error;
  }

  test::TempTree tree_;
  std::string file_;
  LinkFreeFilesystem filesystem_;
};

TEST_F(LinkFreeTest, SeesWhatTheSystemSees) {
  const SystemFilesystem system;
  for (const std::string& path : {file_, tree_.path("real"), std::string("/")}) {
    EXPECT_EQ(filesystem_.status(path).value, system.status(path).value) << path;
    EXPECT_EQ(filesystem_.acl(path).value, system.acl(path).value) << path;
    EXPECT_EQ(opened_by_components(path), 0) << path;
  }
  EXPECT_THAT(filesystem_.list(tree_.path("real/dir"), 9).value, ElementsAre("a"));
  EXPECT_EQ(filesystem_.status(tree_.path("none")).error, ENOENT);
  EXPECT_EQ(LinkFreeFile(file_).hard_links(), 1U);
}

/// Before Linux 5.6 the path is opened component by component.
TEST_F(LinkFreeTest, NoLinkIsFollowedInTheMiddleOfAPath) {
  tree_.symlink("real", "link");
  for (const std::string& path : {tree_.path("link/dir"), tree_.path("link/dir/a")}) {
    EXPECT_EQ(filesystem_.status(path).error, ELOOP) << path;
    EXPECT_EQ(filesystem_.acl(path).error, ELOOP) << path;
    EXPECT_EQ(filesystem_.each_name(path, [](auto) { return true; }), ELOOP) << path;
    EXPECT_EQ(opened_by_components(path), ELOOP) << path;
  }
  EXPECT_EQ(opened_by_components(tree_.path("real/none")), ENOENT);
  EXPECT_EQ(opened_by_components(file_ + "/none"), ENOTDIR);
}

TEST_F(LinkFreeTest, ALinkAtTheEndIsSeenAsOne) {
  const std::string link = tree_.symlink("real", "link");
  EXPECT_EQ(filesystem_.status(link).value.type, FileType::symlink);
  EXPECT_EQ(filesystem_.each_name(link, [](auto) { return true; }), ENOTDIR);
  EXPECT_EQ(opened_by_components(link), 0);
}

/// A walk's top may be a link; what becomes one below it is not entered.
TEST_F(LinkFreeTest, ATreeIsListedThroughTheLinksOfItsTopOnly) {
  const std::string top = tree_.symlink("real", "top");
  tree_.symlink("..", "real/dir/loop");
  const TreeFilesystem tree("", {tree_.path("other"), top});
  EXPECT_THAT(tree.list(top, 9).value, ElementsAre("dir"));
  EXPECT_THAT(tree.list(top + "/dir", 9).value, UnorderedElementsAre("a", "loop"));
  for (const char* name : {"/dir/loop", "/dir/loop/dir"}) {
    const int error = tree.each_name(top + name, [](auto) { return true; });
    EXPECT_TRUE(error == ELOOP || error == ENOTDIR) << name << error;
  }
  EXPECT_EQ(TreeFilesystem("", {"/"}).list(tree_.path("real"), 9).value.size(), 1U);
  const TreeFilesystem jailed(tree_.path("real"), {"/dir"});
  EXPECT_EQ(jailed.list("/dir", 9).value.size(), 2U);
}

TEST_F(LinkFreeTest, LinksOfRootAndOfTheAskerLeadOn) {
  tree_.symlink("real/dir", "relative");
  tree_.symlink(tree_.path("relative/../dir"), "absolute");
  give_link("absolute", kDaemon);
  const TrustedWay way = follow_trusted(tree_.path("absolute/./a"), kDaemon);
  ASSERT_TRUE(way.reached()) << way.error;
  EXPECT_EQ(way.resolved(), file_);
  EXPECT_EQ(way.end, filesystem_.status(file_).value);
  EXPECT_THAT(way.places, ::testing::Contains(tree_.path("real/dir")));
}

TEST_F(LinkFreeTest, ALinkOfAnybodyElseEndsTheWay) {
  const std::string link = tree_.symlink("real", "link");
  give_link("link", kDaemon);
  const TrustedWay way = follow_trusted(link + "/dir/a", 0);
  ASSERT_TRUE(way.foreign);
  EXPECT_FALSE(way.reached());
  EXPECT_EQ(way.foreign->path, link);
  EXPECT_EQ(way.foreign->owner, kDaemon);
  EXPECT_EQ(way.resolved(), tree_.root());
  EXPECT_TRUE(follow_trusted(link, kDaemon).reached());
}

TEST_F(LinkFreeTest, WhatEndsTheWayIsSaid) {
  tree_.symlink("loop", "loop");
  EXPECT_EQ(follow_trusted(tree_.path("loop"), 0).error, ELOOP);
  EXPECT_EQ(follow_trusted(tree_.path("none/a"), 0).error, ENOENT);
  EXPECT_EQ(follow_trusted(file_ + "/a", 0).error, ENOTDIR);
}

/// As openat2(2), RESOLVE_IN_ROOT.
TEST_F(LinkFreeTest, NoLinkLeadsOutOfARoot) {
  tree_.symlink("/dir/../../a", "real/out");
  tree_.write("real/a", "inside");
  const TrustedWay way = follow_trusted("/out", 0, tree_.path("real"));
  ASSERT_TRUE(way.reached()) << way.error;
  EXPECT_EQ(way.resolved(), "/a");
  EXPECT_EQ(way.end.inode, filesystem_.status(tree_.path("real/a")).value.inode);
}

}  // namespace
}  // namespace permguard
