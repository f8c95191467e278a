// SPDX-License-Identifier: Apache-2.0
//
// The manual says what the program does: catalogue and metrics against MANUAL.md, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>

#include "core/finding.h"
#include "report/pages.h"
#include "tests/places.h"

namespace permguard {
namespace {

std::string read(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The part of the manual below `## title`.
std::string section(const std::string& title) {
  const std::string manual = read(PERMGUARD_SOURCE "/mod_permguard/MANUAL.md");
  const auto start = manual.find("\n## " + title + "\n");
  if (start == std::string::npos) throw std::runtime_error("the manual has no section " + title);
  return manual.substr(start, manual.find("\n## ", start + 1) - start);
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

TEST(Manual, HasTheRowOfEveryCode) {
  const std::string findings = section("Findings");
  for (const CodeInfo& code : catalogue()) {
    const std::string row = std::string("\n| `") + code.name + "` | " + name_of(code.severity) +
                            " | " + code.cause + " | " + code.action + " |\n";
    EXPECT_NE(findings.find(row), std::string::npos) << "missing or different:" << row;
  }
}

TEST(Manual, NamesNoCodeThatDoesNotExist) {
  const auto named = all_matches(section("Findings"), "\n\\| `([a-z-]+)` \\|");
  EXPECT_EQ(named.size(), kCodeCount);
  for (const std::string& name : named) EXPECT_TRUE(code_from_name(name)) << name;
}

TEST(Manual, NamesEveryRole) {
  const std::string findings = section("Findings");
  for (const char* role : {"script", "interpreter", "command", "loader", "socket", "wrapper",
                           "htaccess", "suexec", "directory"}) {
    EXPECT_TRUE(role_from_name(role)) << role;
    EXPECT_NE(findings.find("`" + std::string(role) + "`"), std::string::npos) << role;
  }
}

TEST(Manual, MetricsAreThoseThatAreServed) {
  const std::string served = status_metrics(StatusSnapshot{}, MetricsFormat::prometheus);
  EXPECT_EQ(all_matches(section("Metrics"), "\n\\| `(permguard_[a-z_]+)"),
            all_matches(served, "# TYPE (permguard_[a-z_]+) "));
}

TEST(Manual, AMissingFileFails) {
  EXPECT_THROW(read(PERMGUARD_SOURCE "/mod_permguard/NO_MANUAL.md"), std::runtime_error);
  EXPECT_THROW(section("No such section"), std::runtime_error);
}

}  // namespace
}  // namespace permguard
