// SPDX-License-Identifier: Apache-2.0
#include "core/shebang.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "core/interpreter.h"
#include "support/temp_tree.h"
#include "unit/exec_truth.h"

namespace permguard {
namespace {

using namespace std::string_literals;
using test::ExecTruth;
using test::execute;

/// A directory with an interpreter that prints its arguments, each in brackets.
class ShebangTest : public testing::Test {
 protected:
  /// The kernel's own reading of `body`.
  ExecTruth truth(const std::string& body) {
    script_ = tree_.write("script", body, 0755);
    return execute(script_, {script_});
  }

  /// The interpreter's path made `length` bytes long by slashes.
  std::string show(std::size_t length = 0) const {
    const std::size_t more = length > show_.size() ? length - show_.size() : 0;
    return std::string(more, '/') + show_;
  }

  /// What the interpreter prints if `line` is right.
  std::string expected(const Shebang& line) const {
    return (line.has_argument ? "[" + line.argument + "]" : "") + "[" + script_ + "]";
  }

  /// Compares the parser with the kernel on one file.
  void compare(const std::string& body) {
    const ShebangLine line = parse_shebang(body);
    const ExecTruth real = truth(body);
    if (line.end != ShebangEnd::complete) {
      EXPECT_NE(real.error, 0) << testing::PrintToString(body);
      EXPECT_EQ(real.error, line.end == ShebangEnd::none ? ENOEXEC : line.error)
          << testing::PrintToString(body);
      return;
    }
    const std::string& name = line.shebang.interpreter;
    if (name.substr(std::min(name.find_first_not_of('/'), name.size())) == show_.substr(1) &&
        name[0] == '/') {
      EXPECT_EQ(real.error, 0) << testing::PrintToString(body);
      EXPECT_EQ(real.output, expected(line.shebang)) << testing::PrintToString(body);
    } else {
      EXPECT_TRUE(real.error != 0 && real.error != ENOEXEC) << testing::PrintToString(body);
    }
  }

  test::TempTree tree_;
  std::string show_ =
      tree_.write("show", "#!/bin/sh\nfor word; do printf '[%s]' \"$word\"; done\n", 0755);
  std::string script_;
};

TEST_F(ShebangTest, SplitsNameAndOneArgument) {
  const ShebangLine line = parse_shebang("#! \t/bin/sh  -e  -u \t\nexit\n");
  EXPECT_EQ(line.end, ShebangEnd::complete);
  EXPECT_EQ(line.shebang.interpreter, "/bin/sh");
  EXPECT_TRUE(line.shebang.has_argument);
  EXPECT_EQ(line.shebang.argument, "-e  -u");
}

TEST_F(ShebangTest, NeedsBothBytesAtTheBeginning) {
  for (const std::string body : {"", "#", "!", " #!/bin/sh\n", "echo\n", "#\n!/bin/sh\n"}) {
    EXPECT_EQ(parse_shebang(body).end, ShebangEnd::none) << body;
  }
}

TEST_F(ShebangTest, LinesOfEveryKindAreReadAsTheKernelDoes) {
  for (const std::string& body : {"#!"s + show() + "\n",
                                  "#!"s + show(),
                                  "#! \t" + show() + " a b \t\n",
                                  "#!" + show() + "  ",
                                  "#!" + show() + " a  ",
                                  "#!" + show() + " \t\n",
                                  "#!" + show() + "\r\n",
                                  "#!" + show() + " -e\r\n",
                                  "#!" + show() + "\v\n",
                                  "#!" + show() + " \0tail\n"s,
                                  "#!" + show() + "\0 x\n"s,
                                  "#!" + show() + " a\0b c\n"s,
                                  "#!\0"s + show() + "\n",
                                  "#! \0"s + show() + "\n",
                                  "#!"s,
                                  "#!\n"s,
                                  "#!  \t\n"s,
                                  "#!  \t"s,
                                  "#!\n"s + show() + "\n",
                                  "echo\n"s,
                                  ""s}) {
    compare(body);
  }
}

TEST_F(ShebangTest, TheNameMustEndWithin256Bytes) {
  for (const std::string tail : {"\n", "", " ", "\t", " a\n", "\0", "a", " \n", "  a"}) {
    for (std::size_t length = 250; length <= 256; ++length) compare("#!" + show(length) + tail);
  }
  EXPECT_EQ(parse_shebang("#!" + show(253) + "\n").end, ShebangEnd::complete);
  EXPECT_EQ(parse_shebang("#!" + show(253) + " x").end, ShebangEnd::complete);
  EXPECT_EQ(parse_shebang("#!" + show(254) + "\n").end, ShebangEnd::unfinished);
  EXPECT_EQ(parse_shebang("#!" + show(254)).end, ShebangEnd::unfinished);
}

TEST_F(ShebangTest, TheArgumentIsCutAt256Bytes) {
  compare("#!" + show() + " " + std::string(300, 'a') + "\n");
  compare("#!" + show() + " " + std::string(150, 'a') + std::string(100, ' ') + "b\n");
  compare("#!" + std::string(300, ' ') + show() + "\n");
  compare("#!" + std::string(254, ' '));
  compare("#!" + std::string(253, ' '));
  compare("#!" + std::string(253, ' ') + "\n");
}

TEST_F(ShebangTest, RandomLinesAreReadAsTheKernelDoes) {
  std::mt19937 random(20240611);
  const std::vector<std::string> pieces = {" ",
                                           "\t",
                                           "\n",
                                           "\r",
                                           "\0"s,
                                           "#",
                                           "!",
                                           "-a",
                                           "\v",
                                           "é",
                                           show(),
                                           show(120),
                                           show(240),
                                           std::string(200, ' '),
                                           std::string(120, 'x'),
                                           "  \t "};
  for (int i = 0; i < 500; ++i) {
    std::string body = "#!";
    for (auto n = random() % 6; n > 0; --n) body += pieces[random() % pieces.size()];
    compare(body);
  }
}

TEST_F(ShebangTest, FiveScriptsInARowAreTheMost) {
  const std::string base = tree_.write("0", "#!/bin/echo\n", 0755);
  std::string last = base;
  for (unsigned depth = 2; depth <= kMaxInterpreterDepth + 1; ++depth) {
    last = tree_.write(std::to_string(depth), "#!" + last + "\n", 0755);
    EXPECT_EQ(execute(last, {last}).error, depth <= kMaxInterpreterDepth ? 0 : ELOOP) << depth;
  }
}

class ReadHeadTest : public ShebangTest {
 protected:
  /// The reading of `body`; its error must be the kernel's.
  FileHead read(const std::string& body) {
    const FileHead head = read_head(body, body.size(), Machine{}, nullptr);
    EXPECT_EQ(head.error, truth(body).error) << testing::PrintToString(body);
    return head;
  }
};

TEST_F(ReadHeadTest, NamesEachFault) {
  EXPECT_EQ(read("").fault, Code::empty_file);
  EXPECT_EQ(read("echo hello\n").fault, Code::no_shebang);
  EXPECT_EQ(read("\x89PNG\r\n\x1a\n").fault, Code::no_shebang);
  EXPECT_EQ(read("#!\n").fault, Code::no_shebang);
  EXPECT_EQ(read("#!").fault, Code::no_shebang);
  EXPECT_EQ(read("\xEF\xBB\xBF#!/bin/sh\n").fault, Code::bom_before_shebang);
  EXPECT_EQ(read("\xFF\xFE#\0!\0/\0"s).fault, Code::bom_before_shebang);
  EXPECT_EQ(read("\xFE\xFF\0#\0!\0/"s).fault, Code::bom_before_shebang);
  EXPECT_EQ(read("\xEF\xBB\xBF<?php\n").fault, Code::no_shebang);
  EXPECT_EQ(read("#!/bin/sh\r\necho\r\n").fault, Code::shebang_crlf);
  EXPECT_EQ(read("#!" + show(300) + "\n").fault, Code::shebang_too_long);
  EXPECT_EQ(read("#!" + show() + "\n").fault, std::nullopt);
  EXPECT_EQ(read("#!" + show() + " -e\r\n").fault, std::nullopt);
}

TEST_F(ReadHeadTest, AnInterpreterNamedWithCrIsFound) {
  tree_.symlink(show(), "show\r");
  const std::string body = "#!" + tree_.path("show") + "\r\n";
  EXPECT_EQ(read_head(body, body.size(), Machine{}, nullptr).shebang->interpreter,
            tree_.path("show\r"));
  EXPECT_EQ(truth(body).error, 0);
}

TEST_F(ReadHeadTest, SaysWhatTheFileBeginsWith) {
  EXPECT_EQ(read("echo hello\n").detail, "it begins with \"echo hello\"");
  EXPECT_EQ(read("\x1f\x8b\x08").detail, "it begins with the bytes 1f 8b 08");
}

TEST_F(ReadHeadTest, TellsTextFromBinary) {
  EXPECT_EQ(read("print('\xC3\xA4')\n\tx\n").format, Format::text);
  EXPECT_EQ(read("MZ\x90\0"s).format, Format::binary);
  EXPECT_EQ(read("#!" + show() + "\n\0"s).format, Format::shebang);
  EXPECT_EQ(read("\x7f"
                 "ELF")
                .format,
            Format::elf);
}

}  // namespace
}  // namespace permguard
