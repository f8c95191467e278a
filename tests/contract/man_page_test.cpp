// SPDX-License-Identifier: Apache-2.0
//
// permguard(1) says what the command does: commands and options against --help, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>

#include "support/process.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

constexpr const char* kPage = PERMGUARD_SOURCE "/mod_permguard/cli/permguard.1";

using Words = std::set<std::string>;

/// The page's source with its font changes and escaped hyphens taken out.
std::string page() {
  std::ifstream file(kPage, std::ios::binary);
  if (!file) throw std::runtime_error("no permguard.1");
  const std::string source{std::istreambuf_iterator<char>(file), {}};
  return std::regex_replace(std::regex_replace(source, std::regex(R"(\\f[IBRP])"), ""),
                            std::regex(R"(\\-)"), "-");
}

/// The part of the page from `begin` up to the next line that starts with `end`.
std::string part(const std::string& begin, const std::string& end) {
  const std::string text = page();
  const auto start = text.find("\n" + begin);
  if (start == std::string::npos) throw std::runtime_error("the page has no " + begin);
  return text.substr(start, text.find("\n" + end, start + 1) - start);
}

Words matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  Words found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), last; match != last;
       ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

std::string help(const std::vector<std::string>& command = {}) {
  std::vector<std::string> words = {PERMGUARD_BUILD "/permguard"};
  words.insert(words.end(), command.begin(), command.end());
  words.emplace_back("--help");
  return run(words).out;
}

Words commands() {
  const std::string text = help();
  return matches(text.substr(text.find("Subcommands:")), "\n  ([a-z]+) ");
}

Words options_of(const std::string& help_text) {
  return matches(help_text, "\n  (?:-[a-z],)?(--[a-z-]+)");
}

TEST(ManPage, HasEveryCommandAndNoOther) {
  EXPECT_EQ(commands().size(), 4U) << help();
  EXPECT_EQ(matches(part(".SH COMMANDS", ".SH"), "\n.TP\n.B ([a-z]+)\n"), commands());
  EXPECT_EQ(matches(part(".SH SYNOPSIS", ".SH"), "\n.SY permguard\n.B ([a-z]+)\n"), commands());
}

TEST(ManPage, HasEveryOptionOfEveryCommandAndNoOther) {
  Words all = options_of(help());
  for (const std::string& command : commands()) {
    Words known = options_of(help({command}));
    all.insert(known.begin(), known.end());
    known.erase("--help");
    EXPECT_EQ(matches(part(".SY permguard\n.B " + command + "\n", ".YS"), "(--[a-z-]+)"), known)
        << command;
  }
  EXPECT_EQ(matches(part(".SH OPTIONS", ".SH"), "\n.TP\n.BR? ?[IR]?[^\n]*?(--[a-z-]+)"), all);
}

TEST(ManPage, KnowsEveryFormat) {
  for (const char* command : {"explain", "audit", "fix"}) {
    const std::string text = help({command});
    const Words formats = matches(text.substr(text.find("--format")), "(?:written: |, )([a-z]+)");
    EXPECT_GE(formats.size(), 2U) << text;
    const std::string synopsis = part(std::string(".SY permguard\n.B ") + command + "\n", ".YS");
    const std::string last = synopsis.substr(synopsis.find("--format"));
    EXPECT_EQ(matches(last.substr(last.find("\n")), "(?:BR |\\| )([a-z]+)"), formats) << last;
  }
}

TEST(ManPage, IsFormattedWithoutAWarning) {
  ProcessOptions plain;
  plain.environment = {{"LC_ALL", "C.UTF-8"}, {"MANROFFSEQ", ""}, {"MANWIDTH", "80"}};
  const ProcessResult formatted =
      run({"man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", kPage}, plain);
  EXPECT_TRUE(formatted.succeeded());
  EXPECT_EQ(formatted.err, "");
  EXPECT_GT(formatted.out.size(), 1000U);
}

TEST(ManPage, IsInstalledWhereManLooks) {
  const ProcessResult script =
      run({"grep", "-r", "permguard.1\\|cli/", PERMGUARD_BUILD "/cmake_install.cmake"});
  EXPECT_THAT(script.out, testing::HasSubstr("share/man/man1"));
  EXPECT_THAT(help(), testing::HasSubstr("See permguard(1)."));
}

}  // namespace
}  // namespace permguard::test
