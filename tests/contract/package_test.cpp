// SPDX-License-Identifier: Apache-2.0
//
// The Debian package's life on a machine: a copy of this one that only the test sees.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "support/httpd_server.h"
#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

class Package : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to install a package";
  }

  /// Makes the package of this build; its path.
  std::string packed() {
    const ProcessResult result = run({"cpack", "-G", "DEB", "--config",
                                      PERMGUARD_BUILD "/CPackConfig.cmake", "-B", tree.root()});
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    for (const auto& entry : std::filesystem::directory_iterator(tree.root())) {
      if (entry.path().extension() == ".deb") return entry.path();
    }
    return "";
  }

  /// tests/contract/helper/package_life with the story `name`.
  ProcessResult live(const std::string& name) {
    ProcessOptions options;
    options.timeout = std::chrono::seconds(110);
    return run({"unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
                PERMGUARD_SOURCE "/tests/contract/helper/package_life", packed(),
                std::to_string(free_port()), name},
               options);
  }

  TempTree tree;
};

TEST_F(Package, TakesTheModuleOutOfHttpdBeforeItIsRemoved) {
  const ProcessResult result = live("removed_while_httpd_runs");
  if (result.exit_code == 77) GTEST_SKIP() << "this machine forbids mounts";
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

TEST_F(Package, KeepsTheAdministratorsChoiceAndLeavesNothing) {
  const ProcessResult result = live("upgraded_and_purged");
  if (result.exit_code == 77) GTEST_SKIP() << "this machine forbids mounts";
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace permguard::test
