// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "support/httpd_server.h"

namespace permguard::test {

/// For tests of the places that a configuration comes to.
class PlacesFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as configtest has";
  }

  static HttpdOptions options(std::string config, std::vector<std::string> modules = {}) {
    HttpdOptions options;
    options.config = std::move(config);
    options.modules = std::move(modules);
    return options;
  }
  /// What `-t -D DUMP_PERMGUARD` prints, on the configuration as it now is.
  static std::string dump(HttpdServer& server) {
    const ProcessResult result = server.config_test({"-t", "-D", "DUMP_PERMGUARD"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
};

}  // namespace permguard::test
