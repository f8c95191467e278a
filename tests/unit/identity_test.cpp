// SPDX-License-Identifier: Apache-2.0
#include "core/identity.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "support/real_acl.h"

namespace permguard {
namespace {

constexpr uid_t kUnknownUid = 3999999;

TEST(Identity, BelongsToItsPrimaryAndSupplementaryGroups) {
  const Identity who{.uid = 5, .gid = 10, .groups = {20, 30}};
  EXPECT_TRUE(who.in_group(10));
  EXPECT_TRUE(who.in_group(30));
  EXPECT_FALSE(who.in_group(5));
  EXPECT_FALSE(Identity{}.in_group(1));
}

TEST(LookupIdentity, FindsAUserByNameAndByNumber) {
  const Result<Identity> by_name = lookup_identity("www-data");
  ASSERT_TRUE(by_name) << by_name.error;
  EXPECT_EQ(by_name.value.name, "www-data");
  EXPECT_EQ(by_name.value.uid, getpwnam("www-data")->pw_uid);
  EXPECT_TRUE(by_name.value.in_group(getpwnam("www-data")->pw_gid));
  EXPECT_FALSE(by_name.value.dac_override);
  EXPECT_FALSE(by_name.value.dac_read_search);

  const std::string number = std::to_string(by_name.value.uid);
  EXPECT_EQ(lookup_identity("#" + number).value, by_name.value);
  EXPECT_EQ(lookup_identity(number).value, by_name.value);
}

TEST(LookupIdentity, RootHasBothCapabilities) {
  const Result<Identity> root = lookup_identity("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root.value.uid, 0U);
  EXPECT_TRUE(root.value.dac_override);
  EXPECT_TRUE(root.value.dac_read_search);
}

TEST(LookupIdentity, AGroupReplacesThePrimaryOne) {
  const gid_t daemon = getpwnam("daemon")->pw_gid;
  const gid_t own = getpwnam("www-data")->pw_gid;
  for (const std::string& group :
       {std::string("daemon"), "#" + std::to_string(daemon), std::to_string(daemon)}) {
    const Result<Identity> who = lookup_identity("www-data:" + group);
    ASSERT_TRUE(who) << group;
    EXPECT_EQ(who.value.gid, daemon);
    EXPECT_TRUE(std::is_sorted(who.value.groups.begin(), who.value.groups.end()));
    EXPECT_FALSE(who.value.in_group(own)) << "as after initgroups(3) with the other group";
  }
}

TEST(LookupIdentity, AnUnknownNumberIsStillAnIdentity) {
  const std::string number = "#" + std::to_string(kUnknownUid);
  const Result<Identity> bare = lookup_identity(number);
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare.value.uid, kUnknownUid);
  EXPECT_EQ(bare.value.gid, 65534U);
  EXPECT_EQ(bare.value.name, number);

  const Result<Identity> grouped = lookup_identity(number + ":#1234567");
  ASSERT_TRUE(grouped);
  EXPECT_EQ(grouped.value.gid, 1234567U);
  EXPECT_EQ(grouped.value.groups, std::vector<gid_t>{1234567});
  EXPECT_EQ(lookup_identity(std::to_string(kUnknownUid)).value, bare.value);
}

TEST(LookupIdentity, SaysWhatIsWrongWithASpec) {
  EXPECT_EQ(lookup_identity("no-such-user-here").error, ENOENT);
  EXPECT_EQ(lookup_identity("www-data:no-such-group-here").error, ENOENT);
  EXPECT_EQ(lookup_identity("-1").error, ENOENT);
  for (const std::string spec : {"", ":", ":daemon", "www-data:", "#", "#x", "#1x", "#-1",
                                 "#4294967295", "#99999999999", "www-data:#", "# 1"}) {
    EXPECT_EQ(lookup_identity(spec).error, EINVAL) << spec;
  }
  EXPECT_EQ(lookup_identity(std::string("root\0x", 6)).error, EINVAL);
}

TEST(SystemNames, AnswersWithANameOrTheNumber) {
  const SystemNames names;
  EXPECT_EQ(names.user(0), "root");
  EXPECT_EQ(names.group(0), "root");
  EXPECT_EQ(names.user(kUnknownUid), "#3999999");
  EXPECT_EQ(names.group(kUnknownUid), "#3999999");
}

TEST(CurrentIdentity, IsWhatTheProcessTableSays) {
  const Identity own = current_identity();
  EXPECT_EQ(own.uid, geteuid());
  EXPECT_EQ(own.gid, getegid());
  const Result<Identity> same = process_identity(getpid());
  ASSERT_TRUE(same) << same.error;
  EXPECT_EQ(same.value, own);
}

TEST(CurrentIdentity, OfAProcessThatHasBecomeAUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const Identity who{.uid = kUnknownUid, .gid = 77, .groups = {5, 66, 77}};
  const std::string seen = test::bytes_from(who, [&who] {
    const Identity own = current_identity();
    const bool same = own.uid == who.uid && own.gid == who.gid && own.groups == who.groups;
    return same && own.name == "#3999999" && !own.dac_override && !own.dac_read_search ? "ok"
                                                                                       : "no";
  });
  EXPECT_EQ(seen, "ok");
}

TEST(ProcessIdentity, HasTheGroupsTheProcessWasStartedWith) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const std::array<gid_t, 2> groups{5, 66};
  const pid_t child = fork();
  if (child == 0) {
    const bool became = setgroups(groups.size(), groups.data()) == 0 && setgid(77) == 0 &&
                        setuid(kUnknownUid) == 0 && write(ready[1], "x", 1) == 1;
    while (became) pause();
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const Result<Identity> who = process_identity(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  ASSERT_TRUE(who) << who.error;
  EXPECT_EQ(who.value,
            (Identity{.uid = kUnknownUid, .gid = 77, .groups = {5, 66}, .name = "#3999999"}));
}

TEST(ProcessIdentity, OfAVanishedProcessIsNotFound) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(process_identity(child).error, ENOENT);
  EXPECT_EQ(process_identity(-1).error, ENOENT);
}

}  // namespace
}  // namespace permguard
