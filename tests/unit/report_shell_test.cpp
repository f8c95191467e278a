// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "report/sentence.h"
#include "report/utf8.h"
#include "support/temp_tree.h"
#include "unit/report_samples.h"

namespace permguard {
namespace {

struct stat status_of(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status;
}

unsigned mode_after(const std::string& command, const std::string& path) {
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return status_of(path).st_mode & 07777;
}

TEST(Shell, QuotesAlways) {
  EXPECT_EQ(shell_quote("/srv/a"), "'/srv/a'");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("it's"), R"('it'"'"'s')");
}

TEST(Shell, WritesEachKindOfStep) {
  Remedy remedy;
  remedy.steps = {{FixStep::Kind::chmod, "/a", 1, "a+x", false},
                  {FixStep::Kind::setfacl, "/b", 2, "u:www-data:x", false},
                  {FixStep::Kind::setfacl, "/c", 3, "u:www-data:x,m::rx", true},
                  {FixStep::Kind::chown, "/d", 4, "ann:web masters", false}};
  EXPECT_EQ(pasteable_fix(remedy),
            "chmod a+x '/a' && setfacl -m u:www-data:x '/b' && setfacl -n -m u:www-data:x,m::rx "
            "'/c' && chown 'ann:web masters' '/d'");
  EXPECT_EQ(exact_commands(remedy).size(), 4U);
  EXPECT_EQ(exact_commands(remedy)[3], "chown 'ann:web masters' '/d'");
}

TEST(Shell, AdviceStandsWhereNoCommandHelps) {
  Remedy remedy;
  remedy.advice = "install perl";
  EXPECT_EQ(pasteable_fix(remedy), "install perl");
  EXPECT_TRUE(exact_commands(remedy).empty());
}

TEST(Shell, FindsAFileWhoseNameCannotBePasted) {
  Remedy remedy;
  remedy.steps = {{FixStep::Kind::chmod, "/srv/it's/a\\b", 77, "a+x", false}};
  EXPECT_EQ(pasteable_fix(remedy),
            R"(find '/srv/it'"'"'s' -maxdepth 1 -inum 77 -exec chmod a+x {} +)");
  remedy.steps[0].path = "/a\nb";
  EXPECT_EQ(pasteable_fix(remedy), "find '/' -maxdepth 1 -inum 77 -exec chmod a+x {} +");
}

TEST(Shell, StartsAtTheDirectoryThatCanBePasted) {
  Remedy remedy;
  remedy.steps = {{FixStep::Kind::chmod, "/srv/\xff/b/a\n", 77, "a+x", false}};
  EXPECT_EQ(pasteable_fix(remedy),
            "find '/srv' -xdev -mindepth 3 -maxdepth 3 -inum 77 -exec chmod a+x {} +");
  remedy.steps[0].path = "/\xff/b";
  EXPECT_EQ(pasteable_fix(remedy),
            "find '/' -xdev -mindepth 2 -maxdepth 2 -inum 77 -exec chmod a+x {} +");
}

TEST(Shell, GivesWordsWhereTheInodeIsNotKnown) {
  Remedy remedy;
  remedy.steps = {{FixStep::Kind::chmod, "/srv/a\n", 0, "a+x", false}};
  EXPECT_EQ(pasteable_fix(remedy).find("chmod"), std::string::npos);
  EXPECT_FALSE(pasteable_fix(remedy).empty());
}

TEST(Shell, ThePasteableFormReachesAFileBelowAnyDirectory) {
  test::TempTree tree;
  const std::string path = tree.write("plain/\xff\n/deep/a", "x", 0600);
  Remedy remedy;
  remedy.steps = {{FixStep::Kind::chmod, path, status_of(path).st_ino, "u+x", false}};
  EXPECT_EQ(mode_after(pasteable_fix(remedy), path), 0700U) << pasteable_fix(remedy);
}

TEST(Shell, BothFormsReachTheFileWhateverItsName) {
  const std::string names[] = {"plain",      "with space", "it's",  "\"q\"", "a\\b",
                               "$(touch x)", "`id`",       "-n",    "a\nb",  "a\n",
                               "\xff",       "x\xffy\xfe", "%s",    "{}",    "caf\u00e9",
                               "\x1b[2Jx",   "\u009bx",    "\t\x7f"};
  for (const std::string& name : names) {
    test::TempTree tree;
    const std::string path = tree.write(name, "x", 0600);
    Remedy remedy;
    remedy.steps = {{FixStep::Kind::chmod, path, status_of(path).st_ino, "u+x", false}};
    const std::string exact = exact_commands(remedy).front();
    EXPECT_EQ(utf8_prefix(exact), exact.size()) << exact;
    EXPECT_EQ(exact.find_first_of("\x1b\t\x7f"), std::string::npos) << exact;
    EXPECT_EQ(exact.find("\u009b"), std::string::npos) << exact;
    EXPECT_EQ(mode_after(exact, path), 0700U) << exact;
    tree.chmod(name, 0600);
    EXPECT_EQ(mode_after(pasteable_fix(remedy), path), 0700U) << pasteable_fix(remedy);
  }
}

}  // namespace
}  // namespace permguard
