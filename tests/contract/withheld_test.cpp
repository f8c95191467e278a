// SPDX-License-Identifier: Apache-2.0
//
// Root reads what the asked user may not, and tells him (his mail, a manifest, a log) nothing of
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "contract/command.h"
#include "support/temp_tree.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "hunter2";

class Withheld : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, who reads everything";
  }
  /// All that every command says of a file for www-data.
  static std::string all_words(const std::string& path) {
    std::string words;
    for (const std::vector<std::string>& command : {std::vector<std::string>{"explain", path},
                                                    {"explain", path, "--format", "json"},
                                                    {"audit", path},
                                                    {"audit", path, "--format", "json"},
                                                    {"audit", path, "--format", "puppet"},
                                                    {"fix", path},
                                                    {"fix", path, "--format", "json"}}) {
      std::vector<std::string> asked = command;
      asked.insert(asked.end(), {"--as", "www-data"});
      const ProcessResult result = permguard(asked);
      words += result.out + result.err;
    }
    return words;
  }

  TempTree tree_;
};

struct Content {
  const char* name;
  const char* text;
  const char* quoted;  ///< what a reader is told
};

class WithheldContent : public Withheld, public ::testing::WithParamInterface<Content> {};

/// To who may read it everything is told; to others nothing, with the x bit or without.
TEST_P(WithheldContent, IsToldToItsReadersOnly) {
  const std::string path = tree_.write("a.cgi", GetParam().text, 0755);
  EXPECT_THAT(all_words(path), HasSubstr(GetParam().quoted));
  for (const mode_t mode : {0711U, 0700U, 0600U, 0100U}) {
    tree_.chmod("a.cgi", mode);
    EXPECT_THAT(all_words(path), Not(HasSubstr(kSecret))) << std::oct << mode;
  }
  // What hides the file hides its text.
  tree_.chmod("a.cgi", 0755);
  tree_.chmod("", 0700);
  EXPECT_THAT(all_words(path), Not(HasSubstr(kSecret)));
}

INSTANTIATE_TEST_SUITE_P(
    Of, WithheldContent,
    ::testing::Values(
        Content{"NoScript", "password=hunter2\n", "it begins with \"password=hunter2\""},
        Content{"BytesOrderMark", "\xEF\xBB\xBF#!/bin/hunter2\n", "it begins with the bytes ef bb"},
        Content{"Interpreter", "#!/nowhere/hunter2\n", "hunter2"},
        Content{"InterpreterBehindADeniedDirectory", "#!/root/hunter2\n", "hunter2"},
        Content{"Relative", "#!hunter2\n", "hunter2"},
        Content{"Crlf", "#!/bin/hunter2\r\n", "hunter2"},
        Content{"CommandOfEnv", "#!/usr/bin/env hunter2\n", "hunter2"},
        Content{"OptionOfEnv", "#!/usr/bin/env -Shunter2=1 -q\n", "hunter2"},
        Content{"DirectoryOfEnv", "#!/usr/bin/env -S -C /nowhere/hunter2 sh\n", "hunter2"},
        Content{"Argument", "#!/bin/sh -hunter2\n", "hunter2"}),
    [](const auto& content) { return content.param.name; });

/// Of a file that is there the name is told, since its repair needs it.
TEST_F(Withheld, WhatIsThereIsStillRepaired) {
  const std::string interpreter = tree_.write("run", "#!/bin/sh\n", 0644);
  const std::string path = tree_.write("a.cgi", "#!" + interpreter + "\n", 0711);
  EXPECT_THAT(all_words(path), HasSubstr("chmod a+x '" + interpreter + "'"));
}

TEST_F(Withheld, TheLackOfAnInterpreterIsSaid) {
  const std::string path = tree_.write("a.cgi", "#!/nowhere/hunter2\n", 0711);
  EXPECT_THAT(permguard({"explain", path, "--as", "www-data"}).out,
              HasSubstr("names an interpreter that is not there; the name is not told, since this "
                        "user may not read the file"));
}

/// nlohmann's values are destroyed one level on the stack for each of the document.
TEST(Nesting, OfASnapshotIsBounded) {
  TempTree tree;
  for (const char* open : {"[", "{\"a\":"}) {
    std::string text;
    for (int level = 0; level < 100'000; ++level) text += open;
    const std::string file = tree.write("deep.json", text);
    for (const std::vector<std::string>& command : {std::vector<std::string>{"audit"}, {"fix"}}) {
      std::vector<std::string> asked = command;
      asked.insert(asked.end(), {"--against", file});
      if (command[0] == "audit") asked.insert(asked.end(), {"--as", "www-data"});
      const ProcessResult result = permguard(asked);
      EXPECT_EQ(result.exit_code, 2) << result.signal;
      EXPECT_THAT(result.err, HasSubstr("deep.json: nested deeper than 32 levels"));
    }
  }
}

}  // namespace
}  // namespace permguard::test
