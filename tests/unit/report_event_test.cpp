// SPDX-License-Identifier: Apache-2.0
#include "report/event.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "report/utf8.h"
#include "unit/report_samples.h"

namespace permguard {
namespace {

using nlohmann::json;
using samples::kNow;
using testing::EndsWith;
using testing::HasSubstr;

const EventContext kRequest{kNow, 4711, "/cgi-bin/pay.cgi", "192.0.2.7", 12, 4213, 61};

// Every line is one JSON object of bounded size, whatever it tells.
json parsed(const std::string& line) {
  EXPECT_LE(line.size(), kMaxEventLine);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(utf8_prefix(line), line.size());
  return json::parse(line);
}

json event_of(EventAction action, const Finding& finding = samples::not_executable(),
              const Identity& who = samples::www_data()) {
  return parsed(event_line(action, finding, who, kRequest));
}

TEST(Event, HasTheNamesOfTheSchema) {
  const json event = event_of(EventAction::finding);
  EXPECT_EQ(event["@timestamp"], "2023-11-05T10:00:00Z");
  EXPECT_EQ(event["event"]["action"], "finding");
  EXPECT_EQ(event["event"]["outcome"], "failure");
  EXPECT_EQ(event["log"]["level"], "error");
  EXPECT_EQ(event["message"],
            log_sentence(std::vector{samples::not_executable()}, samples::www_data(), kNow));
  EXPECT_EQ(event["file"]["path"], "/srv/www/cgi-bin/pay.cgi");
  EXPECT_EQ(event["file"]["mode"], "0644");
  EXPECT_EQ(event["file"]["owner"], "root");
  EXPECT_EQ(event["file"]["group"], "root");
  EXPECT_EQ(event["file"]["inode"], "131");
  EXPECT_EQ(event["file"]["ctime"], "2023-11-05T09:58:12Z");
  EXPECT_EQ(event["user"]["name"], "www-data");
  EXPECT_EQ(event["user"]["id"], "33");
  EXPECT_EQ(event["url"]["path"], "/cgi-bin/pay.cgi");
  EXPECT_EQ(event["client"]["address"], "192.0.2.7");
  EXPECT_EQ(event["process"]["pid"], 4711);
}

TEST(Event, HoldsTheFindingObject) {
  const json object = event_of(EventAction::finding)["permguard"];
  EXPECT_EQ(object["code"], "not-executable");
  EXPECT_EQ(object["target"], "/srv/www/cgi-bin/pay.cgi");
  EXPECT_EQ(object["fix"][0], "chmod a+x '/srv/www/cgi-bin/pay.cgi'");
  EXPECT_EQ(object["incident"], 12);
  EXPECT_FALSE(object.contains("truncated"));
  EXPECT_FALSE(object.contains("count"));
}

TEST(Event, RepetitionAndRecoveryCount) {
  const json repeat = event_of(EventAction::repeat);
  EXPECT_EQ(repeat["event"]["action"], "repeat");
  EXPECT_EQ(repeat["event"]["outcome"], "failure");
  EXPECT_EQ(repeat["permguard"]["count"], 4213);
  EXPECT_EQ(repeat["permguard"]["seconds"], 61);
  EXPECT_EQ(repeat["message"], repeat_sentence(samples::not_executable(), 4213, 61));
  const json recovered = event_of(EventAction::recovered);
  EXPECT_EQ(recovered["event"]["action"], "recovered");
  EXPECT_EQ(recovered["event"]["outcome"], "success");
  EXPECT_EQ(recovered["log"]["level"], "notice");
  EXPECT_EQ(recovered["message"], recovered_sentence(samples::not_executable(), 61, 4213));
}

TEST(Event, OfTheWatchHasNoRequest) {
  Finding drift = samples::not_executable();
  drift.code = Code::mode_drift;
  drift.severity = Severity::drift;
  const json event =
      parsed(event_line(EventAction::audit, drift, samples::www_data(), {.now = kNow}));
  EXPECT_EQ(event["event"]["action"], "audit");
  EXPECT_EQ(event["log"]["level"], "warn");
  EXPECT_FALSE(event.contains("url"));
  EXPECT_FALSE(event.contains("client"));
  EXPECT_FALSE(event["permguard"].contains("incident"));
}

TEST(Event, OfAMissingFileHasItsPathAlone) {
  Finding finding = samples::not_executable();
  finding.code = Code::not_found;
  finding.file.reset();
  const json file = event_of(EventAction::finding, finding)["file"];
  EXPECT_EQ(file, json({{"path", finding.path}}));
}

TEST(Event, ExonerationTellsStatusAndCause) {
  const json event = parsed(exonerated_event_line(samples::www_data(), Need::execute, "/srv/a.cgi",
                                                  500, FailureCause::no_headers, kRequest));
  EXPECT_EQ(event["event"]["action"], "exonerated");
  EXPECT_EQ(event["event"]["outcome"], "success");
  EXPECT_EQ(event["file"]["path"], "/srv/a.cgi");
  EXPECT_EQ(event["user"]["name"], "www-data");
  EXPECT_EQ(event["permguard"]["target"], "/srv/a.cgi");
  EXPECT_EQ(event["permguard"]["status"], 500);
  EXPECT_EQ(event["permguard"]["cause"], "no headers from the script");
  EXPECT_THAT(event["message"], HasSubstr("exonerated: www-data can execute '/srv/a.cgi'"));
}

TEST(Event, AuditTellsTheRun) {
  WatchView watch{"/srv/cgi", 120, true, {}, kNow, 0.5};
  json event = parsed(audit_event_line(watch, {.now = kNow}));
  EXPECT_EQ(event["event"]["action"], "audit");
  EXPECT_EQ(event["event"]["outcome"], "success");
  EXPECT_EQ(event["event"]["duration"], 500000000);
  EXPECT_EQ(event["log"]["level"], "info");
  EXPECT_EQ(event["permguard"]["directory"], "/srv/cgi");
  EXPECT_EQ(event["permguard"]["files"], 120);
  EXPECT_EQ(event["permguard"]["complete"], false);
  watch.findings.push_back({samples::not_executable(), samples::www_data()});
  event = parsed(audit_event_line(watch, {.now = kNow}));
  EXPECT_EQ(event["event"]["outcome"], "failure");
  EXPECT_EQ(event["permguard"]["findings"], 1);
}

TEST(Event, SaysWhatItCut) {
  Finding finding = samples::not_executable();
  finding.target = finding.path = "/begin/" + std::string(3000, 'x') + "/end";
  finding.remedy.steps = {samples::chmod("a+x", finding.path)};
  const json event = event_of(EventAction::finding, finding);
  EXPECT_EQ(event["permguard"]["truncated"], true);
  EXPECT_THAT(event["file"]["path"], testing::StartsWith("/begin/x"));
  EXPECT_THAT(event["file"]["path"], HasSubstr("x...x"));
  EXPECT_THAT(event["file"]["path"], EndsWith("x/end"));
  EXPECT_TRUE(event["permguard"]["fix"].empty()) << "never half a command";
  EXPECT_EQ(event["permguard"]["code"], "not-executable");
  EXPECT_EQ(event["permguard"]["file"]["mode"], "0644");
}

TEST(Event, DropsOnlyTheRepeatedSentenceWhereThatIsEnough) {
  Finding finding = samples::not_executable();
  finding.target = finding.path = "/" + std::string(520, 'x');
  finding.remedy.steps = {samples::chmod("a+x", finding.path)};
  const json event = event_of(EventAction::finding, finding);
  EXPECT_EQ(event["permguard"]["truncated"], true);
  EXPECT_FALSE(event["permguard"].contains("message"));
  EXPECT_EQ(event["file"]["path"], finding.path);
  EXPECT_EQ(event["permguard"]["fix"].size(), 1u);
}

TEST(Event, EmptiesALongListOfGroups) {
  Identity who = samples::www_data();
  for (gid_t group = 100000; group < 101000; ++group) who.groups.push_back(group);
  const json event = event_of(EventAction::finding, samples::not_executable(), who);
  EXPECT_EQ(event["permguard"]["truncated"], true);
  EXPECT_TRUE(event["permguard"]["user"]["groups"].empty());
  EXPECT_EQ(event["permguard"]["fix"].size(), 1u) << "a short one stays";
}

TEST(Event, KeepsExactBytesBesideReadableOnes) {
  Finding finding = samples::not_executable();
  finding.path = "/srv/\xff.cgi";
  const json event = event_of(EventAction::finding, finding);
  EXPECT_EQ(event["file"]["path"], "/srv/\xEF\xBF\xBD.cgi");
  EXPECT_EQ(event["permguard"]["path_base64"], base64(finding.path));
}

// An event of each kind in which all that comes from outside is `text`.
void expect_all_fit(const std::string& text) {
  Finding finding = samples::not_executable();
  finding.target = finding.path = finding.owner = finding.group = finding.detail = text;
  finding.remedy.steps = {samples::chmod("a+x", text), samples::chmod("a+x", text)};
  Identity who = samples::www_data();
  who.name = text;
  const EventContext context{kNow, 1, text, text, 1, 1, 1};
  parsed(event_line(EventAction::finding, finding, who, context));
  parsed(event_line(EventAction::recovered, finding, who, context));
  parsed(exonerated_event_line(who, Need::read, text, 500, FailureCause::other, context));
  parsed(audit_event_line({text, 1, false, {}, kNow, 0}, context));
}

std::string path_of(const std::string& atom, int times) {
  std::string path = "/";
  for (int i = 0; i < times; ++i) path += atom;
  return path;
}

TEST(Event, IsValidForEveryByte) {
  for (int byte = 1; byte < 256; ++byte) {
    expect_all_fit(path_of(std::string(1, static_cast<char>(byte)), 3));
  }
}

TEST(Event, FitsHoweverMuchItsTextGrowsInJson) {
  for (const char* atom : {"a", "\x01", "\x7f", "\"", "\\", "'", "\n", "\xff", "\xC3\xA4",
                           "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "a\xE2\x82"}) {
    for (const int times : {90, 400, 1300, 4096}) expect_all_fit(path_of(atom, times));
  }
}

}  // namespace
}  // namespace permguard
