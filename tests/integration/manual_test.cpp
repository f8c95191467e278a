// SPDX-License-Identifier: Apache-2.0
//
// The manual and the module as httpd has loaded it name the same directives: mod_info lists the
// module's own command table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>

#include "support/httpd_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

std::string read(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string manual() {
  return read(PERMGUARD_SOURCE "/mod_permguard/MANUAL.md");
}

/// The first group of every match of `pattern` in `text`.
std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end;
       ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

HttpdOptions with_server_info() {
  HttpdOptions options;
  options.modules = {"info"};
  options.config = "<Location /server-info>\nSetHandler server-info\n</Location>";
  return options;
}

TEST(ManualOfTheModule, HasEveryDirectiveAndNoOther) {
  HttpdServer server(with_server_info());
  server.start();
  const HttpResponse info = server.get("/server-info?mod_permguard.c");
  ASSERT_EQ(info.status, 200);
  const auto known = all_matches(info.body, "<tt>(PermGuard[A-Za-z]*) - ");
  EXPECT_GE(known.size(), 7U) << info.body;
  EXPECT_EQ(all_matches(manual(), "\n\\| \\[`(PermGuard[A-Za-z]*)`\\]"), known);
  EXPECT_EQ(all_matches(manual(), "\n### (PermGuard[A-Za-z]*)\n"), known);
}

TEST(ManualOfTheModule, HasEveryQueryAndNoOther) {
  HttpdServer server;
  server.start();
  const auto queries = all_matches(manual(), "\n\\| `\\?([a-z]+)`");
  EXPECT_THAT(queries, testing::IsSupersetOf({"json", "auto", "openmetrics", "health"}));
  for (const std::string& query : queries) {
    EXPECT_EQ(server.get("/permguard-status?" + query).status, 200) << query;
  }
  EXPECT_EQ(server.get("/permguard-status?refresh=5").status, 200);
  EXPECT_EQ(server.get("/permguard-status?unknown").status, 400);
}

}  // namespace
}  // namespace permguard::test
