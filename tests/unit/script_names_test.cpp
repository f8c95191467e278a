// SPDX-License-Identifier: Apache-2.0
#include "core/script_names.h"

#include <gtest/gtest.h>

namespace permguard {
namespace {

TEST(ScriptNames, NoRuleIsForEveryName) {
  EXPECT_TRUE(ScriptNames{}.fit("anything"));
}

TEST(ScriptNames, ExtensionsAsModMimeHasThem) {
  const ScriptNames names{{"cgi", "pl"}, {}, {}};
  EXPECT_TRUE(names.fit("a.cgi"));
  EXPECT_TRUE(names.fit("a.CGI"));
  EXPECT_TRUE(names.fit("a.cgi.en"));
  EXPECT_TRUE(names.fit("a.b.pl"));
  EXPECT_FALSE(names.fit("a.cgix"));
  EXPECT_FALSE(names.fit("cgi"));
  EXPECT_FALSE(names.fit(".cgi")) << "a name that begins with a dot has no extension there";
}

TEST(ScriptChoice, IsWhatIsHandledAndAmongAndNotExcepted) {
  ScriptChoice choice;
  EXPECT_TRUE(choice.fit("a.php"));
  choice.handled.extensions = {"php", "fcgi"};
  choice.except.patterns = {"a.*"};
  EXPECT_FALSE(choice.fit("a.php"));
  EXPECT_TRUE(choice.fit("b.fcgi"));
  EXPECT_FALSE(choice.fit("b.txt"));
  choice.among.extensions = {"php"};
  EXPECT_FALSE(choice.fit("b.fcgi"));
  EXPECT_TRUE(choice.fit("b.php"));
}

TEST(ScriptNames, PatternsAndExpressions) {
  const ScriptNames names{{}, {"run-*"}, {R"(\.(?:py|rb)$)"}};
  EXPECT_TRUE(names.fit("run-it"));
  EXPECT_TRUE(names.fit("a.py"));
  EXPECT_FALSE(names.fit("a.pyc"));
  EXPECT_TRUE((ScriptNames{{}, {}, {"("}}).fit("a")) << "rather one too many";
}

}  // namespace
}  // namespace permguard
