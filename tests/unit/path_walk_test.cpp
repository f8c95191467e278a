// SPDX-License-Identifier: Apache-2.0
#include "core/path_walk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "support/fake_filesystem.h"
#include "support/real_acl.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using test::FakeFilesystem;
using Call = test::FakeFilesystem::Call;

Identity www_data() {
  return {.uid = 33, .gid = 33, .groups = {33}, .name = "www-data"};
}

std::vector<std::string> paths_of(const Walk& walk) {
  std::vector<std::string> paths;
  for (const Step& step : walk.steps) paths.push_back(step.path);
  return paths;
}

std::vector<Code> codes_of(const Walk& walk) {
  std::vector<Code> codes;
  for (const WalkFault& fault : walk.faults) codes.push_back(fault.code);
  return codes;
}

class PathWalk : public testing::Test {
 protected:
  Walk walk(const std::string& path, const WalkOptions& options = {}) const {
    return walk_path(fs, path, www_data(), options);
  }
  FakeFilesystem fs;
};

using Paths = std::vector<std::string>;
using Codes = std::vector<Code>;

TEST_F(PathWalk, LooksAtEveryComponent) {
  fs.file("/srv/www/a.cgi").mode(0755);
  const Walk walked = walk("/srv/www/a.cgi");
  EXPECT_EQ(paths_of(walked), (Paths{"/", "/srv", "/srv/www", "/srv/www/a.cgi"}));
  EXPECT_TRUE(walked.faults.empty());
  EXPECT_EQ(walked.resolved, "/srv/www/a.cgi");
  ASSERT_NE(walked.end(), nullptr);
  EXPECT_TRUE(walked.end()->last);
  EXPECT_FALSE(walked.steps[2].last);
  EXPECT_TRUE(walked.steps[2].search.allowed);
  EXPECT_EQ(walked.steps[2].search.by, DecidedBy::other);
}

TEST_F(PathWalk, TheRootAlone) {
  const Walk walked = walk("//");
  EXPECT_EQ(paths_of(walked), Paths{"/"});
  EXPECT_TRUE(walked.complete);
  EXPECT_EQ(walk("/../..").resolved, "/");
}

TEST_F(PathWalk, SlashesAndDotsAreTheKernels) {
  fs.file("/srv/www/a.cgi");
  EXPECT_EQ(walk("//srv/.//www/../www///a.cgi").resolved, "/srv/www/a.cgi");
  EXPECT_EQ(walk("/srv/www/.").resolved, "/srv/www");
  const Walk up = walk("/srv/www/..");
  EXPECT_EQ(up.resolved, "/srv");
  EXPECT_EQ(up.steps.back().path, "/srv") << "the end is the last step";
  EXPECT_EQ(codes_of(walk("/srv/none/..")), Codes{Code::not_found});
}

TEST_F(PathWalk, ARelativePathStartsInTheDirectory) {
  fs.file("/srv/www/bin/run");
  EXPECT_EQ(walk("bin/run", {.directory = "/srv/www"}).resolved, "/srv/www/bin/run");
  EXPECT_EQ(walk("../www/bin", {.directory = "/srv/www/"}).resolved, "/srv/www/bin");
  EXPECT_EQ(walk("/srv", {.directory = "/srv/www"}).resolved, "/srv");
}

TEST_F(PathWalk, MissingNames) {
  fs.directory("/srv");
  const Walk walked = walk("/srv/none/a.cgi");
  ASSERT_EQ(codes_of(walked), Codes{Code::not_found});
  EXPECT_EQ(walked.faults[0].path, "/srv/none");
  EXPECT_EQ(walked.faults[0].error, ENOENT);
  EXPECT_EQ(walked.faults[0].file, std::nullopt);
  EXPECT_FALSE(walked.complete);
  EXPECT_EQ(walked.end(), nullptr);
  EXPECT_EQ(walked.resolved, "");
  EXPECT_EQ(codes_of(walk("")), Codes{Code::not_found});
}

TEST_F(PathWalk, AFileOnTheWayIsNotADirectory) {
  fs.file("/srv/file");
  for (const char* path : {"/srv/file/a", "/srv/file/", "/srv/file/.", "/srv/file/.."}) {
    const Walk walked = walk(path);
    ASSERT_EQ(codes_of(walked), Codes{Code::not_a_directory}) << path;
    EXPECT_EQ(walked.faults[0].path, "/srv/file");
    EXPECT_EQ(walked.faults[0].error, ENOTDIR);
    EXPECT_FALSE(walked.complete);
  }
  EXPECT_TRUE(walk("/srv/").complete);
}

TEST_F(PathWalk, ATrailingSlashReachesThroughLinks) {
  fs.file("/srv/file");
  fs.link("/srv/one", "two");
  fs.link("/srv/two", "file");
  fs.link("/srv/slashed", "file/");
  fs.link("/srv/here", "./");
  EXPECT_TRUE(walk("/srv/one").complete);
  EXPECT_EQ(codes_of(walk("/srv/one/")), Codes{Code::not_a_directory});
  EXPECT_EQ(codes_of(walk("/srv/slashed")), Codes{Code::not_a_directory});
  EXPECT_TRUE(walk("/srv/here/file").complete) << "a slash inside the way asks for nothing more";
}

TEST_F(PathWalk, LinksAreFollowedFromWhereTheyStand) {
  fs.file("/data/v2/a.cgi");
  fs.link("/data/current", "v2");
  fs.link("/srv/www", "/data/current");
  fs.link("/data/v2/b.cgi", "../v2/./a.cgi");
  const Walk walked = walk("/srv/www/b.cgi");
  EXPECT_EQ(walked.resolved, "/data/v2/a.cgi");
  EXPECT_EQ(paths_of(walked), (Paths{"/", "/srv", "/srv/www", "/data", "/data/current", "/data/v2",
                                     "/data/v2/b.cgi", "/data/v2/a.cgi"}));
  EXPECT_EQ(walked.steps[2].link_target, "/data/current");
  EXPECT_TRUE(walked.faults.empty());
}

TEST_F(PathWalk, ADanglingLinkIsTheCulprit) {
  fs.link("/srv/a.cgi", "next");
  fs.link("/srv/next", "/data/none/a.cgi");
  fs.directory("/data");
  const Walk walked = walk("/srv/a.cgi");
  ASSERT_EQ(codes_of(walked), Codes{Code::dangling_symlink});
  EXPECT_EQ(walked.faults[0].path, "/srv/next");
  EXPECT_EQ(walked.faults[0].detail, "/data/none/a.cgi");
  ASSERT_TRUE(walked.faults[0].file);
  EXPECT_EQ(walked.faults[0].file->type, FileType::symlink);
  EXPECT_EQ(walked.faults[0].error, ENOENT);
}

TEST_F(PathWalk, AMissingNameBehindAGoodLinkIsNotTheLinksFault) {
  fs.link("/srv/www", "/data");
  fs.directory("/data");
  const Walk walked = walk("/srv/www/none.cgi");
  ASSERT_EQ(codes_of(walked), Codes{Code::not_found});
  EXPECT_EQ(walked.faults[0].path, "/data/none.cgi");
}

TEST_F(PathWalk, AMountMayForbidToFollowItsLinks) {
  fs.file("/data/f");
  fs.link("/mnt/l", "/data/f");
  fs.link("/mnt/d", "/data");
  fs.link("/data/good", "/mnt/real");
  fs.file("/mnt/real");
  fs.mount_at("/mnt", {.nosymfollow = true});
  for (const char* path : {"/mnt/l", "/mnt/d/f"}) {
    const Walk walked = walk(path);
    ASSERT_EQ(codes_of(walked), Codes{Code::symlink_loop}) << path;
    EXPECT_EQ(walked.faults[0].path, std::string(path).substr(0, 6));
    EXPECT_EQ(walked.faults[0].error, ELOOP);
    EXPECT_EQ(walked.faults[0].detail, "the mount '/mnt' has the option nosymfollow");
    EXPECT_EQ(walked.resolved, "/data/f") << "what stands behind it is still looked at";
  }
  EXPECT_TRUE(walk("/data/good").faults.empty()) << "the mount on which the link lies counts";
}

TEST_F(PathWalk, FortyLinksAreFollowedAndNotOneMore) {
  fs.file("/l0");
  for (int i = 1; i <= 41; ++i) {
    fs.link("/l" + std::to_string(i), "l" + std::to_string(i - 1));
  }
  EXPECT_EQ(walk("/l40").resolved, "/l0");
  const Walk loop = walk("/l41");
  ASSERT_EQ(codes_of(loop), Codes{Code::symlink_loop});
  EXPECT_EQ(loop.faults[0].error, ELOOP);
  EXPECT_EQ(loop.faults[0].path, "/l1");
  fs.link("/self", "self");
  EXPECT_EQ(codes_of(walk("/self")), Codes{Code::symlink_loop});
  EXPECT_EQ(walk("/self").faults[0].detail, "self");
}

TEST_F(PathWalk, LongNames) {
  const std::string longest(255, 'n');
  fs.file("/srv/" + longest);
  EXPECT_TRUE(walk("/srv/" + longest).complete);
  const Walk walked = walk("/srv/" + longest + "n");
  ASSERT_EQ(codes_of(walked), Codes{Code::name_too_long});
  EXPECT_EQ(walked.faults[0].error, ENAMETOOLONG);

  fs.directory("/srv");
  std::string path = "/srv";
  while (path.size() < 4095) path += "/";
  EXPECT_TRUE(walk(path).complete);
  EXPECT_EQ(codes_of(walk(path + "/")), Codes{Code::name_too_long});
}

TEST_F(PathWalk, AnUnsearchableDirectoryIsReportedAndPassed) {
  fs.file("/home/ann/cgi/a.cgi");
  fs.at("/home/ann").mode(0700).owner(1000, 1000);
  fs.at("/home/ann/cgi").mode(0750).owner(1000, 1000);
  const Walk walked = walk("/home/ann/cgi/a.cgi");
  ASSERT_EQ(codes_of(walked), (Codes{Code::search_denied, Code::search_denied}));
  EXPECT_EQ(walked.faults[0].path, "/home/ann");
  EXPECT_EQ(walked.faults[0].error, EACCES);
  EXPECT_EQ(walked.faults[0].decision.by, DecidedBy::other);
  EXPECT_EQ(walked.faults[1].path, "/home/ann/cgi");
  EXPECT_TRUE(walked.complete);
  EXPECT_EQ(walked.blocked, 0);
}

TEST_F(PathWalk, ADirectoryIsSearchedOnlyForWhatLiesBelow) {
  fs.directory("/srv/locked").mode(0700);
  EXPECT_TRUE(walk("/srv/locked").faults.empty());
  EXPECT_TRUE(walk("/srv/locked/").faults.empty());
  EXPECT_EQ(codes_of(walk("/srv/locked/.")), Codes{Code::search_denied});
  EXPECT_EQ(codes_of(walk("/srv/locked/..")), Codes{Code::search_denied});
}

TEST_F(PathWalk, OneUnsearchableDirectoryIsOneFault) {
  fs.file("/srv/locked/a");
  fs.at("/srv/locked").mode(0700);
  fs.link("/srv/locked/l", "/srv/locked/a");
  EXPECT_EQ(codes_of(walk("/srv/locked/../locked/l")), Codes{Code::search_denied});
}

TEST_F(PathWalk, AMissingFileBehindADenialIsBoth) {
  fs.directory("/srv/locked").mode(0700);
  EXPECT_EQ(codes_of(walk("/srv/locked/none")), (Codes{Code::search_denied, Code::not_found}));
  fs.link("/srv/link", "locked/none");
  EXPECT_EQ(codes_of(walk("/srv/link")), (Codes{Code::search_denied, Code::dangling_symlink}));
}

TEST_F(PathWalk, WhatThisProcessMayNotSeeStopsTheWalk) {
  fs.file("/srv/locked/a.cgi");
  fs.at("/srv/locked").mode(0700);
  fs.fail(Call::status, "/srv/locked/a.cgi", EACCES);
  const Walk denied = walk("/srv/locked/a.cgi");
  EXPECT_EQ(codes_of(denied), Codes{Code::search_denied});
  EXPECT_EQ(denied.blocked, EACCES);
  EXPECT_FALSE(denied.complete);

  fs.at("/srv/locked").mode(0755);
  const Walk unexplained = walk("/srv/locked/a.cgi");
  EXPECT_TRUE(unexplained.faults.empty());
  EXPECT_EQ(unexplained.blocked, EACCES);
}

TEST_F(PathWalk, ABrokenDiskIsNoFinding) {
  fs.link("/srv/l", "x");
  fs.file("/srv/f");
  for (const auto& [call, path] :
       {std::pair{Call::status, "/srv/f"}, {Call::read_link, "/srv/l"}, {Call::acl, "/srv/f"}}) {
    fs.fail(call, path, EIO);
    const Walk walked = walk(path);
    EXPECT_TRUE(walked.faults.empty()) << path;
    EXPECT_EQ(walked.blocked, EIO) << path;
    EXPECT_FALSE(walked.complete) << path;
    fs.fail(call, path, 0);
  }
}

TEST_F(PathWalk, AFileThatVanishesBetweenTwoCallsIsNoFault) {
  fs.link("/srv/l", "x");
  fs.file("/srv/f");
  for (const auto& [call, path] : {std::pair{Call::read_link, "/srv/l"}, {Call::acl, "/srv/f"}}) {
    fs.fail(call, path, ENOENT);
    EXPECT_TRUE(walk(path).faults.empty());
    EXPECT_EQ(walk(path).blocked, ENOENT);
  }
}

TEST_F(PathWalk, WhoseRootIsRefusedIsNotAnsweredByTheKernel) {
  fs.file("/srv/f");
  for (const int error : {EACCES, ENOENT, ENOTDIR, ENAMETOOLONG}) {
    fs.fail(Call::status, "/", error);
    EXPECT_TRUE(walk("/srv/f").faults.empty());
    EXPECT_EQ(walk("/srv/f").blocked, error);
  }
}

TEST_F(PathWalk, AWayThroughProcHangsOnTheProcess) {
  fs.file("/proc/1/cwd/i");
  fs.link("/proc/self", "1");
  fs.link("/dev/fd", "/proc/self/fd");
  fs.link("/srv/here", "/proc/self/cwd");
  fs.file("/srv/plain");
  fs.file("/srv/p/self/x");
  fs.link("/srv/p/own", "self");
  fs.mount_at("/srv/p", {.fstype = "proc"});
  for (const char* way : {"/proc/self/cwd/i", "/proc//self/./cwd/i", "/proc/1/cwd/i", "/srv/here/i",
                          "/dev/fd/3", "/proc/77/exe", "/srv/p/own/x"}) {
    EXPECT_TRUE(hangs_on_process(fs, walk(way))) << way;
  }
  for (const char* way : {"/srv/plain", "/srv/missing", "/proc"}) {
    EXPECT_FALSE(hangs_on_process(fs, walk(way))) << way;
  }
}

TEST_F(PathWalk, AnAclCanCloseAndOpenADirectory) {
  using Tag = AclEntry::Tag;
  fs.file("/home/ann/a");
  fs.at("/home/ann")
      .acl({{Tag::user_obj, 0, 7},
            {Tag::user, 33, 1},
            {Tag::group_obj, 0, 0},
            {Tag::mask, 0, 1},
            {Tag::other, 0, 0}});
  const Walk open = walk("/home/ann/a");
  EXPECT_TRUE(open.faults.empty());
  EXPECT_EQ(open.steps[2].search.by, DecidedBy::named_user);
  fs.at("/home/ann").mode(0740);
  const Walk masked = walk("/home/ann/a");
  ASSERT_EQ(codes_of(masked), Codes{Code::search_denied});
  EXPECT_EQ(masked.faults[0].decision.by, DecidedBy::mask);
}

TEST_F(PathWalk, ProtectedLinks) {
  fs.file("/data/a.cgi");
  fs.directory("/tmp").mode(01777);
  fs.link("/tmp/mine", "/data/a.cgi").owner(33, 33);
  fs.link("/tmp/admins", "/data/a.cgi").owner(0, 0);
  fs.link("/tmp/foreign", "/data/a.cgi").owner(1000, 1000);
  fs.link("/tmp/way", "/data").owner(1000, 1000);
  const WalkOptions guarded{.protected_symlinks = true};
  EXPECT_TRUE(walk("/tmp/mine", guarded).faults.empty());
  EXPECT_TRUE(walk("/tmp/admins", guarded).faults.empty()) << "of the directory's owner";
  EXPECT_TRUE(walk("/tmp/way/a.cgi", guarded).faults.empty()) << "not at the path's end";
  EXPECT_TRUE(walk("/tmp/foreign").faults.empty());
  const Walk refused = walk("/tmp/foreign", guarded);
  ASSERT_EQ(codes_of(refused), Codes{Code::lsm_denied});
  EXPECT_EQ(refused.faults[0].path, "/tmp/foreign");
  EXPECT_NE(refused.faults[0].detail.find("fs.protected_symlinks"), std::string::npos);
  EXPECT_TRUE(refused.complete);
  fs.at("/tmp").mode(0777);
  EXPECT_TRUE(walk("/tmp/foreign", guarded).faults.empty());
}

// --- against the running kernel ---------------------------------------------------------------

// What open(2) with O_PATH says, which needs search permission only: the errno, or the path that
// was reached.
std::string kernel_answer(const std::string& path) {
  const int file = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (file < 0) return std::to_string(errno);
  std::array<char, 4096> reached{};
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t size = ::readlink(link.c_str(), reached.data(), reached.size());
  ::close(file);
  return std::string(reached.data(), static_cast<std::size_t>(size));
}

std::string our_answer(const Walk& walk) {
  return walk.faults.empty() ? walk.resolved : std::to_string(walk.faults[0].error);
}

bool links_are_protected() {
  std::ifstream setting("/proc/sys/fs/protected_symlinks");
  int value = 0;
  return setting >> value && value == 1;
}

class RandomTree {
 public:
  explicit RandomTree(unsigned seed) : random_(seed) {
    for (int i = 0; i < 12; ++i) add();
  }

  std::string path() {
    std::string path = pick(8) == 0 ? tree_.root() + "/" + name() : any();
    for (unsigned i = pick(4); i > 0; --i) path += separator() + name();
    return pick(6) == 0 ? path + separator() : path;
  }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
  std::string any() { return made_.empty() ? tree_.root() : made_[pick_index()]; }
  std::size_t pick_index() { return random_() % made_.size(); }
  std::string separator() { return pick(5) == 0 ? "//" : "/"; }

  std::string name() {
    constexpr std::array kNames = {"a", "b", "c", "d", ".", "..", "none"};
    return kNames[pick(kNames.size())];
  }

  std::string text() {
    std::string text = pick(3) == 0 ? any() + "/" : "";
    text += name();
    for (unsigned i = pick(3); i > 0; --i) text += separator() + name();
    return pick(8) == 0 ? text + "/" : text;
  }

  std::string directory() {
    for (int attempt = 0; attempt < 4; ++attempt) {
      const std::string path = any();
      struct stat seen {};
      if (::lstat(path.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode)) return path;
    }
    return tree_.root();
  }

  void add() {
    constexpr std::array kModes = {0755, 0700, 0711, 0750, 01777, 0644, 0000};
    const std::string path = directory() + "/" + std::string(1, static_cast<char>('a' + pick(4)));
    struct stat seen {};
    if (::lstat(path.c_str(), &seen) == 0) return;
    const unsigned kind = pick(5);
    const bool directory_made = kind < 2;
    if (directory_made) {
      EXPECT_EQ(::mkdir(path.c_str(), 0755), 0);
    } else if (kind == 2) {
      ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    } else {
      EXPECT_EQ(::symlink(text().c_str(), path.c_str()), 0);
    }
    const uid_t owner = pick(2) == 0 ? 33 : pick(2) * 1000;
    EXPECT_EQ(::lchown(path.c_str(), owner, pick(2) == 0 ? 33 : 0), 0);
    const auto mode = static_cast<mode_t>(kModes[pick(kModes.size())]);
    EXPECT_TRUE(!directory_made || ::chmod(path.c_str(), mode) == 0);
    made_.push_back(path);
  }

  test::TempTree tree_;
  std::mt19937 random_;
  std::vector<std::string> made_;
};

TEST(PathWalkOfTheKernel, LeadsToTheSameEndOrTheSameError) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to make other users' files";
  const WalkOptions options{.protected_symlinks = links_are_protected()};
  const SystemFilesystem filesystem;
  unsigned reached = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    RandomTree tree(seed);
    std::vector<std::string> paths;
    for (int i = 0; i < 40; ++i) paths.push_back(tree.path());
    const std::string answers = test::bytes_from(www_data(), [&paths] {
      std::string lines;
      for (const std::string& path : paths) lines += kernel_answer(path) + "\n";
      return lines;
    });
    std::istringstream lines(answers);
    for (const std::string& path : paths) {
      std::string kernel;
      ASSERT_TRUE(std::getline(lines, kernel));
      const Walk walk = walk_path(filesystem, path, www_data(), options);
      ASSERT_EQ(our_answer(walk), kernel) << path << " in tree of seed " << seed;
      ASSERT_EQ(walk.blocked, 0) << path;
      reached += walk.faults.empty() ? 1 : 0;
    }
  }
  EXPECT_GT(reached, 500U) << "too few paths led anywhere to prove much";
}

}  // namespace
}  // namespace permguard
