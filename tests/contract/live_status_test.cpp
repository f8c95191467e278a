// SPDX-License-Identifier: Apache-2.0
//
// Every view of the running status handler, in every state, as its readers take it: JSON Schema,
// promtool, an OpenMetrics parser; with the headers that Prometheus sends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "support/status_states.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kChecker = PERMGUARD_SOURCE "/tests/contract/check_document.py";
constexpr const char* kSchemas = PERMGUARD_SOURCE "/conf/schema";
// Prometheus 2.42 (Debian 12), 2.53 and 3.1: scrape/scrape.go, common/expfmt.
constexpr const char* kAccept242 =
    "Accept: application/openmetrics-text;version=1.0.0,"
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
constexpr const char* kAccept253 =
    "Accept: application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
constexpr const char* kAccept31 =
    "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
    "*/*;q=0.2";

void expect_accepted(const std::string& document, const std::string& command,
                     const std::string& state) {
  TempTree tree;
  const std::string file = tree.write("input", document);
  const ProcessResult result = run({"sh", "-c", command + " < " + file});
  EXPECT_TRUE(result.succeeded()) << state << ": " << result.out.substr(0, 2000) << result.err;
}

std::set<std::string> members(const json& object) {
  std::set<std::string> names;
  for (const auto& [name, value] : object.items()) names.insert(name);
  return names;
}

std::string expected_health(StatusState state) {
  if (state == StatusState::healthy || state == StatusState::recovered) return "pass";
  return state == StatusState::drift ? "warn" : "fail";
}

class LiveStatus : public testing::TestWithParam<StatusState> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, so that mode 0644 is all that is wrong";
    server_ = server_in(GetParam());
  }
  HttpResponse get(const std::string& view, std::vector<std::string> headers = {}) const {
    return server_->request("GET", "/permguard-status?" + view, std::move(headers));
  }
  void expect_json_of_the_contract() const;
  void expect_health_of_the_contract() const;
  void expect_metrics_of_the_contract() const;
  void expect_lines() const;

  std::unique_ptr<HttpdServer> server_;
};

void LiveStatus::expect_json_of_the_contract() const {
  const HttpResponse answer = get("json");
  expect_accepted(answer.body,
                  std::string("/usr/bin/python3 ") + kChecker + " schema " + kSchemas + " status",
                  name_of(GetParam()));
  const json status = json::parse(answer.body);
  EXPECT_EQ(members(status), (std::set<std::string>{"schema", "server", "health", "counters",
                                                    "incidents", "watch"}));
  EXPECT_EQ(members(status["server"]),
            (std::set<std::string>{"version", "started", "generation", "vhosts"}));
  EXPECT_EQ(status["health"], expected_health(GetParam()));
  for (const json& incident : status["incidents"]) {
    std::set<std::string> wanted = {"id",        "finding", "count", "first_seen",
                                    "last_seen", "open",    "vhost"};
    if (incident["open"] == false) wanted.insert("closed");
    EXPECT_EQ(members(incident), wanted);
  }
  for (const json& watch : status["watch"]) {
    EXPECT_EQ(members(watch), (std::set<std::string>{"directory", "files", "truncated", "findings",
                                                     "last_run", "duration_seconds"}));
    EXPECT_EQ(watch["directory"], server_->tree().path("cgi-bin"));
  }
}

void LiveStatus::expect_health_of_the_contract() const {
  const HttpResponse answer = get("health");
  EXPECT_EQ(answer.status, 200);
  expect_accepted(answer.body,
                  std::string("/usr/bin/python3 ") + kChecker + " schema " + kSchemas + " health",
                  name_of(GetParam()));
  EXPECT_EQ(json::parse(answer.body)["status"], expected_health(GetParam()));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr(server_->tree().root())));
}

void LiveStatus::expect_metrics_of_the_contract() const {
  const HttpResponse plain = get("openmetrics");
  EXPECT_THAT(plain.header("Content-Type"), HasSubstr("text/plain; version=0.0.4"));
  expect_accepted(plain.body, "promtool check metrics", name_of(GetParam()));
  for (const char* accept : {kAccept242, kAccept253, kAccept31}) {
    const HttpResponse open = get("openmetrics=", {accept});
    EXPECT_THAT(open.header("Content-Type"),
                HasSubstr("application/openmetrics-text; version=1.0.0"));
    expect_accepted(open.body, std::string("/usr/bin/python3 ") + kChecker + " openmetrics",
                    name_of(GetParam()));
  }
  EXPECT_THAT(plain.body, testing::Not(HasSubstr(server_->tree().root())));
}

void LiveStatus::expect_lines() const {
  const HttpResponse answer = get("auto");
  EXPECT_THAT(answer.body, testing::StartsWith("PermGuardVersion: "));
  EXPECT_THAT(answer.body, HasSubstr("\nPermGuardHealth: " + expected_health(GetParam()) + "\n"));
  EXPECT_THAT(answer.body, testing::Not(testing::ContainsRegex("(^|\n)[^:\n]*\n")));
}

TEST_P(LiveStatus, IsWhatItsReadersTake) {
  expect_json_of_the_contract();
  expect_health_of_the_contract();
  expect_metrics_of_the_contract();
  expect_lines();
  EXPECT_NE(get("").body.find("</html>"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(States, LiveStatus, testing::ValuesIn(kStatusStates),
                         [](const auto& state) {
                           std::string name = name_of(state.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

/// Watch, request, repair: the health follows at once, whoever saw it.
TEST(LiveHealth, FollowsARepairBeforeTheNextRunOfTheWatch) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, so that mode 0644 is all that is wrong";
  const auto server = server_in(StatusState::watched);
  const auto health = [&] {
    return json::parse(server->get("/permguard-status?health").body)["status"];
  };
  EXPECT_EQ(health(), "fail");
  server->configure("PermGuardWatchInterval 3600\nPermGuardIncidents 1024\nPermGuardHealth fail\n");
  server->graceful();
  EXPECT_EQ(server->get("/permguard-status?health").status, 503);
  server->tree().chmod("cgi-bin/pay.cgi", 0755);
  EXPECT_EQ(server->get("/cgi-bin/pay.cgi").status, 200);
  EXPECT_EQ(server->get("/permguard-status?health").status, 200);
  EXPECT_EQ(health(), "pass");
}

TEST(LiveHealth, ForgetsAWatchThatIsSwitchedOff) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, so that mode 0644 is all that is wrong";
  const auto server = server_in(StatusState::watched);
  server->configure("PermGuardWatchInterval 0\nPermGuardIncidents 1024\n");
  server->graceful();
  EXPECT_EQ(json::parse(server->get("/permguard-status?json").body)["watch"], json::array());
}

}  // namespace
}  // namespace permguard::test
