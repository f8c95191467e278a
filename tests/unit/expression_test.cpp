// SPDX-License-Identifier: Apache-2.0
#include "core/expression.h"

#include <gtest/gtest.h>

#include <ostream>

namespace permguard {
namespace {

struct Case {
  const char* expression;
  const char* text;
  bool fits;
};

void PrintTo(const Case& each, std::ostream* out) {
  *out << each.expression << " on " << each.text;
}

class Expression : public ::testing::TestWithParam<Case> {};

TEST_P(Expression, IsReadAsPerls) {
  EXPECT_EQ(matches(GetParam().text, GetParam().expression), GetParam().fits);
}

INSTANTIATE_TEST_SUITE_P(
    Perl, Expression,
    ::testing::Values(Case{R"(\.(?:py|rb)$)", "a.py", true},
                      Case{R"(\.(?:py|rb)$)", "a.pyc", false}, Case{R"(^\d+$)", "17", true},
                      Case{R"(^\d+$)", "d", false}, Case{R"(^[\w.-]+$)", "a_1.x-y", true},
                      Case{R"(^[\w.-]+$)", "a/b", false}, Case{R"(^[\d\-]+$)", "1-2", true},
                      Case{R"(^[a\-c]+$)", "b", false}, Case{R"(^[^\]/]+$)", "ab", true},
                      Case{R"(^[^\]/]+$)", "a]", false}, Case{R"(^[\]x]$)", "]", true},
                      Case{R"(^[\^a]+$)", "^a", true}, Case{R"(^[\s]$)", "\t", true},
                      Case{R"(^[[:digit:]x]+$)", "1x", true}, Case{R"(^(?<name>a|b)$)", "b", true},
                      Case{R"(^(?P<name>a|b)$)", "c", false}, Case{R"(^a.*?b$)", "acb", true},
                      Case{R"(^a++b$)", "aab", true}, Case{R"(^\/x$)", "/x", true},
                      Case{R"((?i)^A$)", "a", true}, Case{R"(^A$)", "a", false},
                      Case{R"(^(?:a(?:b)?)$)", "ab", true}, Case{R"(^\w+$)", "a_1", true}));

/// Rather a text too many than one too few.
INSTANTIATE_TEST_SUITE_P(Unknown, Expression,
                         ::testing::Values(Case{"(", "a", true}, Case{"^(?!a)b$", "a", true},
                                           Case{R"(^\Qx\E$)", "a", true}, Case{"[b", "a", true},
                                           Case{R"([\x41])", "a", true}, Case{"b\\", "a", true},
                                           Case{"(?s)b", "a", true}, Case{"(?<=b)c", "a", true}));

/// regcomp(3) would take the stack, or the memory, of the whole server.
TEST(LargeExpression, FitsEverything) {
  const std::string opens(100'000, '('), closes(100'000, ')');
  EXPECT_TRUE(matches("a", opens + "b" + closes));
  EXPECT_TRUE(matches("a", "^((((b{255}){255}){255}){255})$"));
  EXPECT_TRUE(matches("a", "^(b{2000,}){2000,}$"));
  EXPECT_FALSE(matches("a", "^(b{3,5}){2}$"));
}

TEST(ExpressionOfPath, ThatMayHoldASlash) {
  for (const char* may :
       {".*", "a/b", "[^x]+", R"([\w/]+)", R"(\S+)", "(HEAD|info/refs)", R"(a\/b)"}) {
    EXPECT_TRUE(may_hold_slash(may)) << may;
  }
  for (const char* may_not : {"[^/]+", R"([\w.-]+)", R"(\w+\.cgi)", "a|b", "", R"(\d{4})"}) {
    EXPECT_FALSE(may_hold_slash(may_not)) << may_not;
  }
}

}  // namespace
}  // namespace permguard
