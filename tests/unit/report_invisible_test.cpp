// SPDX-License-Identifier: Apache-2.0
#include "report/invisible.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/explain_text.h"
#include "report/html_text.h"
#include "report/json.h"
#include "report/sentence.h"

namespace permguard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHidden[] = {
    "\x01",   "\x1b",   "\x7f",   "\u0080",     "\u009b",     "\u00ad",    "\u061c",
    "\u115f", "\u180e", "\u200b", "\u200d",     "\u200e",     "\u200f",    "\u2028",
    "\u2029", "\u202a", "\u202e", "\u2060",     "\u2066",     "\u2069",    "\u3164",
    "\ufe0f", "\ufeff", "\ufff9", "\U000e0001", "\U000e007f", "\U000e0100"};
const std::string kShown[] = {" ",      "~",      "\u00a0", "\u00e9", "\u0627",
                              "\u2010", "\u2030", "\u6f22", "\ufffd", "\U0001f600"};

TEST(Invisible, IsWhatATerminalObeysOrHides) {
  for (const std::string& each : kHidden) {
    EXPECT_EQ(invisible_prefix(each + "a"), each.size()) << printable(each);
  }
  for (const std::string& each : kShown) EXPECT_EQ(invisible_prefix(each + "a"), 0U) << each;
  EXPECT_EQ(invisible_prefix(""), 0U);
  EXPECT_EQ(invisible_prefix("\xae"), 0U) << "within a character";
}

/// One table for all of them.
TEST(Invisible, ReachesNeitherTextNorCommandNorPageNorJson) {
  for (const std::string& each : kHidden) {
    const std::string path = "/a" + each + "b";
    Remedy remedy;
    remedy.steps = {{FixStep::Kind::chmod, path, 1, "a+x", false}};
    const auto json = nlohmann::ordered_json::object({{"path", path}});
    for (const std::string& text :
         {printable(path), one_line(path), exact_commands(remedy)[0], html_visible(path)}) {
      EXPECT_THAT(text, Not(HasSubstr(each))) << text;
    }
    EXPECT_THAT(dump(json), Not(HasSubstr(each)));
    EXPECT_EQ(nlohmann::ordered_json::parse(dump(json)), json) << dump(json);
  }
  for (const std::string& each : kShown) {
    EXPECT_EQ(printable(each), each);
    EXPECT_EQ(one_line(each + "\\"), each + "\\");
    EXPECT_THAT(dump(nlohmann::ordered_json(each)), HasSubstr(each));
  }
}

}  // namespace
}  // namespace permguard
