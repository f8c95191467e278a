// SPDX-License-Identifier: Apache-2.0
#include "core/access.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "support/real_acl.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

constexpr uid_t kOwner = 2001;
constexpr uid_t kNamed = 2002;
constexpr uid_t kOther = 2009;
constexpr gid_t kGroup = 3001;
constexpr gid_t kNamedGroup = 3002;
constexpr gid_t kSecondGroup = 3003;

FileStatus file_with(unsigned mode, FileType type = FileType::regular) {
  return {.type = type, .mode = mode, .uid = kOwner, .gid = kGroup};
}

Identity user(uid_t uid, std::vector<gid_t> groups = {}) {
  return {.uid = uid, .gid = 3999, .groups = std::move(groups)};
}

Identity root() {
  return {.dac_override = true, .dac_read_search = true};
}

Acl acl(Permissions owner, std::vector<AclEntry> users, Permissions group,
        std::vector<AclEntry> groups, Permissions mask, Permissions other) {
  Acl result{{Tag::user_obj, 0, owner}};
  result.insert(result.end(), users.begin(), users.end());
  result.push_back({Tag::group_obj, 0, group});
  result.insert(result.end(), groups.begin(), groups.end());
  result.push_back({Tag::mask, 0, mask});
  result.push_back({Tag::other, 0, other});
  return result;
}

TEST(Access, OnlyOneClassIsConsulted) {
  const AccessDecision owner = decide_access(file_with(0077), {}, user(kOwner, {kGroup}), kRead);
  EXPECT_FALSE(owner.allowed);
  EXPECT_EQ(owner.by, DecidedBy::owner);
  EXPECT_EQ(owner.entry_perms, 0U);

  const AccessDecision group = decide_access(file_with(0705), {}, user(kOther, {kGroup}), kRead);
  EXPECT_FALSE(group.allowed);
  EXPECT_EQ(group.by, DecidedBy::owning_group);

  const AccessDecision other = decide_access(file_with(0705), {}, user(kOther), kRead | kExecute);
  EXPECT_TRUE(other.allowed);
  EXPECT_EQ(other.by, DecidedBy::other);
  EXPECT_EQ(other.entry_perms, 5U);
}

TEST(Access, NobodyHasX) {
  EXPECT_EQ(decide_access(file_with(0644), {}, user(kOther), kExecute).by,
            DecidedBy::no_execute_bit);
  EXPECT_EQ(decide_access(file_with(0744), {}, user(kOther), kExecute).by, DecidedBy::other);
  EXPECT_EQ(decide_access(file_with(0644, FileType::directory), {}, user(kOther), kExecute).by,
            DecidedBy::other);
  EXPECT_EQ(decide_access(file_with(0600), {}, user(kOther), kRead).by, DecidedBy::other);
}

TEST(Access, CapabilitiesOfRoot) {
  EXPECT_FALSE(decide_access(file_with(0666), {}, root(), kExecute).allowed);
  EXPECT_EQ(decide_access(file_with(0666), {}, root(), kExecute).by, DecidedBy::no_execute_bit);
  const AccessDecision x = decide_access(file_with(0010), {}, root(), kRead | kExecute);
  EXPECT_TRUE(x.allowed);
  EXPECT_TRUE(x.by_capability);
  EXPECT_FALSE(decide_access(file_with(0001), {}, root(), kExecute).by_capability);
  EXPECT_TRUE(decide_access(file_with(0, FileType::directory), {}, root(), 7).allowed);
  EXPECT_TRUE(decide_access(file_with(0), {}, root(), kRead | kWrite).allowed);
}

TEST(Access, ReadSearchAloneLooksButDoesNotChangeOrExecute) {
  Identity backup = user(kOther);
  backup.dac_read_search = true;
  const FileStatus directory = file_with(0700, FileType::directory);
  EXPECT_TRUE(decide_access(directory, {}, backup, kRead | kExecute).allowed);
  EXPECT_FALSE(decide_access(directory, {}, backup, kWrite | kExecute).allowed);
  EXPECT_TRUE(decide_access(file_with(0700), {}, backup, kRead).allowed);
  EXPECT_FALSE(decide_access(file_with(0700), {}, backup, kExecute).allowed);
  EXPECT_FALSE(decide_access(file_with(0700), {}, backup, kRead | kExecute).allowed);
}

TEST(Access, NamedEntriesAndTheMask) {
  const Acl entries = acl(7, {{Tag::user, kNamed, 5}}, 4, {{Tag::group, kNamedGroup, 7}}, 4, 1);
  const FileStatus file = file_with(0741);

  const AccessDecision masked = decide_access(file, entries, user(kNamed), kExecute);
  EXPECT_FALSE(masked.allowed);
  EXPECT_EQ(masked.by, DecidedBy::mask);
  EXPECT_EQ(masked.masked, DecidedBy::named_user);
  EXPECT_EQ(masked.entry_id, kNamed);
  EXPECT_EQ(masked.entry_perms, 5U);
  EXPECT_EQ(masked.mask, 4U);

  EXPECT_TRUE(decide_access(file, entries, user(kNamed), kRead).allowed);
  const AccessDecision write = decide_access(file, entries, user(kNamed), kWrite);
  EXPECT_EQ(write.by, DecidedBy::named_user);

  const AccessDecision group = decide_access(file, entries, user(kOther, {kNamedGroup}), kExecute);
  EXPECT_EQ(group.by, DecidedBy::mask);
  EXPECT_EQ(group.masked, DecidedBy::named_group);
  EXPECT_EQ(group.entry_id, kNamedGroup);

  const AccessDecision other = decide_access(file, entries, user(kOther), kExecute);
  EXPECT_TRUE(other.allowed) << "the mask does not concern others";
  EXPECT_EQ(other.mask, 7U);
}

TEST(Access, OneGroupEntryMustGrantEverything) {
  const Acl entries =
      acl(7, {}, 4, {{Tag::group, kNamedGroup, 1}, {Tag::group, kSecondGroup, 4}}, 7, 7);
  const Identity both = user(kOther, {kNamedGroup, kSecondGroup});
  EXPECT_TRUE(decide_access(file_with(0777), entries, both, kRead).allowed);
  EXPECT_TRUE(decide_access(file_with(0777), entries, both, kExecute).allowed);
  const AccessDecision together = decide_access(file_with(0777), entries, both, kRead | kExecute);
  EXPECT_FALSE(together.allowed) << "and others are not asked once a group matched";
  EXPECT_EQ(together.by, DecidedBy::named_group);
  EXPECT_EQ(together.entry_id, kNamedGroup);
}

TEST(Access, AnEmptyMaskHidesTheAclFromTheKernel) {
  const Acl entries = acl(7, {{Tag::user, kNamed, 7}}, 5, {}, 0, 5);
  const AccessDecision named = decide_access(file_with(0705), entries, user(kNamed), kExecute);
  EXPECT_TRUE(named.allowed);
  EXPECT_EQ(named.by, DecidedBy::other);
  const AccessDecision group =
      decide_access(file_with(0705), entries, user(kOther, {kGroup}), kExecute);
  EXPECT_FALSE(group.allowed);
  EXPECT_EQ(group.by, DecidedBy::mask);
  EXPECT_EQ(group.masked, DecidedBy::owning_group);
}

TEST(Access, ADamagedAclRefusesWithoutACause) {
  const Acl damaged{{Tag::user_obj, 0, 7}, {Tag::group_obj, 0, 7}};
  const AccessDecision decision = decide_access(file_with(0777), damaged, root(), kRead);
  EXPECT_TRUE(decide_access(file_with(0777), damaged, user(kOwner), kRead).allowed);
  EXPECT_FALSE(decision.allowed);
  EXPECT_EQ(decision.by, DecidedBy::none);
}

TEST(Access, HasWordsForEveryDecision) {
  EXPECT_STREQ(name_of(DecidedBy::named_user), "named-user");
  EXPECT_STREQ(name_of(DecidedBy::suexec), "suexec");
}

// --- against the running kernel ---------------------------------------------------------------

class RandomFiles {
 public:
  explicit RandomFiles(unsigned seed) : random_(seed) {}

  struct Made {
    std::string path;
    FileStatus status;
    std::optional<Acl> acl;
  };

  Made make(const test::TempTree& tree, int number) {
    Made made{.path = tree.path("f" + std::to_string(number)), .status = {}, .acl = {}};
    const bool directory = pick(3) == 0;
    if (directory) {
      EXPECT_EQ(::mkdir(made.path.c_str(), 0755), 0);
    } else {
      const int made_file = ::open(made.path.c_str(), O_CREAT | O_WRONLY | O_EXCL, 0600);
      EXPECT_GE(made_file, 0);
      ::close(made_file);
    }
    const uid_t owner = pick(4) == 0 ? 0 : kOwner;
    EXPECT_EQ(::chown(made.path.c_str(), owner, kGroup), 0);
    EXPECT_EQ(::chmod(made.path.c_str(), digit() << 6 | digit() << 3 | digit()), 0);
    if (pick(2) == 0) test::set_real_acl(made.path, made.acl.emplace(random_acl()));
    made.status = look(made.path, directory);
    return made;
  }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
  Permissions digit() { return pick(3) == 0 ? 0 : pick(8); }

  Acl random_acl() {
    std::vector<AclEntry> users;
    std::vector<AclEntry> groups;
    if (pick(2) == 0) users.push_back({Tag::user, kNamed, digit()});
    if (pick(4) == 0) users.push_back({Tag::user, kOther, digit()});
    if (pick(2) == 0) groups.push_back({Tag::group, kNamedGroup, digit()});
    if (pick(2) == 0) groups.push_back({Tag::group, kSecondGroup, digit()});
    return acl(digit(), users, digit(), groups, digit(), digit());
  }

  static FileStatus look(const std::string& path, bool directory) {
    struct stat seen {};
    EXPECT_EQ(::lstat(path.c_str(), &seen), 0);
    return {.type = directory ? FileType::directory : FileType::regular,
            .mode = seen.st_mode & 07777,
            .uid = seen.st_uid,
            .gid = seen.st_gid};
  }

  std::mt19937 random_;
};

// One character a file and right: 'y' where access(2) allows.
std::string ask_kernel(const Identity& who, const std::vector<RandomFiles::Made>& files) {
  return test::bytes_from(who, [&files] {
    std::string answers;
    for (const auto& file : files) {
      for (int wanted = 1; wanted <= 7; ++wanted) {
        answers += ::access(file.path.c_str(), wanted) == 0 ? 'y' : 'n';
      }
    }
    return answers;
  });
}

TEST(Access, AgreesWithTheKernelOnRandomFiles) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to make other users' files";
  const unsigned seed = 20231105;
  RandomFiles random(seed);
  test::TempTree tree;
  std::vector<RandomFiles::Made> files;
  for (int i = 0; i < 600; ++i) files.push_back(random.make(tree, i));
  const std::vector<Identity> identities = {user(kOwner),
                                            user(kOwner, {kGroup}),
                                            user(kNamed),
                                            user(kNamed, {kGroup}),
                                            user(kOther),
                                            user(kOther, {kGroup}),
                                            user(kOther, {kNamedGroup}),
                                            user(kOther, {kGroup, kNamedGroup}),
                                            user(2010, {kNamedGroup, kSecondGroup}),
                                            user(2010, {kGroup}),
                                            root()};
  for (const Identity& who : identities) {
    const std::string kernel = ask_kernel(who, files);
    ASSERT_EQ(kernel.size(), files.size() * 7);
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      const auto& file = files[i / 7];
      const auto wanted = static_cast<Permissions>(i % 7 + 1);
      ASSERT_EQ(decide_access(file.status, file.acl, who, wanted).allowed, kernel[i] == 'y')
          << "seed " << seed << " uid " << who.uid << " wants " << wanted << " of mode " << std::oct
          << file.status.mode << " acl " << (file.acl ? test::acl_text(*file.acl) : "none");
    }
  }
}

}  // namespace
}  // namespace permguard
