// SPDX-License-Identifier: Apache-2.0
#include "report/puppet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/drift.h"
#include "support/fake_filesystem.h"

namespace permguard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Tag = AclEntry::Tag;

Change change(const std::string& path, unsigned before, unsigned after) {
  Change change;
  change.path = path;
  change.before.rights.mode = before;
  change.after.rights.mode = after;
  return change;
}

std::string manifest(const Change& change, std::span<const Finding> remaining = {}) {
  return puppet_manifest({&change, 1}, remaining, test::FakeNames());
}

TEST(Puppet, AModeIsAFileResource) {
  EXPECT_THAT(manifest(change("/srv/pay.cgi", 0644, 0755)),
              HasSubstr("file { '/srv/pay.cgi':\n  mode  => '0755',\n}\n"));
}

TEST(Puppet, QuotesAreEscaped) {
  EXPECT_THAT(manifest(change("/srv/it's.cgi", 0644, 0755)),
              HasSubstr(R"(file { '/srv/it\'s.cgi':)"));
}

TEST(Puppet, AnAclIsAGuardedExec) {
  Change acl = change("/home/ann", 0700, 0710);
  acl.after.rights.acl = Acl{{Tag::user_obj, 0, 7},
                             {Tag::user, 33, 1},
                             {Tag::group_obj, 0, 0},
                             {Tag::mask, 0, 1},
                             {Tag::other, 0, 0}};
  const std::string text = manifest(acl);
  EXPECT_THAT(text, HasSubstr("setfacl --set u::rwx,u:33:--x,g::---,m::--x,o::---"));
  EXPECT_LT(text.find("setfacl --set"), text.find("chmod 0")) << "the group gains the mask else";
  EXPECT_THAT(text, HasSubstr("unless   => "));
  EXPECT_THAT(text, Not(HasSubstr("file {")));
}

TEST(Puppet, StrangeNamesStayAscii) {
  const std::string text = manifest(change("/srv/a\n\xff'", 0644, 0755));
  EXPECT_THAT(text, HasSubstr(R"(\\057\\163\\162\\166)"));
  for (const char character : text) {
    EXPECT_TRUE(character == '\n' || (character >= 0x20 && character <= 0x7e));
  }
}

TEST(Puppet, WhatNoCommandRepairsIsAComment) {
  Finding finding;
  finding.code = Code::shebang_crlf;
  finding.path = "/srv/a\n}exec{'b'";
  finding.remedy.advice = "convert the line ends to LF";
  const std::string text = puppet_manifest({}, {&finding, 1}, test::FakeNames());
  EXPECT_THAT(text, HasSubstr("# not repaired: shebang-crlf /srv/a\\x0a}exec"));
  finding.remedy.advice = kDesiredStateFirst;
  EXPECT_THAT(puppet_manifest({}, {&finding, 1}, test::FakeNames()),
              HasSubstr("# to be seen again afterwards: shebang-crlf "));
}

}  // namespace
}  // namespace permguard
