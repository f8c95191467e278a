// SPDX-License-Identifier: Apache-2.0
//
// What is asked of a suexec binary that does not answer as it should. Real ones: suexec's
// differential test.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/suexec.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

class AskingSuexec : public ::testing::Test {
 protected:
  int error_of(const std::string& body) {
    const std::string binary = tree_.write("suexec", "#!/bin/sh\n" + body, 0755);
    return read_suexec_settings(binary, "www-data").error;
  }

  test::TempTree tree_;
};

TEST_F(AskingSuexec, ThatIsNotThere) {
  EXPECT_EQ(read_suexec_settings(tree_.path("none"), "www-data").error, ENOENT);
}

TEST_F(AskingSuexec, ThatSaysNothingOfItself) {
  EXPECT_EQ(error_of("exit 100\n"), EPROTO);
  EXPECT_EQ(error_of("echo usage >&2\n"), EPROTO);
}

TEST_F(AskingSuexec, ThatHangsEndsItAfterAWhile) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of("echo $$ >" + tree_.path("pid") + "\nexec sleep 60\n"), ETIMEDOUT);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_NE(access(("/proc/" + std::to_string(std::stoi(tree_.read("pid")))).c_str(), F_OK), 0)
      << "it still runs";
}

}  // namespace
}  // namespace permguard
