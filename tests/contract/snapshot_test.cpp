// SPDX-License-Identifier: Apache-2.0
//
// `permguard snapshot`: the document, and what is not in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SnapshotTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
  }

  ProcessResult snapshot(const ProcessOptions& options = {}) const {
    return run({PERMGUARD_BUILD "/permguard", "snapshot", tree_.root()}, options);
  }

  TempTree tree_;
};

TEST_F(SnapshotTest, HoldsModeOwnerGroupAndAclsOfFilesAndDirectories) {
  tree_.write("b/script.cgi", "#!/bin/sh\n");
  tree_.chown("b/script.cgi", "daemon", "www-data");
  tree_.chmod("b/script.cgi", 04750);
  tree_.setfacl("b", {"-m", "u:www-data:x,d:g:daemon:rx"});
  tree_.write("a", "x", 0644);
  tree_.symlink("a", "link");
  ASSERT_EQ(mkfifo(tree_.path("fifo").c_str(), 0666), 0);
  const ProcessResult result = snapshot();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto document = nlohmann::json::parse(result.out);
  EXPECT_EQ(document["schema"], 1);
  EXPECT_EQ(document["roots"][0]["path"], tree_.root());
  std::vector<std::string> paths;
  for (const auto& entry : document["entries"]) paths.push_back(entry["path"]);
  EXPECT_THAT(paths, ElementsAre(tree_.root(), tree_.path("a"), tree_.path("b"),
                                 tree_.path("b/script.cgi")));
  const auto& script = document["entries"][3];
  EXPECT_EQ(script["mode"], "4750");
  EXPECT_EQ(script["owner"], "daemon");
  EXPECT_EQ(script["group"], "www-data");
  EXPECT_EQ(script["uid"], 1);
  EXPECT_EQ(script["acl"], nullptr);
  EXPECT_EQ(document["entries"][2]["acl"],
            "u::rwx,u:www-data:--x,g::r-x,m::r-x,o::r-x,"
            "d:u::rwx,d:g::r-x,d:g:daemon:r-x,d:m::r-x,d:o::r-x");
}

TEST_F(SnapshotTest, WhatCannotBeLookedAtIsSaidAndFails) {
  tree_.write("locked/a", "x");
  tree_.chmod("locked", 0700);
  ProcessOptions options;
  options.user = "daemon";
  const ProcessResult result = snapshot(options);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr(tree_.path("locked") + ": cannot be examined"));
  EXPECT_EQ(nlohmann::json::parse(result.out)["entries"].size(), 2U);
}

TEST_F(SnapshotTest, AnEmptyTreeIsADocumentToo) {
  const auto document = nlohmann::json::parse(snapshot().out);
  EXPECT_EQ(document["entries"].size(), 1U);
}

}  // namespace
}  // namespace permguard::test
