// SPDX-License-Identifier: Apache-2.0
#include "core/binfmt_misc.h"

#include <gtest/gtest.h>

#include "support/process.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using namespace std::string_literals;

TEST(BinfmtEntry, ReadsAMagic) {
  const auto entry = parse_binfmt_entry("qemu-arm",
                                        "enabled\ninterpreter /usr/bin/qemu-arm\nflags: OCF\n"
                                        "offset 4\nmagic 7f454c46\nmask fffffff0\n");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->name, "qemu-arm");
  EXPECT_EQ(entry->interpreter, "/usr/bin/qemu-arm");
  EXPECT_TRUE(entry->enabled);
  EXPECT_TRUE(entry->keeps_open);
  EXPECT_FALSE(entry->by_extension);
  EXPECT_EQ(entry->offset, 4U);
  EXPECT_EQ(entry->magic,
            "\x7f"
            "ELF");
  EXPECT_EQ(entry->mask, "\xff\xff\xff\xf0");
}

TEST(BinfmtEntry, ReadsAnExtension) {
  const auto entry =
      parse_binfmt_entry("py", "disabled\ninterpreter /usr/bin/python3\nflags: \nextension .py\n");
  ASSERT_TRUE(entry);
  EXPECT_FALSE(entry->enabled);
  EXPECT_FALSE(entry->keeps_open);
  EXPECT_TRUE(entry->by_extension);
  EXPECT_EQ(entry->magic, "py");
}

TEST(BinfmtEntry, RefusesWhatIsNone) {
  const std::string head = "enabled\ninterpreter /x\nflags: \n";
  for (const std::string& text :
       {""s, "enabled\n"s, "disabled\n"s, head, head + "offset 0\n", head + "offset x\nmagic 41\n",
        head + "offset 0\nmagic \n", head + "offset 0\nmagic 4\n", head + "offset 0\nmagic 4g\n",
        head + "offset 0\nmagic 4141\nmask ff\n", head + "extension .\n",
        "enabled\nflags: \nextension .py\n"s, "enabledinterpreter /x\nflags: \nextension .py\n"s}) {
    EXPECT_FALSE(parse_binfmt_entry("name", text)) << text;
  }
}

/// A registration as the kernel prints it, and what it does, in a user namespace of its own
/// (Linux 6.7 gives each its own list).
class BinfmtTruthTest : public testing::Test {
 protected:
  /// Runs `commands` in a shell whose $B is a mounted binfmt_misc; skips where that cannot be.
  std::string in_namespace(const std::string& commands) {
    const std::string directory = tree_.mkdir("binfmt_misc");
    const test::ProcessResult result =
        test::run({"unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                   "B=$1; cd \"$2\"; mount -t binfmt_misc none \"$B\" || exit 99; " + commands,
                   "sh", directory, tree_.root()});
    mounted_ = result.exit_code != 99 && result.exit_code != 1;
    return result.out;
  }

  static bool takes(const std::string& entry_text, const std::string& path,
                    const std::string& head) {
    const auto entry = parse_binfmt_entry("name", entry_text);
    EXPECT_TRUE(entry) << entry_text;
    const BinfmtMisc registered{BinfmtMisc::State::readable, {entry.value_or(BinfmtEntry{})}};
    return registered.match(path, head) != nullptr;
  }

  /// Registers `entry` and compares, for each file, what the kernel does with what match() says.
  void compare(const std::string& entry,
               const std::vector<std::pair<std::string, std::string>>& files) {
    std::string commands = "printf '%s' '" + entry + "' >$B/register || exit 98; cat $B/pg; ";
    for (const auto& [path, body] : files) {
      tree_.write(path, body, 0755);
      commands += "echo; env './" + path + "' 2>&1 | head -n 1 | tr -d '\\0'; ";
    }
    const std::string out = in_namespace(commands + "exit 0");
    if (!mounted_) GTEST_SKIP() << "binfmt_misc cannot be mounted in a user namespace here";
    std::size_t at = out.find("\n\n");
    ASSERT_NE(at, std::string::npos) << out;
    const std::string text = out.substr(0, at + 1);
    for (const auto& [path, body] : files) {
      at = out.find('\n', at + 1);
      const std::string line = out.substr(at + 1, out.find('\n', at + 1) - at - 1);
      EXPECT_EQ(line == "./" + path, takes(text, "./" + path, body)) << path << ": " << line;
      at = out.find('\n', at + 1);
    }
  }

  test::TempTree tree_;
  bool mounted_ = false;
};

TEST_F(BinfmtTruthTest, ExtensionsFollowTheLastDotOfThePath) {
  compare(":pg:E::pg::/bin/echo:", {{"a.pg", "x"},
                                    {"a.pg.txt", "x"},
                                    {"apg", "x"},
                                    {"a.PG", "x"},
                                    {"dir.pg/a", "x"},
                                    {".pg", "x"},
                                    {"b.pg", "#!/bin/false\n"}});
}

TEST_F(BinfmtTruthTest, MagicIsComparedUnderItsMask) {
  compare(":pg:M:4:\\x41\\x42:\\xff\\x0f:/bin/echo:",
          {{"same", "....AB"}, {"masked", "....AR"}, {"other", "....BB"}, {"short", "....A"}});
}

TEST_F(BinfmtTruthTest, BytesBeyondTheEndAreNul) {
  compare(":pg:M:2:Z\\x00\\x00::/bin/echo:",
          {{"none", "..Z"}, {"one", "..Z\0"s}, {"three", "..Z\0\0\0"s}, {"other", "..Z\0x"s}});
}

TEST_F(BinfmtTruthTest, DisabledEntriesAreLeftOut) {
  const std::string out = in_namespace(
      "printf '%s' ':pg:E::pg::/bin/echo:' >$B/register; echo 0 >$B/pg; cat $B/pg; exit 0");
  if (!mounted_) GTEST_SKIP() << "binfmt_misc cannot be mounted in a user namespace here";
  EXPECT_FALSE(takes(out, "a.pg", "x"));
}

}  // namespace
}  // namespace permguard
