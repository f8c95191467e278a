// SPDX-License-Identifier: Apache-2.0
//
// The module in the dynamic linker's eyes: one symbol, nothing that would keep the file loaded
// over httpd's restarts, no library beyond the few that were chosen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

const std::string kModule = PERMGUARD_BUILD "/mod_permguard.so";

std::vector<std::string> lines_of(const std::vector<std::string>& command) {
  const ProcessResult result = run(command);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream text(result.out);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

class Symbols : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "sanitizers add symbols and libraries of their own";
#endif
  }
};

TEST_F(Symbols, ExactlyOneIsExported) {
  const auto exported = lines_of({"nm", "--dynamic", "--defined-only", "--format=posix", kModule});
  ASSERT_EQ(exported.size(), 1U);
  EXPECT_THAT(exported[0], testing::StartsWith("permguard_module D "));
}

TEST_F(Symbols, NoneIsUnique) {
  const auto symbols = lines_of({"readelf", "--syms", "--wide", kModule});
  EXPECT_GT(symbols.size(), 100U);
  EXPECT_THAT(symbols, testing::Each(testing::Not(testing::HasSubstr(" UNIQUE "))));
}

TEST_F(Symbols, NothingHasToRunWhenItIsUnloaded) {
  const auto symbols = lines_of({"nm", "--undefined-only", "--format=posix", kModule});
  EXPECT_THAT(symbols, testing::Each(testing::Not(testing::StartsWith("__cxa_thread_atexit"))));
}

TEST_F(Symbols, OnlyChosenLibrariesAreNeeded) {
  std::vector<std::string> needed;
  for (const std::string& line : lines_of({"readelf", "--dynamic", "--wide", kModule})) {
    if (line.find("(NEEDED)") == std::string::npos) continue;
    needed.push_back(line.substr(line.find('[')));
  }
  EXPECT_THAT(needed, testing::IsSupersetOf({"[libstdc++.so.6]", "[libc.so.6]"}));
  EXPECT_THAT(needed,
              testing::Each(testing::AnyOf("[libstdc++.so.6]", "[libgcc_s.so.1]", "[libc.so.6]",
                                           "[libm.so.6]", "[ld-linux-x86-64.so.2]")));
}

}  // namespace
}  // namespace permguard::test
