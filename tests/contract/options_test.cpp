// SPDX-License-Identifier: Apache-2.0
//
// The command line itself: values that are empty, options that have no meaning together, output
// that cannot be written, and how paths are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "contract/command.h"
#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class OptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to ask for other users";
  }

  TempTree tree_;
};

/// `--undo "$UNDO"` with UNDO unset must not change files without a way back.
TEST_F(OptionsTest, AnEmptyValueIsNotTakenForNone) {
  const std::string script = tree_.write("a.cgi", "#!/bin/sh\n", 0644);
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"fix", "--apply", script, "--as", "www-data", "--undo", ""}, "--undo"},
      {{"fix", "--against", ""}, "--against"},
      {{"audit", tree_.root(), "--against", ""}, "--against"},
      {{"audit", tree_.root(), "--forbid", ""}, "--forbid"},
      {{"audit", tree_.root(), "--as", ""}, "--as"},
      {{"audit", tree_.root(), "--pid", ""}, "--pid"},
      {{"audit", tree_.root(), "--jobs", ""}, "--jobs"},
      {{"explain", script, "--need", ""}, "--need"},
      {{"explain", script, "--format", ""}, "--format"},
      {{"explain", ""}, "empty PATH"},
  };
  for (const auto& [arguments, message] : cases) {
    const ProcessResult result = permguard(arguments);
    EXPECT_EQ(result.exit_code, 2) << message << result.out;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  EXPECT_EQ(run({"stat", "-c", "%a", script}).out, "644\n");
}

/// env then finds no command, as where a service has no PATH.
TEST_F(OptionsTest, AnEmptySearchPathIsOne) {
  const std::string script = tree_.write("a.cgi", "#!/usr/bin/env sh\n", 0755);
  const ProcessResult result = permguard({"explain", script, "--as", "www-data", "--path", ""});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("PATH is empty"));
}

TEST_F(OptionsTest, WhatHasNoMeaningTogetherIsRefused) {
  const std::string file = tree_.write("desired.json", permguard({"snapshot", tree_.root()}).out);
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"fix", "--against", file, "--as", "nosuch"}, "--as"},
      {{"fix", "--against", file, "--pid", "1"}, "--pid"},
      {{"fix", "--against", file, "--need", "read"}, "--need"},
      {{"fix", "--against", file, "--path", "/bin"}, "--path"},
  };
  for (const auto& [arguments, message] : cases) {
    const ProcessResult result = permguard(arguments);
    EXPECT_EQ(result.exit_code, 2) << message;
    EXPECT_THAT(result.err, HasSubstr("excludes"));
    EXPECT_THAT(result.err, HasSubstr(message));
  }
}

TEST_F(OptionsTest, AnUndoFileThatCannotBeWrittenSaysWhy) {
  const std::string script = tree_.write("a.cgi", "#!/bin/sh\n", 0644);
  const std::pair<std::string, const char*> cases[] = {
      {tree_.path("none/undo.json"), "No such file or directory"},
      {tree_.root(), "Is a directory"},
      {"/dev/full", "it exists already"},
  };
  for (const auto& [file, reason] : cases) {
    const ProcessResult result =
        permguard({"fix", script, "--as", "www-data", "--apply", "--undo", file});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("--undo " + file + ": " + reason));
    EXPECT_EQ(run({"stat", "-c", "%a", script}).out, "644\n");
  }
}

TEST_F(OptionsTest, OutputThatCannotBeWrittenFails) {
  for (const char* arguments : {"--version", "--help", "audit --help", "explain /bin/sh"}) {
    const std::string command = "'" PERMGUARD_BUILD "/permguard' " + std::string(arguments);
    EXPECT_EQ(run({"sh", "-c", command + " >/dev/full"}).exit_code, 2) << arguments;
  }
}

}  // namespace
}  // namespace permguard::test
