// SPDX-License-Identifier: Apache-2.0
//
// An exception in any hook must not reach httpd: the child lives and the request is served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

constexpr std::string_view kThrown = "thrown because of -D PERMGUARD_TEST_THROW";

class Throw : public testing::TestWithParam<Mpm> {};
INSTANTIATE_TEST_SUITE_P(Mpm, Throw, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Throw, IsLoggedAndTheRequestIsServed) {
  HttpdOptions options;
  options.mpm = GetParam();
  options.config = "PermGuard enforce";
  options.arguments = {"-D", "PERMGUARD_TEST_THROW"};
  HttpdServer server(options);
  server.tree().write("cgi-bin/hello", cgi_script("hello"), 0755);
  server.tree().write("cgi-bin/broken", cgi_script("never"), 0644);
  server.start();
  server.log().allow(kThrown);
  const auto children = server.children();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(server.get("/cgi-bin/hello").body, "hello\n");
  }
  // Without a verdict httpd tries, and says what it always said.
  EXPECT_EQ(server.get("/cgi-bin/broken").status, 500);
  server.log().expect("exec of ");
  server.log().expect("End of script output before headers");
  server.log().expect(kThrown);
  EXPECT_EQ(server.children(), children);
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/hello").body, "hello\n");
}

}  // namespace
}  // namespace permguard::test
