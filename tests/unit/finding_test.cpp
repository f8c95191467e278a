// SPDX-License-Identifier: Apache-2.0
#include "core/finding.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

namespace permguard {
namespace {

TEST(Catalogue, RowsStandInTheOrderOfTheEnum) {
  ASSERT_EQ(catalogue().size(), kCodeCount);
  for (std::size_t i = 0; i < catalogue().size(); ++i) {
    EXPECT_EQ(catalogue()[i].code, static_cast<Code>(i));
    EXPECT_EQ(&info(static_cast<Code>(i)), &catalogue()[i]);
  }
}

TEST(Catalogue, NamesAreUniqueLowerCaseWordsAndLeadBack) {
  std::set<std::string> names;
  for (const CodeInfo& row : catalogue()) {
    const std::string name = name_of(row.code);
    EXPECT_TRUE(names.insert(name).second) << name;
    for (const char c : name) EXPECT_TRUE(std::islower(c) || c == '-') << name;
    EXPECT_EQ(code_from_name(name), row.code);
  }
}

TEST(Catalogue, EveryRowSaysCauseAndActionWithoutAFullStop) {
  for (const CodeInfo& row : catalogue()) {
    const std::string cause = row.cause;
    const std::string action = row.action;
    ASSERT_FALSE(cause.empty()) << row.name;
    ASSERT_FALSE(action.empty()) << row.name;
    EXPECT_NE(cause.back(), '.') << row.name;
    EXPECT_NE(action.back(), '.') << row.name;
    EXPECT_EQ(action.find("777"), std::string::npos) << row.name;
  }
}

TEST(Catalogue, SeveritiesAreThoseOfTheContract) {
  EXPECT_EQ(info(Code::not_executable).severity, Severity::error);
  EXPECT_EQ(info(Code::nosuid).severity, Severity::error);
  for (const Code risk :
       {Code::world_writable, Code::group_writable, Code::server_writable, Code::setuid,
        Code::setgid, Code::dir_world_writable, Code::not_listable}) {
    EXPECT_EQ(info(risk).severity, Severity::warning) << name_of(risk);
  }
  for (const Code drift :
       {Code::mode_drift, Code::owner_drift, Code::group_drift, Code::acl_drift, Code::missing}) {
    EXPECT_EQ(info(drift).severity, Severity::drift) << name_of(drift);
  }
}

TEST(Names, RolesAndNeedsLeadBack) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    EXPECT_TRUE(names.insert(name_of(role)).second);
    EXPECT_EQ(role_from_name(name_of(role)), role);
  }
  for (const Need need : {Need::execute, Need::read, Need::connect}) {
    EXPECT_EQ(need_from_name(name_of(need)), need);
  }
}

TEST(Names, UnknownOnesAreNotGuessed) {
  EXPECT_EQ(code_from_name(""), std::nullopt);
  EXPECT_EQ(code_from_name("not-executabl"), std::nullopt);
  EXPECT_EQ(code_from_name("Not-Executable"), std::nullopt);
  EXPECT_EQ(role_from_name("wrapper_interpreter"), std::nullopt);
  EXPECT_EQ(need_from_name("write"), std::nullopt);
}

TEST(Names, AreThePublicOnes) {
  EXPECT_STREQ(name_of(Role::wrapper_interpreter), "wrapper-interpreter");
  EXPECT_STREQ(name_of(Role::directory), "directory");
  EXPECT_STREQ(name_of(Severity::drift), "drift");
  EXPECT_STREQ(name_of(Certainty::modelled), "modelled");
  EXPECT_STREQ(name_of(FileType::regular), "regular");
  EXPECT_STREQ(name_of(FileType::character_device), "character-device");
  EXPECT_STREQ(name_of(FileType::unknown), "unknown");
  EXPECT_STREQ(name_of(DecidedBy::owner), "owner");
  EXPECT_STREQ(name_of(DecidedBy::named_group), "named-group");
  EXPECT_STREQ(name_of(DecidedBy::no_execute_bit), "no-execute-bit");
  EXPECT_STREQ(name_of(DecidedBy::none), "none");
}

}  // namespace
}  // namespace permguard
