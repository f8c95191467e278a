// SPDX-License-Identifier: Apache-2.0
//
// What is said after a failure: the finding, in the same words in every mode; or that it was not
// permissions, exactly where that was asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>
#include <string>
#include <vector>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

struct Broken {
  const char* name;
  std::string text;
  mode_t mode;
  const char* tag;
};

const std::vector<Broken>& broken_scripts() {
  static const std::vector<Broken> kAll = {
      {"plain", "#!/bin/sh\n", 0644, "not-executable:"},
      {"others", "#!/bin/sh\n", 0744, "execute-denied:"},
      {"hidden", "#!/bin/sh\necho\n", 0711, "read-denied:"},
      {"empty", "", 0755, "empty-file:"},
      {"text", "echo\n", 0755, "no-shebang:"},
      {"bom", "\xef\xbb\xbf#!/bin/sh\n", 0755, "bom-before-shebang:"},
      {"crlf", "#!/bin/sh\r\n", 0755, "shebang-crlf:"},
      {"relative", "#!nowhere/sh\n", 0755, "shebang-relative:"},
      {"long", "#!/" + std::string(300, 'x') + "\n", 0755, "shebang-too-long:"},
      {"lost", "#!/no/such/interpreter\n", 0755, "interpreter-not-found:"},
      {"directory", "#!/usr\n", 0755, "interpreter-not-regular-file:"},
      {"damaged", std::string("\x7f") + "ELF\x02\x01\x01", 0755, "bad-elf:"},
      {"command", "#!/usr/bin/env no-such-command\n", 0755, "command-not-found:"},
  };
  return kAll;
}

class Sentences : public testing::TestWithParam<Mpm> {};
INSTANTIATE_TEST_SUITE_P(Mpm, Sentences, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

/// A line of the module without time, process, client and age.
std::string gist(const std::string& line) {
  const std::size_t begin = line.find("] ", line.find("[client"));
  static const std::regex kAge(R"( \([0-9dhms]+ ago\))");
  return begin == std::string::npos ? line : std::regex_replace(line.substr(begin + 2), kAge, "");
}

TEST_P(Sentences, AreTheSameInEveryMode) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: the server must not own the files";
  GuardedServer server("", GetParam());
  for (const char* text : {"cannot open", "no-such-command", "not found", "Syntax error"}) {
    server.log().allow(text);
  }
  for (const Broken& script : broken_scripts()) {
    server.tree().write(std::string("cgi-bin/") + script.name, script.text, script.mode);
  }
  std::vector<std::string> first;
  for (const char* mode : {"report", "explain", "enforce"}) {
    server.configure(std::string("SetEnv PATH /usr/bin:/bin\nPermGuard ") + mode);
    server.start();
    for (std::size_t i = 0; i < broken_scripts().size(); ++i) {
      const Broken& script = broken_scripts()[i];
      const std::string path = std::string("cgi-bin/") + script.name;
      EXPECT_EQ(server.get("/" + path).status, 500) << script.name;
      const std::string said = gist(server.log().expect("'" + server.tree().path(path) + "': "));
      EXPECT_THAT(said, HasSubstr(script.tag)) << mode;
      if (first.size() == i) first.push_back(said);
      EXPECT_EQ(said, first[i]) << mode;
    }
    EXPECT_EQ(server.told("exonerated"), 0U) << "what is told is not exonerated";
    server.stop();
  }
}

class Exonerate : public testing::TestWithParam<Mpm> {
 protected:
  GuardedServer server{"", GetParam(), {"rewrite"}};

  void start(const std::string& config) {
    server.configure(config);
    server.start();
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, Exonerate, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Exonerate, SaysOnlyWhatHttpdKnowsOfTheEnd) {
  server.tree().write("cgi-bin/killed.cgi", "#!/bin/sh\nkill -9 $$\n", 0755);
  server.tree().write("cgi-bin/failed.cgi", "#!/bin/sh\nexit 7\n", 0755);
  start("");
  for (const char* name : {"killed.cgi", "failed.cgi"}) {
    const std::string path = std::string("cgi-bin/") + name;
    EXPECT_EQ(server.get("/" + path).status, 500);
    EXPECT_THAT(server.log().expect("exonerated: "),
                testing::EndsWith("exonerated: www-data can execute '" + server.tree().path(path) +
                                  "'; the request failed with status 500: no headers from the "
                                  "script"));
  }
}

TEST_P(Exonerate, EveryRequestIsCountedAndOneIsLogged) {
  start("");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  server.log().expect("exonerated: ");
  EXPECT_EQ(server.told("exonerated"), 1U);
  EXPECT_TRUE(poll_until([&] {
    return server.get("/permguard-status?auto").body.find("ExoneratedCgi: 5\n") !=
           std::string::npos;
  }));
}

TEST_P(Exonerate, NobodyWhoWasNotChecked) {
  start(R"(
<Location /cgi-bin/silent.cgi>
PermGuard off
</Location>
RewriteEngine on
RewriteRule ^/refused$ - [R=503]
PermGuardHandler cgi-script execute
)");
  EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  EXPECT_EQ(server.get("/refused").status, 503);
  server.configure("PermGuardHandler cgi-script off");
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  server.log().expect("End of script output before headers: silent.cgi");
  EXPECT_EQ(server.told("exonerated"), 0U);
}

TEST_P(Exonerate, NobodyWhoDidNotFail) {
  server.tree().write("cgi-bin/missing.cgi",
                      "#!/bin/sh\nprintf 'Status: 404\\nContent-Type: text/plain\\n\\nx'\n", 0755);
  server.tree().write("cgi-bin/late.cgi",
                      "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nx'\nexit 3\n", 0755);
  for (const char* mode : {"report", "explain"}) {
    start(std::string("PermGuard ") + mode);
    EXPECT_EQ(server.get("/cgi-bin/missing.cgi").status, 404);
    EXPECT_EQ(server.get("/cgi-bin/late.cgi").status, 200);
    EXPECT_EQ(server.get("/cgi-bin/ok.cgi").status, 200);
    server.stop();
  }
  EXPECT_EQ(server.told("exonerated"), 0U);
}

TEST_P(Exonerate, AnErrorDocumentThatFailsTooIsNotTheRequest) {
  server.tree().write("cgi-bin/second.cgi", "#!/bin/sh\nexit 1\n", 0755);
  start("ErrorDocument 500 /cgi-bin/second.cgi");
  EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  server.log().expect("silent.cgi'; the request failed with status 500");
  EXPECT_EQ(server.told("exonerated"), 1U);
}

}  // namespace
}  // namespace permguard::test
