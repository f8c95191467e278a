// SPDX-License-Identifier: Apache-2.0
#include "incidents/finding_record.h"

#include <gmock/gmock.h>

#include <memory>

#include "unit/shared_memory.h"

namespace permguard::shared {
namespace {

std::unique_ptr<FindingRecord> encoded(const Finding& finding, const Identity& who = www_data()) {
  auto record = std::make_unique<FindingRecord>();
  encode(finding, who, "example.org:80", *record);
  return record;
}

DecodedFinding round_trip(const Finding& finding, const Identity& who = www_data()) {
  return decode(encoded(finding, who)->bytes()).value();
}

Finding everything() {
  Finding finding = broken("/srv/a b/\x01\xff.cgi");
  finding.role = Role::wrapper_interpreter;
  finding.severity = Severity::warning;
  finding.certainty = Certainty::modelled;
  finding.need = Need::connect;
  finding.target = "/srv/target";
  finding.owner = "ann";
  finding.group = "staff";
  finding.entry_name = "bob";
  finding.detail = "detail";
  finding.decided_by = DecidedBy::mask;
  finding.decision = {true, DecidedBy::mask, 1001, 5, 4, DecidedBy::named_group, true};
  finding.remedy.steps.push_back({FixStep::Kind::setfacl, "/srv", 2, "u:www-data:x", true});
  finding.remedy.advice = "advice";
  return finding;
}

void expect_equal(const Finding& left, const Finding& right) {
  EXPECT_EQ(left.code, right.code);
  EXPECT_EQ(left.role, right.role);
  EXPECT_EQ(left.severity, right.severity);
  EXPECT_EQ(left.certainty, right.certainty);
  EXPECT_EQ(left.need, right.need);
  EXPECT_EQ(left.target, right.target);
  EXPECT_EQ(left.path, right.path);
  EXPECT_EQ(left.file, right.file);
  EXPECT_EQ(left.owner, right.owner);
  EXPECT_EQ(left.group, right.group);
  EXPECT_EQ(left.decided_by, right.decided_by);
  EXPECT_EQ(left.decision, right.decision);
  EXPECT_EQ(left.entry_name, right.entry_name);
  EXPECT_EQ(left.error, right.error);
  EXPECT_EQ(left.detail, right.detail);
  EXPECT_EQ(left.target_seen, right.target_seen);
  EXPECT_EQ(left.remedy, right.remedy);
}

TEST(FindingRecord, GivesBackEveryField) {
  Identity who{1001, 1002, {7, 33, 1002}, "ann", true, false};
  const DecodedFinding decoded = round_trip(everything(), who);
  expect_equal(decoded.finding, everything());
  EXPECT_EQ(decoded.who, who);
  EXPECT_EQ(decoded.vhost, "example.org:80");
}

TEST(FindingRecord, KeepsAFindingWithoutFileOrRemedy) {
  Finding finding = everything();
  finding.file.reset();
  finding.remedy = {};
  expect_equal(round_trip(finding).finding, finding);
}

TEST(FindingRecord, KeepsTheLongestPathsExactly) {
  Finding finding = everything();
  finding.target = "/" + std::string(kPathBytes - 1, 't');
  finding.path = "/" + std::string(kPathBytes - 1, 'p');
  finding.remedy = {{{FixStep::Kind::chmod, finding.path, 1, "a+x", false}}, ""};
  expect_equal(round_trip(finding).finding, finding);
}

TEST(FindingRecord, FitsWhenEverythingIsTooLong) {
  Finding finding = everything();
  const std::string huge(100'000, 'x');
  finding.target = finding.path = finding.owner = finding.group = huge;
  finding.entry_name = finding.detail = finding.remedy.advice = huge;
  finding.remedy.steps.assign(2,
                              {FixStep::Kind::chmod, '/' + std::string(4000, 'p'), 1, "a+x", true});
  Identity who = www_data();
  who.name = huge;
  for (gid_t group = 0; group < 5000; ++group) who.groups.push_back(group);
  const DecodedFinding decoded = round_trip(finding, who);
  EXPECT_EQ(decoded.finding.target.size(), kPathBytes);
  EXPECT_EQ(decoded.finding.detail.size(), kDetailBytes);
  EXPECT_EQ(decoded.finding.remedy.steps, finding.remedy.steps);
  EXPECT_EQ(decoded.who.name.size(), kNameBytes);
  EXPECT_EQ(decoded.who.groups.size(), kGroupsKept);
}

TEST(FindingRecord, HasRoomForTheMostARecordCanHold) {
  Finding finding = everything();
  finding.target = finding.path = std::string(kPathBytes, 'x');
  finding.owner = finding.group = finding.entry_name = std::string(kNameBytes, 'x');
  finding.detail = finding.remedy.advice = std::string(kDetailBytes, 'x');
  finding.remedy.steps = {
      {FixStep::Kind::chmod, '/' + std::string(kRemedyBytes - 20, 'p'), 1, "a+x", true}};
  Identity who = www_data();
  who.groups.assign(kGroupsKept, 5);
  who.name = std::string(kNameBytes, 'x');
  expect_equal(round_trip(finding, who).finding, finding);
}

TEST(FindingRecord, NeverKeepsHalfACommand) {
  Finding finding = everything();
  const std::string path(3000, 'p');
  finding.remedy = {{{FixStep::Kind::chmod, path, 1, "a+x", false},
                     {FixStep::Kind::chmod, path, 2, "a+x", false},
                     {FixStep::Kind::chmod, path, 3, "a+x", false}},
                    ""};
  const Remedy kept = round_trip(finding).finding.remedy;
  EXPECT_TRUE(kept.steps.empty());
  EXPECT_THAT(kept.advice, testing::HasSubstr("permguard explain"));
}

TEST(FindingRecord, RefusesBytesItDidNotWrite) {
  const auto record = encoded(everything());
  const std::string bytes(record->bytes());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode(bytes + "x"));
}

TEST(FindingRecord, DecodesNoImpossibleEnum) {
  const auto record = encoded(everything());
  for (std::size_t i = 0; i < record->size; ++i) {
    std::string bytes(record->bytes());
    bytes[i] = '\xff';
    if (const auto decoded = decode(bytes)) {
      EXPECT_LT(static_cast<std::size_t>(decoded->finding.code), kCodeCount);
      EXPECT_LT(static_cast<std::size_t>(decoded->finding.role), kRoleCount);
      EXPECT_LE(decoded->finding.decision.masked, DecidedBy::none);
    }
  }
}

TEST(FindingRecord, FingerprintTellsNewsFromAnotherTarget) {
  const Finding first = everything();
  Finding target = first;
  target.target = "/srv/other";
  Finding mode = first;
  mode.file->mode = 0600;
  EXPECT_EQ(encoded(first)->fingerprint, encoded(target)->fingerprint);
  EXPECT_NE(encoded(first)->fingerprint, encoded(mode)->fingerprint);
}

}  // namespace
}  // namespace permguard::shared
