// SPDX-License-Identifier: Apache-2.0
//
// What env makes of a script's first line, followed file by file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checker.h"
#include "support/fake_filesystem.h"
#include "unit/tiny_elf.h"

namespace permguard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EnvChain : public ::testing::Test {
 protected:
  EnvChain() {
    for (const char* program : {"/usr/bin/env", "/usr/bin/sh", "/bin/sh"}) {
      fs_.file(program, test::tiny_x86_64().bytes()).mode(0755);
    }
    fs_.directory("/srv/cgi");
  }

  Diagnosis run(const std::string& first_line) {
    fs_.file("/srv/cgi/a.cgi", first_line + "\n").mode(0755);
    return ask("/srv/cgi/a.cgi");
  }

  Diagnosis ask(const std::string& target) const {
    Question question;
    question.target = target;
    question.who = {.uid = 33, .gid = 33, .groups = {33}, .name = "www-data"};
    question.search_path = "/usr/bin:/bin";
    return diagnose({fs_, names_, nullptr, surroundings_}, question);
  }

  static std::vector<std::string> tags(const Diagnosis& diagnosis) {
    std::vector<std::string> list;
    for (const Finding& finding : diagnosis.findings) {
      list.push_back(std::string(name_of(finding.role)) + "-" + name_of(finding.code));
    }
    return list;
  }

  static std::string advice(const Diagnosis& diagnosis) {
    return diagnosis.findings.at(0).remedy.advice;
  }

  test::FakeFilesystem fs_;
  SystemNames names_;
  Surroundings surroundings_{};
};

TEST_F(EnvChain, TheDirectoryToWhichItChangesMustBeThere) {
  EXPECT_THAT(tags(run("#!/usr/bin/env -S -C /srv sh")), IsEmpty());
  EXPECT_THAT(tags(run("#!/usr/bin/env -S -C . sh")), IsEmpty());
  for (const char* line : {"#!/usr/bin/env -S -C /nosuch sh", "#!/usr/bin/env -S -C nosuch sh",
                           "#!/usr/bin/env -S -C '' sh"}) {
    const Diagnosis diagnosis = run(line);
    ASSERT_THAT(tags(diagnosis), ElementsAre("command-not-found")) << line;
    EXPECT_THAT(diagnosis.findings[0].detail, HasSubstr("cannot change directory")) << line;
    EXPECT_THAT(advice(diagnosis), HasSubstr("first line")) << line;
  }
  EXPECT_THAT(tags(run("#!/usr/bin/env -S -C /bin/sh sh")), ElementsAre("command-not-a-directory"));
}

TEST_F(EnvChain, TheDirectoryToWhichItChangesMustBeOpen) {
  fs_.directory("/srv/locked").mode(0700);
  const Diagnosis diagnosis = run("#!/usr/bin/env -S -C /srv/locked sh");
  ASSERT_THAT(tags(diagnosis), ElementsAre("command-search-denied"));
  EXPECT_EQ(diagnosis.findings[0].path, "/srv/locked");
  ASSERT_EQ(diagnosis.findings[0].remedy.steps.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].remedy.steps[0].spec, "u:www-data:x");
}

// The kernel hands on the name by which a script was called: "./i" is not found from "/".
TEST_F(EnvChain, AScriptKnownByARelativeNameIsLeftBehind) {
  fs_.file("/srv/cgi/i", "#!/usr/bin/env -S -C / sh\n").mode(0755);
  const Diagnosis lost = run("#! ./i -eu");
  ASSERT_THAT(tags(lost), ElementsAre("interpreter-shebang-relative"));
  EXPECT_EQ(lost.findings[0].path, "/srv/cgi/i");
  EXPECT_THAT(tags(run("#! /srv/cgi/i -eu")), IsEmpty());
  fs_.file("/i", "echo\n");
  EXPECT_THAT(tags(run("#! ./i -eu")), IsEmpty()) << "there is one there too";
}

TEST_F(EnvChain, FaultsOfItsOwnLineAreCorrectedInTheLine) {
  for (const char* line : {"#!/usr/bin/env -i sh", "#!/usr/bin/env -Z", "#!/usr/bin/env --help"}) {
    const Diagnosis diagnosis = run(line);
    ASSERT_THAT(tags(diagnosis), ElementsAre("command-not-found")) << line;
    EXPECT_THAT(advice(diagnosis), HasSubstr("first line")) << line;
    EXPECT_EQ(advice(diagnosis).find("install"), std::string::npos) << line;
  }
  for (const char* line : {"#!/usr/bin/env sh -e", "#!/usr/bin/env /bin/sh -e"}) {
    const Diagnosis diagnosis = run(line);
    ASSERT_THAT(tags(diagnosis), ElementsAre("command-not-found")) << line;
    EXPECT_THAT(advice(diagnosis), HasSubstr("env -S")) << line;
  }
  EXPECT_THAT(advice(run("#!/usr/bin/env nosuch")), HasSubstr("install the command"));
}

TEST_F(EnvChain, AnEnvThatEnvRunsIsFollowed) {
  EXPECT_THAT(tags(run("#!/usr/bin/env -S env sh")), IsEmpty());
  EXPECT_THAT(tags(run("#!/usr/bin/env -S env -u X env /bin/sh -e")), IsEmpty());
  const Diagnosis missing = run("#!/usr/bin/env -S env A=1 env nosuch -x");
  ASSERT_THAT(tags(missing), ElementsAre("command-not-found"));
  EXPECT_EQ(missing.findings[0].path, "nosuch");
  EXPECT_EQ(missing.findings[0].detail, "/usr/bin:/bin");
  EXPECT_THAT(tags(run("#!/usr/bin/env -S env PATH=/nosuch sh")), ElementsAre("command-not-found"));
  EXPECT_THAT(tags(run("#!/usr/bin/env -S env")), ElementsAre("script-shebang-loop"));
  EXPECT_THAT(tags(run("#!/usr/bin/env -S env -C /nosuch sh")), ElementsAre("command-not-found"));
  std::string many = "#!/usr/bin/env -S";
  for (int i = 0; i < 50; ++i) many += " env";
  EXPECT_TRUE(run(many + " sh").healthy()) << "too many to follow, and no fault";
}

}  // namespace
}  // namespace permguard
