// SPDX-License-Identifier: Apache-2.0
// Every document, in every state, as its readers take it: JSON Schema, promtool, OpenMetrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/json.h"
#include "report/pages.h"
#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"
#include "unit/report_snapshots.h"

namespace permguard {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

constexpr const char* kChecker = PERMGUARD_SOURCE "/tests/contract/check_document.py";
constexpr const char* kSchemas = PERMGUARD_SOURCE "/conf/schema";

/// Runs `command` with `input` as its standard input.
test::ProcessResult feed(const std::string& input, const std::string& command) {
  test::TempTree tree;
  const std::string file = tree.write("input", input);
  return test::run({"sh", "-c", command + " < " + file});
}

test::ProcessResult check_schema(const std::string& name, const std::vector<Json>& documents) {
  std::string lines;
  for (const Json& document : documents) lines += dump(document) + '\n';
  return feed(lines,
              std::string("/usr/bin/python3 ") + kChecker + " schema " + kSchemas + ' ' + name);
}

void expect_valid(const std::string& name, const std::vector<Json>& documents) {
  const test::ProcessResult result = check_schema(name, documents);
  EXPECT_TRUE(result.succeeded()) << result.out.substr(0, 4000) << result.err;
}

std::vector<Json> of_every_state(Json (*document)(const StatusSnapshot&)) {
  std::vector<Json> documents;
  for (const auto& state : samples::every_state()) documents.push_back(document(state.snapshot));
  return documents;
}

std::vector<Finding> one_of_each_code() {
  std::vector<Finding> findings;
  for (const CodeInfo& row : catalogue()) {
    for (std::size_t role = 0; role < kRoleCount; ++role) {
      findings.push_back(samples::of_code(row.code, static_cast<Role>(role), "/srv/www/\xff"));
    }
  }
  return findings;
}

TEST(Schemas, HoldForTheStatusInEveryState) {
  expect_valid("status", of_every_state(status_json));
}

TEST(Schemas, HoldForTheHealthInEveryState) {
  expect_valid("health", of_every_state(health_json));
}

TEST(Schemas, HoldForEveryFinding) {
  std::vector<Json> documents;
  for (const Finding& finding : one_of_each_code()) {
    documents.push_back(finding_json(finding, samples::www_data(), samples::kNow));
  }
  documents.push_back(finding_json(samples::search_denied(), samples::www_data(), samples::kNow));
  expect_valid("finding", documents);
}

TEST(Schemas, HoldForTheCommandsDocuments) {
  const std::vector<Unexamined> unexamined = {{"/root", 13}, {"/\xff", 40}};
  expect_valid("explain", {findings_document(samples::www_data(), 3, one_of_each_code(), unexamined,
                                             samples::kNow),
                           findings_document(samples::www_data(), 0, {}, {}, samples::kNow)});
}

TEST(Schemas, RefuseWhatIsWrong) {
  Json without = status_json(samples::one_incident());
  without["incidents"][0]["finding"].erase("errno");
  EXPECT_THAT(check_schema("status", {without}).out, HasSubstr("'errno' is a required property"));
  Json time = status_json(samples::one_incident());
  time["incidents"][0]["first_seen"] = "2023-11-05 09:56:48";
  EXPECT_THAT(check_schema("status", {time}).out, HasSubstr("$.incidents[0].first_seen"));
  Json mode = finding_json(samples::not_executable(), samples::www_data(), samples::kNow);
  mode["file"]["mode"] = 644;
  EXPECT_FALSE(check_schema("finding", {mode}).succeeded());
}

TEST(MetricsText, IsWhatPromtoolWants) {
  for (const auto& [name, snapshot] : samples::every_state()) {
    const test::ProcessResult result =
        feed(status_metrics(snapshot, MetricsFormat::prometheus), "promtool check metrics");
    EXPECT_TRUE(result.succeeded()) << name << result.out << result.err;
    EXPECT_EQ(result.out + result.err, "") << name;
  }
}

TEST(MetricsText, IsOpenMetrics) {
  const std::string command = std::string("/usr/bin/python3 ") + kChecker + " openmetrics";
  for (const auto& [name, snapshot] : samples::every_state()) {
    const test::ProcessResult result =
        feed(status_metrics(snapshot, MetricsFormat::openmetrics), command);
    EXPECT_TRUE(result.succeeded()) << name << result.err;
    EXPECT_THAT(result.out, HasSubstr("permguard_check_duration_seconds\n")) << name;
    EXPECT_THAT(result.out, HasSubstr("permguard_build\n")) << name;
  }
  EXPECT_FALSE(feed(status_metrics({}, MetricsFormat::prometheus), command).succeeded());
}

}  // namespace
}  // namespace permguard
