// SPDX-License-Identifier: Apache-2.0
//
// `permguard snapshot` and `permguard fix`, as a shell sees them.
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

class FixTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root to give files to other users";
    }
  }

  std::string broken_script() {
    const std::string script = tree_.write("cgi/a b'c.cgi", "#!/bin/sh\n", 0640);
    tree_.chmod("cgi", 0700);
    return script;
  }
  std::string rights() const { return run({"getfacl", "-Rp", tree_.root()}).out; }
  ProcessResult healthy(const std::string& script) const {
    return permguard({"explain", script, "--as", "www-data"});
  }

  TempTree tree_;
};

TEST_F(FixTest, PrintsWithoutChangingAnything) {
  const std::string script = broken_script();
  const std::string before = rights();
  const ProcessResult result = permguard({"fix", script, "--as", "www-data"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("setfacl -m u:www-data:x '" + tree_.path("cgi") + "'"));
  EXPECT_EQ(rights(), before);
}

TEST_F(FixTest, WhatItPrintsIsWhatItApplies) {
  const std::string script = broken_script();
  const std::string commands = permguard({"fix", script, "--as", "www-data"}).out;
  EXPECT_EQ(permguard({"fix", script, "--as", "www-data", "--apply"}).exit_code, 0);
  const std::string applied = rights();
  EXPECT_EQ(healthy(script).exit_code, 0);

  tree_.setfacl("cgi", {"-b"});
  tree_.chmod("cgi", 0700);
  run({"setfacl", "-b", script});
  run({"chmod", "0640", script});
  EXPECT_EQ(run({"sh", "-c", commands}).exit_code, 0);
  EXPECT_EQ(rights(), applied);
}

TEST_F(FixTest, AHealthyScriptNeedsNothing) {
  const std::string script = tree_.write("a.cgi", "#!/bin/sh\n", 0755);
  const ProcessResult result = permguard({"fix", script, "--as", "www-data", "--apply"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, IsEmpty());
}

TEST_F(FixTest, WhatNoCommandRepairsIsSaid) {
  const std::string script = tree_.write("a.cgi", "#!/bin/sh\r\n", 0755);
  const ProcessResult result = permguard({"fix", script, "--as", "www-data"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("# shebang-crlf "));
}

TEST_F(FixTest, AnUndoFileBringsEverythingBack) {
  const std::string script = broken_script();
  const std::string before = rights();
  const std::string undo = tree_.path("undo.json");
  ASSERT_EQ(permguard({"fix", script, "--as", "www-data", "--apply", "--undo", undo}).exit_code, 0);
  EXPECT_EQ(permguard({"fix", "--against", undo}).exit_code, 1);
  EXPECT_EQ(permguard({"fix", "--against", undo, "--apply"}).exit_code, 0);
  run({"rm", undo});
  EXPECT_EQ(rights(), before);
}

TEST_F(FixTest, ASnapshotIsRestored) {
  tree_.write("cgi/a.cgi", "#!/bin/sh\n", 0755);
  tree_.setfacl("cgi/a.cgi", {"-m", "u:daemon:rx"});
  tree_.write("cgi/\xff\n.cgi", "#!/bin/sh\n", 0750);
  TempTree elsewhere;
  const std::string file =
      elsewhere.write("desired.json", permguard({"snapshot", tree_.root()}).out);
  EXPECT_EQ(permguard({"fix", "--against", file}).exit_code, 0);
  const std::string before = rights();
  tree_.setfacl("cgi/a.cgi", {"-b"});
  tree_.chmod("cgi/\xff\n.cgi", 0777);
  tree_.chown("cgi/a.cgi", "www-data", "www-data");
  EXPECT_EQ(permguard({"fix", "--against", file, "--apply"}).exit_code, 0);
  EXPECT_EQ(rights(), before);
}

TEST_F(FixTest, JsonHoldsBeforeAndAfter) {
  const std::string script = broken_script();
  const auto json =
      nlohmann::json::parse(permguard({"fix", script, "--as", "www-data", "--format", "json"}).out);
  EXPECT_EQ(json["user"]["name"], "www-data");
  EXPECT_TRUE(json["unexamined"].empty());
  ASSERT_EQ(json["changes"].size(), 2U);
  EXPECT_EQ(json["changes"][0]["path"], script);
  EXPECT_EQ(json["changes"][0]["before"]["mode"], "0640");
  EXPECT_EQ(json["changes"][0]["applied"], false);
}

TEST_F(FixTest, JsonNamesWhatCouldNotBeExamined) {
  const std::string script = tree_.write("a.cgi", "#!/bin/sh\n", 0711);
  ProcessOptions options;
  options.user = "daemon";
  const ProcessResult result =
      run({PERMGUARD_BUILD "/permguard", "fix", script, "--as", "www-data", "--format", "json"},
          options);
  EXPECT_EQ(result.exit_code, 2);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["user"]["name"], "www-data");
  ASSERT_EQ(json["unexamined"].size(), 1U) << result.out;
  EXPECT_EQ(json["unexamined"][0]["path"], script);
  EXPECT_EQ(json["unexamined"][0]["errno"], "EACCES");
}

TEST_F(FixTest, BadInputIsNamed) {
  const std::string bad = tree_.write("bad.json", "{\"schema\":1,\"roots\":[]}");
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"fix"}, "PATH or --against FILE"},
      {{"fix", "/etc", "--undo", "/tmp/x"}, "--undo goes with --apply"},
      {{"fix", "--against", tree_.path("none.json")}, "none.json: No such file"},
      {{"fix", "--against", bad}, "bad.json: \"entries\" is missing"},
      {{"snapshot", tree_.path("none")}, "none: cannot be examined: No such file"},
      {{"snapshot"}, "DIR"},
  };
  for (const auto& [arguments, message] : cases) {
    const ProcessResult result = permguard(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments.back();
    EXPECT_THAT(result.err, HasSubstr(message));
  }
}

}  // namespace
}  // namespace permguard::test
