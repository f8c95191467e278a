// SPDX-License-Identifier: Apache-2.0
//
// A file name may hold any byte but NUL and '/': the log stays one safe line, and its fix can be
// pasted as it stands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

struct Name {
  std::string title;
  std::string bytes;
};

void PrintTo(const Name& name, std::ostream* out) {
  *out << name.title;
}

const std::vector<Name>& names() {
  static const std::vector<Name> names = {
      {"Space", "two words.cgi"},
      {"Quote", "it's.cgi"},
      {"DoubleQuote", "say \"hi\".cgi"},
      {"Formats", "%s%n%d%ld%pp.cgi"},
      {"Backslash", "back\\slash\\n.cgi"},
      {"Newline", "line\n[core:error] forged.cgi"},
      {"TerminalEscape", "\x1b[31mred\x07.cgi"},
      {"NotUtf8", "\xff\xfe\x80.cgi"},
      {"RightToLeft", "a\xe2\x80\xaetxt.cgi"},
      {"Shell", "$(touch pwned);`id`;*.cgi"},
      {"Option", "-rf.cgi"},
      {"Html", "<script>alert(1)</script>.cgi"},
      {"Long", std::string(250, 'x') + ".cgi"},
  };
  return names;
}

class StrangeName : public testing::TestWithParam<Name> {};
INSTANTIATE_TEST_SUITE_P(Names, StrangeName, testing::ValuesIn(names()),
                         [](const auto& name) { return name.param.title; });

/// What stands after the last "fix: ", as an operator would copy it.
std::string fix_in(const std::string& line) {
  const auto fix = line.rfind("; fix: ");
  return fix == std::string::npos ? "" : line.substr(fix + 7);
}

TEST_P(StrangeName, IsLoggedSafelyAndItsFixCanBePasted) {
  HttpdOptions options;
  options.config = "PermGuard enforce\nPermGuardWatch off";
  HttpdServer server(options);
  std::string file = GetParam().bytes;
  std::ranges::replace(file, '/', '_');
  server.tree().write("cgi-bin/" + file, cgi_script("repaired"), 0644);
  server.start();
  const HttpResponse response = server.get("/cgi-bin/" + url_escape(file));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find(server.tree().root()), std::string::npos) << response.body;

  const std::string line = server.log().expect("not-executable: ");
  EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; })) << line;
  EXPECT_EQ(server.log().count("not-executable: "), 1U);

  ProcessOptions shell;
  shell.directory = server.tree().root();
  const ProcessResult pasted = run({"sh", "-c", fix_in(line)}, shell);
  EXPECT_EQ(pasted.exit_code, 0) << fix_in(line) << "\n" << pasted.err;
  EXPECT_EQ(::access((server.tree().root() + "/pwned").c_str(), F_OK), -1);
  EXPECT_EQ(server.get("/cgi-bin/" + url_escape(file)).body, "repaired\n");
}

}  // namespace
}  // namespace permguard::test
