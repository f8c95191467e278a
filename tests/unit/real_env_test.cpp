// SPDX-License-Identifier: Apache-2.0
//
// What the real env makes of a first line, in the script's directory and with its PATH, and what
// the engine says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/checker.h"
#include "support/process.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RealEnv : public ::testing::Test {
 protected:
  RealEnv() { script_ = tree_.path("cgi/a.cgi"); }

  Diagnosis diagnosis(const std::string& first_line) {
    tree_.write("cgi/a.cgi", first_line + "\necho ran\n", 0755);
    const AccessKernel kernel;
    const Examiner examiner{filesystem_, names_, &kernel, surroundings_};
    Question question;
    question.target = script_;
    question.who = current_identity();
    question.search_path = search_path_;
    const Diagnosis found = diagnose(examiner, question);
    EXPECT_FALSE(passes(examiner, question) && !found.healthy()) << first_line;
    return found;
  }

  bool runs(std::vector<std::string> environment = {}) const {
    std::vector<std::string> command = {"env", "-i", "-C", tree_.path("cgi"),
                                        "PATH=" + search_path_};
    command.insert(command.end(), environment.begin(), environment.end());
    command.push_back(script_);
    return test::run(command).out == "ran\n";
  }

  /// Whether both say that it runs.
  bool works(const std::string& first_line) {
    const bool healthy = diagnosis(first_line).healthy();
    EXPECT_EQ(healthy, runs()) << first_line;
    return healthy;
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
  std::string script_, search_path_ = "/usr/bin:/bin";
};

TEST_F(RealEnv, TheSearchGoesOnWhereAnInterpreterIsMissing) {
  search_path_ = tree_.path("old") + ":" + tree_.path("new") + ":/usr/bin:/bin";
  tree_.write("new/tool", "#!/bin/sh\nexec /bin/sh \"$@\"\n", 0755);
  for (const char* old : {"#!/opt/gone/bin/sh\n", "#!/bin/sh\r\n", "#!/bin/sh/\n"}) {
    tree_.write("old/tool", old, 0755);
    EXPECT_TRUE(works("#!/usr/bin/env tool")) << old;
  }
  tree_.remove("new/tool");
  tree_.write("old/tool", "#!/opt/gone/bin/sh\n", 0755);
  EXPECT_FALSE(works("#!/usr/bin/env tool"));
  const Diagnosis alone = diagnosis("#!/usr/bin/env tool");
  ASSERT_THAT(alone.findings, SizeIs(1));
  EXPECT_EQ(alone.findings[0].path, "/opt/gone") << "not that the command is in no directory";
}

TEST_F(RealEnv, TheSearchGoesOnWhereALoaderIsMissing) {
  std::string program = tree_.read("../../bin/true");
  const std::size_t loader = program.find("/lib64/ld-linux");
  if (loader == std::string::npos) GTEST_SKIP() << "true(1) has no loader of that name here";
  program[loader + 1] = 'g';
  tree_.write("old/tool", program, 0755);
  tree_.write("new/tool", "#!/bin/sh\nexec /bin/sh \"$@\"\n", 0755);
  search_path_ = tree_.path("old") + ":" + tree_.path("new") + ":/usr/bin:/bin";
  EXPECT_TRUE(works("#!/usr/bin/env tool"));
}

TEST_F(RealEnv, AnElementLongerThanAnyPathIsSkipped) {
  search_path_ = "/" + std::string(5000, 'x') + ":/usr/bin:/bin";
  EXPECT_TRUE(works("#!/usr/bin/env sh"));
}

TEST_F(RealEnv, TheScriptsOwnDirectoryIsNotTheCallers) {
  tree_.symlink("/bin/sh", "cgi/mysh");
  EXPECT_TRUE(works("#!/proc/self/cwd/mysh"));
  EXPECT_FALSE(works("#!/proc/self/cwd/nosh"));
}

/// Only the script's process has them.
TEST_F(RealEnv, WhatAVariableDecidesIsNotCertain) {
  for (const char* line : {"#!/usr/bin/env -S ${APP_SHELL} -e", "#!/usr/bin/env -S ${APP_SHELL}"}) {
    const Diagnosis found = diagnosis(line);
    EXPECT_TRUE(runs({"APP_SHELL=sh"})) << line;
    EXPECT_THAT(found.findings, Not(IsEmpty()));
    EXPECT_THAT(found.findings, Each(Field(&Finding::certainty, Certainty::modelled))) << line;
  }
  EXPECT_EQ(diagnosis("#!/usr/bin/env nosuch").findings.at(0).certainty, Certainty::certain);
  EXPECT_TRUE(works("#!/usr/bin/env -S sh -e"));
}

}  // namespace
}  // namespace permguard
