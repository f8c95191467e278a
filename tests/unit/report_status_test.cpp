// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "incidents/standing.h"
#include "report/html_text.h"
#include "report/json.h"
#include "report/pages.h"
#include "unit/report_snapshots.h"

namespace permguard {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Health, FailsForErrorsAndWarnsForRiskAndDrift) {
  EXPECT_EQ(health_of(samples::healthy()), Health::pass);
  EXPECT_EQ(health_of(samples::one_incident()), Health::fail);
  EXPECT_EQ(health_of(samples::recovered()), Health::pass);
  EXPECT_EQ(health_of(samples::drift()), Health::warn);
  StatusSnapshot both = samples::drift();
  both.watch[0].findings.push_back({samples::not_executable(), samples::www_data()});
  EXPECT_EQ(health_of(both), Health::fail);
  StatusSnapshot risk = samples::one_incident();
  risk.incidents[0].finding.severity = Severity::warning;
  EXPECT_EQ(health_of(risk), Health::warn);
}

TEST(Tally, WaitsForTheDirectoryThatWaitsLongest) {
  StatusSnapshot snapshot = samples::healthy();
  EXPECT_EQ(tally_of(snapshot).watch_last_run, samples::kNow - 12);
  snapshot.watch.push_back({"/older", 3, false, {}, 77, 0.5});
  snapshot.watch.push_back({"/never", 0, false, {}, 0, 0});
  EXPECT_EQ(tally_of(snapshot).watch_last_run, 77);
  EXPECT_EQ(tally_of(snapshot).watch_files, 45U);
}

TEST(StatusJson, HasWhatTheContractNames) {
  const auto json = status_json(samples::one_incident());
  EXPECT_EQ(json.at("schema"), 1);
  EXPECT_EQ(json.at("health"), "fail");
  EXPECT_EQ(json.at("server").at("version"), "0.1.0");
  EXPECT_EQ(json.at("server").at("generation"), 2);
  EXPECT_EQ(json.at("server").at("vhosts").at(0).at("mode"), "enforce");
  EXPECT_EQ(json.at("counters").at("checks").at("cgi").at("blocked"), 4213);
  EXPECT_EQ(json.at("counters").at("findings").dump(),
            R"([{"code":"not-executable","role":"script","count":4213}])");
  const auto& incident = json.at("incidents").at(0);
  EXPECT_EQ(incident.at("id"), 1);
  EXPECT_EQ(incident.at("finding").at("code"), "not-executable");
  EXPECT_EQ(incident.at("count"), 4213);
  EXPECT_EQ(incident.at("first_seen"), "2023-11-05T09:56:48Z");
  EXPECT_TRUE(incident.at("open").get<bool>());
  EXPECT_FALSE(incident.contains("closed"));
  EXPECT_EQ(json.at("watch").at(0).at("directory"), "/srv/www/cgi-bin");
  EXPECT_EQ(json.at("watch").at(0).at("duration_seconds"), 0.0042);
}

TEST(StatusJson, AWatchThatNeverRanHasNoTime) {
  EXPECT_TRUE(status_json(samples::drift()).at("watch").at(1).at("last_run").is_null());
}

TEST(StatusJson, IsJsonWhateverTheNames) {
  for (const auto& [name, snapshot] : samples::every_state()) {
    EXPECT_TRUE(nlohmann::json::accept(dump(status_json(snapshot)))) << name;
    EXPECT_TRUE(nlohmann::json::accept(dump(health_json(snapshot)))) << name;
  }
}

TEST(HealthJson, TellsNoPath) {
  const auto json = health_json(samples::one_incident());
  EXPECT_EQ(json.at("status"), "fail");
  EXPECT_EQ(json.at("notes").size(), 1U);
  EXPECT_EQ(json.at("checks").at("incidents:errors").at(0).at("observedValue"), 1);
  EXPECT_EQ(json.at("checks").at("watch:errors").at(0).at("status"), "pass");
  for (const auto& [name, snapshot] : samples::every_state()) {
    EXPECT_THAT(dump(health_json(snapshot)), Not(HasSubstr("/srv"))) << name;
  }
}

TEST(StatusAuto, IsLinesOfKeyAndValue) {
  const std::string text = status_auto(samples::one_incident());
  EXPECT_THAT(text, testing::StartsWith("PermGuardVersion: 0.1.0\nPermGuardHealth: fail\n"
                                        "PermGuardUptime: 273600\n"));
  EXPECT_THAT(text, HasSubstr("\nPermGuardIncidentsOpen: 1\n"));
  EXPECT_THAT(text, HasSubstr("\nPermGuardChecksCgiBlocked: 4213\n"));
  EXPECT_THAT(text, HasSubstr("\nPermGuardExoneratedOther: 0\n"));
}

TEST(StatusSection, StandsInModStatusPage) {
  const std::string html = status_section(samples::one_incident(), true);
  EXPECT_THAT(html, HasSubstr("<h2>mod_permguard 0.1.0</h2>"));
  EXPECT_THAT(html, HasSubstr("Checks: blocked</th><td>4213</td>"));
}

TEST(StatusSection, HasNoTableWhereNoneIsWanted) {
  const std::string html = status_section(samples::one_incident(), false);
  EXPECT_THAT(html, Not(HasSubstr("<t")));
  EXPECT_THAT(html, HasSubstr("<dt>Checks: blocked: 4213</dt>"));
}

TEST(Repaired, IsWhatTheWatchFoundBeforeTheIncidentClosed) {
  StatusSnapshot snapshot = samples::recovered();
  const Finding found = snapshot.incidents[0].finding;
  snapshot.watch[0].findings = {{found, samples::www_data()},
                                {samples::search_denied(), samples::www_data()}};
  snapshot.watch.push_back(snapshot.watch[0]);
  snapshot.watch[0].last_run = snapshot.incidents[0].closed;
  snapshot.watch[1].last_run = snapshot.incidents[0].closed + 1;  // broken again
  drop_repaired(snapshot);
  EXPECT_EQ(snapshot.watch[0].findings.size(), 1U);
  EXPECT_EQ(snapshot.watch[1].findings.size(), 2U);
}

TEST(Repaired, IsNothingThatStandsAgain) {
  StatusSnapshot snapshot = samples::recovered();
  snapshot.incidents.push_back(samples::one_incident().incidents[0]);
  snapshot.watch[0].findings = {{snapshot.incidents[0].finding, samples::www_data()}};
  drop_repaired(snapshot);
  EXPECT_EQ(snapshot.watch[0].findings.size(), 1U);
}

TEST(HtmlText, EscapesMarkup) {
  EXPECT_EQ(html_visible("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  EXPECT_EQ(html_exact("<\"'&>"), "&lt;&quot;&#39;&amp;&gt;");
}

TEST(HtmlText, ShowsWhatCannotBeSeen) {
  EXPECT_EQ(html_visible("a\nb\x7f"), "a\u240Ab\u2421");
  EXPECT_EQ(html_visible("x\u202Egpj"), "x[U+202E]gpj");
  EXPECT_EQ(html_visible("\u0085\u00AD\u200B\uFEFF"), "[U+0085][U+00AD][U+200B][U+FEFF]");
  EXPECT_EQ(html_visible("caf\u00e9 \U0001F600\xff"), "caf\u00e9 \U0001F600\uFFFD");
}

TEST(HtmlText, KeepsTheExactTextForCopying) {
  EXPECT_EQ(html_exact("a\r\nb\u202E"), "a&#13;&#10;b\u202E");
}

}  // namespace
}  // namespace permguard
