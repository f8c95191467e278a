// SPDX-License-Identifier: Apache-2.0
//
// What the module may do to httpd: nothing. What throws stays inside, one symbol goes outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "integration/guarded_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

class Boundary : public testing::TestWithParam<Mpm> {};
INSTANTIATE_TEST_SUITE_P(Mpm, Boundary, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Boundary, AHookThatThrowsLeavesHttpdAsItWas) {
  HttpdOptions options;
  options.mpm = GetParam();
  options.arguments = {"-D", "PERMGUARD_TEST_THROW"};
  HttpdServer server(options);
  server.tree().write("cgi-bin/ok.cgi", cgi_script("ok"), 0755);
  server.tree().write("cgi-bin/broken.cgi", cgi_script("ok"), 0644);
  server.log().allow("exec of '");
  server.log().allow("End of script output before headers");
  server.log().allow("mod_permguard: internal error (thrown because of");
  server.start();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(server.get("/cgi-bin/ok.cgi").body, "ok\n");
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 500);
    EXPECT_EQ(server.get("/permguard-status").status, 404);
  }
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/ok.cgi").body, "ok\n");
  EXPECT_GE(server.log().count("internal error"), 1U);
  server.stop();
  EXPECT_EQ(server.log().count("not-executable"), 0U);
}

TEST_P(Boundary, NoRequestSetsTheTestSwitch) {
  GuardedServer server("SetEnv PERMGUARD_TEST_THROW 1\nPermGuardStatusCode 503", GetParam());
  server.start();
  EXPECT_EQ(
      server.request("GET", "/cgi-bin/broken.cgi?PERMGUARD_TEST_THROW", {"PERMGUARD_TEST_THROW: 1"})
          .status,
      503);
  server.log().expect("not-executable");
  EXPECT_EQ(server.log().count("internal error"), 0U);
}

constexpr const char* kModule = PERMGUARD_BUILD "/mod_permguard.so";

TEST(ModuleFile, ExportsOneSymbol) {
  const ProcessResult symbols = run({"nm", "-D", "--defined-only", kModule});
  ASSERT_TRUE(symbols.succeeded()) << symbols.err;
  EXPECT_THAT(symbols.out, testing::MatchesRegex("[0-9a-f]+ [DB] permguard_module\n"));
}

TEST(ModuleFile, HasNoUniqueSymbolThatKeepsItLoaded) {
  const ProcessResult symbols = run({"nm", kModule});
  ASSERT_TRUE(symbols.succeeded()) << symbols.err;
  EXPECT_EQ(symbols.out.find(" u "), std::string::npos);
}

TEST(ModuleFile, NeedsNothingUnusual) {
  const ProcessResult dump = run({"objdump", "-p", kModule});
  ASSERT_TRUE(dump.succeeded()) << dump.err;
  std::istringstream words(dump.out);
  for (std::string word; words >> word;) {
    if (word != "NEEDED") continue;
    words >> word;
    EXPECT_THAT(word, testing::MatchesRegex("(libstdc\\+\\+|libgcc_s|libc|libm|libasan|libtsan|"
                                            "libubsan|ld-linux[^.]*)\\.so\\.[0-9]+"));
  }
}

}  // namespace
}  // namespace permguard::test
