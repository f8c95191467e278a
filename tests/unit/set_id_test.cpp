// SPDX-License-Identifier: Apache-2.0
//
// An interpreter with a set-id bit reads its scripts with the rights of its own owner or group.
#include "core/set_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/checker.h"
#include "support/real_acl.h"
#include "support/temp_tree.h"
#include "unit/exec_truth.h"

namespace permguard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kBody = "\nread\n";

FileStatus program(unsigned mode, uid_t uid, gid_t gid) {
  FileStatus file;
  file.type = FileType::regular;
  file.mode = mode;
  file.uid = uid;
  file.gid = gid;
  return file;
}

TEST(SetId, ChangesTheIdThatTheBitNames) {
  const Identity caller{.uid = 33, .gid = 33, .groups = {33, 44}, .name = "www-data"};
  const Identity by_user = identity_after_exec(caller, program(04755, 1000, 1001));
  EXPECT_EQ(by_user.uid, 1000U);
  EXPECT_EQ(by_user.gid, 33U);
  EXPECT_FALSE(by_user.dac_override);
  const Identity by_group = identity_after_exec(caller, program(02755, 1000, 1001));
  EXPECT_EQ(by_group.uid, 33U);
  EXPECT_EQ(by_group.gid, 1001U);
  EXPECT_THAT(by_group.groups, ElementsAre(33U, 44U));
  EXPECT_EQ(identity_after_exec(caller, program(0755, 1000, 1001)), caller);
}

// Without the group's x the bit once marked files for mandatory locking: inode(7).
TEST(SetId, OfTheGroupCountsWithTheGroupsXOnly) {
  const Identity caller{.uid = 33, .gid = 33};
  EXPECT_EQ(identity_after_exec(caller, program(02745, 0, 0)), caller);
}

TEST(SetId, OfRootGivesRootsCapabilitiesAndOfOthersTakesThem) {
  const Identity caller{.uid = 33, .gid = 33};
  EXPECT_TRUE(identity_after_exec(caller, program(04755, 0, 0)).dac_override);
  const Identity root{.uid = 0, .gid = 0, .dac_override = true, .dac_read_search = true};
  const Identity lowered = identity_after_exec(root, program(04755, 33, 0));
  EXPECT_FALSE(lowered.dac_override);
  EXPECT_FALSE(lowered.dac_read_search);
}

/// Scripts whose interpreter is a copy of cat(1), which prints what it may read.
class SetIdInterpreter : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
    who_ = lookup_identity("www-data").value;
    cat_ = tree_.write("cat", tree_.read("../../bin/cat"), 0755);
  }

  void make_cat(const std::string& user, const std::string& group, mode_t mode) {
    tree_.chown("cat", user, group);
    tree_.chmod("cat", mode);
  }

  std::string script(const std::string& name, mode_t mode) {
    return tree_.write(name, "#!" + cat_ + kBody, mode);
  }

  /// Its group is daemon.
  std::string script_of_daemon(mode_t mode) {
    const std::string path = script("a", mode);
    tree_.chown("a", "root", "daemon");
    return path;
  }

  Diagnosis diagnosis(const std::string& script) const {
    const DelegateKernel kernel(who_, true);
    const Examiner examiner{filesystem_, names_, &kernel, surroundings_};
    Question question;
    question.target = script;
    question.who = who_;
    EXPECT_EQ(passes(examiner, question) && !diagnose(examiner, question).healthy(), false)
        << "the quick look contradicts the long one";
    return diagnose(examiner, question);
  }

  /// Whether the verdict and the kernel agree that it works.
  bool works(const std::string& script) const {
    const std::string printed =
        test::bytes_from(who_, [&] { return test::execute(script, {script}).output; });
    const bool healthy = diagnosis(script).healthy();
    EXPECT_EQ(healthy, printed.ends_with(kBody)) << script << " prints '" << printed << "'";
    return healthy;
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
  Identity who_;
  std::string cat_;
};

TEST_F(SetIdInterpreter, ReadsWithItsGroup) {
  make_cat("root", "daemon", 02755);
  const std::string path = script_of_daemon(0751);
  EXPECT_TRUE(works(path));
  tree_.setfacl("a", {"-m", "u::rwx,g::--x,o::r-x"});
  EXPECT_FALSE(works(path)) << "www-data could read it, the group of cat may not";
}

TEST_F(SetIdInterpreter, ReadsWithItsOwner) {
  make_cat("daemon", "", 04755);
  const std::string path = script("a", 0755);
  tree_.chown("a", "daemon");
  EXPECT_TRUE(works(path));
  tree_.chmod("a", 0355);
  EXPECT_FALSE(works(path));
  tree_.chown("a", "root");
  EXPECT_TRUE(works(path));
}

TEST_F(SetIdInterpreter, ThatIsRootsReadsEverything) {
  tree_.chmod("cat", 04755);
  EXPECT_TRUE(works(script("a", 0711)));
}

TEST_F(SetIdInterpreter, NeedsTheWayToTheScriptToo) {
  make_cat("daemon", "", 04755);
  const std::string path = script("way/a", 0755);
  tree_.chown("way", "www-data");
  tree_.chmod("way", 0700);
  EXPECT_FALSE(works(path));
  const Diagnosis found = diagnosis(path);
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].code, Code::search_denied);
  EXPECT_EQ(found.findings[0].path, tree_.path("way"));
}

TEST_F(SetIdInterpreter, IsNamedInAFindingThatIsModelledAndWhoseFixHelps) {
  make_cat("root", "daemon", 02755);
  const std::string path = script_of_daemon(0705);
  ASSERT_FALSE(works(path));
  const Finding finding = diagnosis(path).findings.at(0);
  EXPECT_EQ(finding.code, Code::read_denied);
  EXPECT_EQ(finding.certainty, Certainty::modelled);
  EXPECT_THAT(finding.hint, HasSubstr(cat_));
  EXPECT_THAT(finding.hint, HasSubstr("www-data:daemon"));
  ASSERT_EQ(finding.remedy.steps.size(), 1U);
  ASSERT_EQ(finding.remedy.steps[0].kind, FixStep::Kind::setfacl);
  tree_.setfacl("a", {"-m", finding.remedy.steps[0].spec});
  EXPECT_TRUE(works(path));
}

TEST_F(SetIdInterpreter, CountsBehindAnotherScriptAndBehindEnv) {
  make_cat("root", "daemon", 02755);
  tree_.write("nested", "#!" + cat_ + "\n", 0755);
  for (const char* interpreter : {"nested", "cat"}) {
    const std::string line = "#!/usr/bin/env " + tree_.path(interpreter) + kBody;
    const std::string path = tree_.write("a", line, 0751);
    tree_.chown("a", "root", "daemon");
    EXPECT_TRUE(works(path)) << interpreter;
    tree_.setfacl("a", {"-m", "u::rwx,g::--x,o::r-x"});
    EXPECT_FALSE(works(path)) << interpreter;
    tree_.remove("a");
  }
}

TEST_F(SetIdInterpreter, IsAnOrdinaryOneOnANosuidMount) {
  if (!tree_.mount_tmpfs("m", "nosuid")) GTEST_SKIP() << "mounts are forbidden";
  cat_ = tree_.write("m/cat", tree_.read("cat"), 02755);
  tree_.chown("m/cat", "root", "daemon");
  tree_.chmod("m/cat", 02755);
  const std::string path = script_of_daemon(0751);
  EXPECT_FALSE(works(path));
  EXPECT_EQ(diagnosis(path).findings.at(0).certainty, Certainty::certain);
}

TEST_F(SetIdInterpreter, IsAnOrdinaryOneForAProcessWithoutNewPrivileges) {
  surroundings_.no_new_privs = true;
  make_cat("root", "daemon", 02755);
  const std::string path = script_of_daemon(0751);
  EXPECT_FALSE(diagnosis(path).healthy());
}

TEST_F(SetIdInterpreter, IsAnOrdinaryOneWhereItsIdsAreNotMapped) {
  surroundings_.groups = {.all = false, .from_inside = false, .ranges = {{33, 1}, {0, 1}}};
  make_cat("root", "daemon", 02755);
  const std::string path = script_of_daemon(0751);
  EXPECT_FALSE(diagnosis(path).healthy());
}

}  // namespace
}  // namespace permguard
