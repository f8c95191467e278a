// SPDX-License-Identifier: Apache-2.0
// conf/prometheus as promtool and the catalogue see it, and the number of series it is made for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "report/pages.h"
#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"
#include "unit/report_snapshots.h"

namespace permguard {
namespace {

using testing::HasSubstr;

const std::string kFolder = PERMGUARD_SOURCE "/conf/prometheus/";

std::string contents(const std::string& name) {
  std::ifstream file(kFolder + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void expect_success(const std::vector<std::string>& command) {
  const test::ProcessResult result = test::run(command);
  EXPECT_TRUE(result.succeeded()) << result.out << result.err;
}

std::set<std::string> codes_named_by(const std::string& matcher) {
  const std::string rules = contents("permguard.rules.yml");
  std::set<std::string> patterns;
  const std::regex pattern(R"(\{code)" + matcher + R"re("([^"]*)"\})re");
  for (std::sregex_iterator each(rules.begin(), rules.end(), pattern), end; each != end; ++each) {
    patterns.insert((*each)[1]);
  }
  return patterns;
}

std::string joined(bool (*chosen)(Severity)) {
  std::string codes;
  for (const CodeInfo& row : catalogue()) {
    if (chosen(row.severity)) codes += (codes.empty() ? "" : "|") + std::string(row.name);
  }
  return codes;
}

/// A pattern with its codes in alphabetical order.
std::set<std::string> words(const std::string& pattern) {
  std::istringstream text(pattern);
  std::set<std::string> codes;
  for (std::string code; std::getline(text, code, '|');) codes.insert(code);
  return codes;
}

TEST(PrometheusRules, AreWhatPromtoolWants) {
  expect_success({"promtool", "check", "rules", kFolder + "permguard.rules.yml"});
  // promtool wants the files that it names.
  test::TempTree tree;
  ASSERT_TRUE(
      test::run({"cp", kFolder + "scrape.yml", kFolder + "permguard.rules.yml", tree.path("")})
          .succeeded());
  tree.write("permguard.key", "0123456789abcdef\n", 0600);
  expect_success({"promtool", "check", "config", tree.path("scrape.yml")});
}

TEST(PrometheusRules, AlertAsTheirTestsSay) {
  expect_success({"promtool", "test", "rules", kFolder + "permguard.test.yml"});
}

TEST(PrometheusRules, TheirTestsSeeASpoiledRule) {
  for (const auto& [good, bad] :
       std::vector<std::pair<std::string, std::string>>{{"for: 1m", "for: 10m"},
                                                        {"> 900", "> 90000"},
                                                        {"== 503", "== 500"},
                                                        {"directories > 0)", "directories < 0)"},
                                                        {"directories == 0", "directories == 2"},
                                                        {"\"} == 0", "\"} == 2"},
                                                        {"> 0.01", "> 0.5"},
                                                        {"for: 15m", "for: 1m"}}) {
    test::TempTree tree;
    std::string rules = contents("permguard.rules.yml");
    rules.replace(rules.find(good), good.size(), bad);
    tree.write("permguard.rules.yml", rules);
    const std::string tests = tree.write("permguard.test.yml", contents("permguard.test.yml"));
    EXPECT_FALSE(test::run({"promtool", "test", "rules", tests}).succeeded()) << bad;
  }
}

TEST(PrometheusRules, KnowTheSeverityOfEveryCode) {
  const std::string drift = joined([](Severity each) { return each == Severity::drift; });
  const std::string warning = joined([](Severity each) { return each == Severity::warning; });
  std::set<std::set<std::string>> listed;
  for (const std::string& pattern : codes_named_by("=~")) listed.insert(words(pattern));
  EXPECT_EQ(listed, (std::set<std::set<std::string>>{words(drift), words(warning)}));
  const std::set<std::string> others = codes_named_by("!~");
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(words(*others.begin()), words(drift + "|" + warning));
}

TEST(PrometheusRules, EveryAlertSaysWhatToDo) {
  const std::string rules = contents("permguard.rules.yml");
  const auto count = [&](const std::string& word) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = rules.find(word, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_GE(count("- alert:"), 6U);
  EXPECT_EQ(count("description:"), count("- alert:"));
  EXPECT_EQ(count("summary:"), count("- alert:"));
}

TEST(Cardinality, IsCountedOnThePageAndBoundByTheCatalogue) {
  test::TempTree tree;
  const std::string page =
      tree.write("page", status_metrics(samples::one_incident(), MetricsFormat::prometheus));
  const test::ProcessResult result =
      test::run({PERMGUARD_SOURCE "/scripts/cardinality", page, "10000"});
  ASSERT_TRUE(result.succeeded()) << result.err;
  EXPECT_THAT(result.out, HasSubstr("(2 x " + std::to_string(kCodeCount) + " codes x " +
                                    std::to_string(kRoleCount) + " roles)"));
  const std::string text = tree.read("page");
  const std::regex series("(^|\n)permguard_");
  const auto lines = std::distance(std::sregex_iterator(text.begin(), text.end(), series), {});
  EXPECT_TRUE(
      std::regex_search(result.out, std::regex("series per host +" + std::to_string(lines) + " ")))
      << result.out;
  EXPECT_FALSE(test::run({PERMGUARD_SOURCE "/scripts/cardinality", "/dev/null"}).succeeded());
}

}  // namespace
}  // namespace permguard
