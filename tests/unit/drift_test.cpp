// SPDX-License-Identifier: Apache-2.0
#include "core/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_filesystem.h"

namespace permguard {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Tag = AclEntry::Tag;

const Acl kAcl = {{Tag::user_obj, 0, 7},
                  {Tag::user, 33, 5},
                  {Tag::group_obj, 0, 5},
                  {Tag::mask, 0, 5},
                  {Tag::other, 0, 0}};

class DriftTest : public ::testing::Test {
 protected:
  DriftTest() {
    names_.users[0] = "root";
    names_.users[33] = "www-data";
    names_.groups[0] = "root";
  }

  std::vector<std::string> codes(const DesiredState& desired, const ActualState& actual) const {
    std::vector<std::string> codes;
    for (const Finding& finding : drift_of(names_, "/a", actual, desired)) {
      EXPECT_EQ(finding.severity, Severity::drift);
      EXPECT_EQ(finding.remedy.steps.size(), 1U);
      codes.push_back(std::string(name_of(finding.code)) + "=" + finding.detail + "/" +
                      finding.remedy.steps[0].spec);
    }
    return codes;
  }

  static ActualState actual(unsigned mode, std::optional<Acl> acl = {}) {
    ActualState state{"/a", {}, std::move(acl)};
    state.file.mode = mode;
    state.file.type = FileType::regular;
    return state;
  }

  test::FakeNames names_;
};

TEST_F(DriftTest, WhatIsNotGivenDoesNotMatter) {
  EXPECT_THAT(codes({}, actual(0777)), IsEmpty());
}

/// Whoever owned it may have written it, and would become the new owner when it runs.
TEST_F(DriftTest, NoCommandGivesASetIdBitTogetherWithItsOwner) {
  ActualState tenants = actual(04755);
  tenants.file.uid = 33;
  for (const DesiredState& desired :
       {DesiredState{04755, 0, 0, {}}, DesiredState{02755, 0, 7, {}}}) {
    const auto findings = drift_of(names_, "/a", tenants, desired);
    ASSERT_FALSE(findings.empty());
    for (const Finding& finding : findings) {
      EXPECT_TRUE(finding.remedy.steps.empty());
      EXPECT_THAT(finding.remedy.advice, ::testing::HasSubstr("put the program back"));
    }
  }
  EXPECT_FALSE(drift_of(names_, "/a", tenants, {0755, 0, 0, {}})[0].remedy.steps.empty());
  EXPECT_FALSE(drift_of(names_, "/a", actual(0755), {04755, 0, 0, {}})[0].remedy.steps.empty());
  tenants.file.type = FileType::directory;
  EXPECT_FALSE(drift_of(names_, "/a", tenants, {02755, 0, 7, {}})[0].remedy.steps.empty());
}

TEST_F(DriftTest, ModeOwnerAndGroup) {
  DesiredState desired{0755, 33, 5, {}};
  EXPECT_THAT(
      codes(desired, actual(02644)),
      ElementsAre("owner-drift=www-data/www-data", "group-drift=#5/:5", "mode-drift=0755/0755"));
}

TEST_F(DriftTest, TheAclSpeaksForTheGroupDigit) {
  DesiredState desired{0755, {}, {}, std::optional<Acl>(kAcl)};
  EXPECT_THAT(codes(desired, actual(0755, kAcl)), IsEmpty());
  Acl other = kAcl;
  other[3].perms = 7;
  EXPECT_THAT(codes(desired, actual(0775, other)),
              ElementsAre("acl-drift=u::rwx,u:www-data:r-x,g::r-x,m::r-x,o::---/"
                          "u::rwx,u:www-data:r-x,g::r-x,m::r-x,o::---"));
}

TEST_F(DriftTest, AnAclThatShouldNotBeThere) {
  DesiredState desired{{}, {}, {}, std::optional<Acl>()};
  EXPECT_THAT(codes(desired, actual(0755, kAcl)), ElementsAre("acl-drift=none/"));
  desired.mode = 0750;
  EXPECT_THAT(codes(desired, actual(0770, kAcl)), ElementsAre("acl-drift=none/"));
  desired.mode = 0700;
  EXPECT_THAT(codes(desired, actual(0750, kAcl)),
              ElementsAre("acl-drift=none/", "mode-drift=0700/0700"));
}

TEST_F(DriftTest, ADefaultAclIsComparedToo) {
  ActualState now = actual(0755);
  now.default_acl = kAcl;
  DesiredState desired{{}, {}, {}, std::optional<Acl>(), std::optional<Acl>(kAcl)};
  EXPECT_THAT(codes(desired, now), IsEmpty());
  EXPECT_THAT(codes(desired, actual(0755)),
              ElementsAre("acl-drift=d:u::rwx,d:u:www-data:r-x,d:g::r-x,d:m::r-x,d:o::---/"
                          "d:u::rwx,d:u:www-data:r-x,d:g::r-x,d:m::r-x,d:o::---"));
  desired.default_acl = std::optional<Acl>();
  EXPECT_THAT(codes(desired, now), ElementsAre("acl-drift=none/d:"));
}

TEST(AclText, PairsRoundTrip) {
  const auto nobody = [](Tag, std::string_view) { return std::optional<std::uint32_t>(); };
  for (const AclPair& pair :
       {AclPair{}, AclPair{kAcl, {}}, AclPair{{}, kAcl}, AclPair{kAcl, kAcl}}) {
    const auto parsed = parse_acl_pair(acl_pair_text(pair), nobody);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->access, pair.access);
    EXPECT_EQ(parsed->fallback, pair.fallback);
  }
  EXPECT_FALSE(parse_acl_pair("u::rwx,d:q::r", nobody));
}

TEST(AclText, RoundTrips) {
  const auto nobody = [](Tag, std::string_view) { return std::optional<std::uint32_t>(); };
  EXPECT_EQ(acl_text(kAcl), "u::rwx,u:33:r-x,g::r-x,m::r-x,o::---");
  EXPECT_EQ(parse_acl_text(acl_text(kAcl), nobody), kAcl);
  const auto known = [](Tag tag, std::string_view name) {
    return tag == Tag::user && name == "www-data" ? std::optional<std::uint32_t>(33) : std::nullopt;
  };
  EXPECT_EQ(parse_acl_text("g::r-x,u:www-data:r-x,o::---,u::rwx,m::r-x", known), kAcl);
  EXPECT_EQ(parse_acl_text("u:www-data:r-x", nobody), std::nullopt);
  for (const char* bad : {"u", "u:33", "q::r", "m:33:r", "u::z"}) {
    EXPECT_EQ(parse_acl_text(bad, known), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace permguard
