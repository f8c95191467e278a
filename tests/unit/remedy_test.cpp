// SPDX-License-Identifier: Apache-2.0
#include "core/remedy.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "core/filesystem.h"
#include "support/process.h"
#include "support/real_acl.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;
using Kind = FixStep::Kind;

constexpr uid_t kOwner = 1000;
constexpr gid_t kGroup = 1000;
constexpr uid_t kUser = 33;

Identity www_data(std::vector<gid_t> groups = {}) {
  return {.uid = kUser, .gid = 33, .groups = std::move(groups), .name = "www-data"};
}

FileStatus status(FileType type, unsigned mode, uid_t uid = kOwner) {
  return {.type = type, .mode = mode, .uid = uid, .gid = kGroup, .inode = 131};
}
FileStatus file(unsigned mode, uid_t uid = kOwner) {
  return status(FileType::regular, mode, uid);
}
FileStatus directory(unsigned mode) {
  return status(FileType::directory, mode);
}

Remedy grant(const FileStatus& of, Permissions wanted, const std::optional<Acl>& acl = {},
             const Identity& who = www_data()) {
  return least_grant("/srv/a", of, acl, who, wanted);
}

// The steps as "chmod a+x", "setfacl u:www-data:x", "setfacl -n …".
std::vector<std::string> words(const Remedy& remedy) {
  std::vector<std::string> list;
  for (const FixStep& step : remedy.steps) {
    const std::string tool = step.kind == Kind::chmod ? "chmod " : "setfacl ";
    list.push_back(tool + (step.keep_mask ? "-n " : "") + step.spec);
  }
  return list;
}

using Words = std::vector<std::string>;

TEST(LeastGrant, NobodyHasX) {
  EXPECT_EQ(words(grant(file(0644), kExecute)), Words{"chmod a+x"});
  const Remedy remedy = grant(file(0644), kExecute);
  EXPECT_EQ(remedy.steps[0].path, "/srv/a");
  EXPECT_EQ(remedy.steps[0].inode, 131U);
  EXPECT_EQ(remedy.advice, "");
  const Identity root{.name = "root", .dac_override = true, .dac_read_search = true};
  EXPECT_EQ(words(grant(file(0600), kExecute, {}, root)), Words{"chmod a+x"});
}

TEST(LeastGrant, NobodyHasXAndThisUserMayNotRead) {
  EXPECT_EQ(words(grant(file(0600), kRead | kExecute)),
            (Words{"chmod a+x", "setfacl u:www-data:rx"}));
  EXPECT_EQ(words(grant(file(0200, kUser), kRead | kExecute)), (Words{"chmod a+x", "chmod u+r"}));
}

TEST(LeastGrant, TheOwnersOwnDigit) {
  EXPECT_EQ(words(grant(file(0655, kUser), kExecute)), Words{"chmod u+x"});
  EXPECT_EQ(words(grant(file(0077, kUser), kRead | kExecute)), Words{"chmod u+rx"});
  EXPECT_EQ(words(grant(file(0355, kUser), kRead)), Words{"chmod u+r"});
}

TEST(LeastGrant, XOfAFileByTheDecidingClass) {
  EXPECT_EQ(words(grant(file(0744), kExecute)), Words{"chmod o+x"});
  EXPECT_EQ(words(grant(file(0745), kExecute, {}, www_data({kGroup}))), Words{"chmod g+x"});
}

TEST(LeastGrant, ReadingAndSearchingByANamedEntry) {
  EXPECT_EQ(words(grant(directory(0700), kExecute)), Words{"setfacl u:www-data:x"});
  EXPECT_EQ(words(grant(directory(0744), kExecute)), Words{"setfacl u:www-data:rx"});
  EXPECT_EQ(words(grant(file(0711), kRead)), Words{"setfacl u:www-data:rx"});
  EXPECT_EQ(words(grant(file(0700), kRead | kExecute)), Words{"setfacl u:www-data:rx"});
  EXPECT_EQ(words(grant(file(0700), kRead)), Words{"setfacl u:www-data:r"});
}

TEST(LeastGrant, AUserWithoutAPlainNameIsANumber) {
  Identity who = www_data();
  for (const char* name : {"#33", "", "33", "-x", "DOM\\user", "a b", "1and1", "ann:x"}) {
    who.name = name;
    EXPECT_EQ(words(grant(directory(0700), kExecute, {}, who)), Words{"setfacl u:33:x"}) << name;
  }
}

TEST(LeastGrant, AMaskIsSaidExplicitly) {
  const Acl acl{{Tag::user_obj, 0, 7},
                {Tag::user, kUser, 5},
                {Tag::group_obj, 0, 0},
                {Tag::mask, 0, 4},
                {Tag::other, 0, 0}};
  EXPECT_EQ(words(grant(file(0740), kExecute, acl)), Words{"setfacl -n u:www-data:rx,m::rx"});
  const Acl wide{{Tag::user_obj, 0, 7},
                 {Tag::user, 2000, 7},
                 {Tag::group_obj, 0, 5},
                 {Tag::mask, 0, 7},
                 {Tag::other, 0, 0}};
  EXPECT_EQ(words(grant(directory(0770), kExecute, wide)), Words{"setfacl -n u:www-data:x,m::rwx"});
}

TEST(LeastGrant, AMaskThatWouldWidenAnotherEntryIsLeftToThePerson) {
  const Acl named{{Tag::user_obj, 0, 7},  {Tag::user, kUser, 5}, {Tag::user, 2000, 5},
                  {Tag::group_obj, 0, 0}, {Tag::mask, 0, 4},     {Tag::other, 0, 0}};
  const Acl group{{Tag::user_obj, 0, 7},
                  {Tag::user, kUser, 5},
                  {Tag::group_obj, 0, 5},
                  {Tag::mask, 0, 4},
                  {Tag::other, 0, 0}};
  for (const Acl& acl : {named, group}) {
    const Remedy remedy = grant(file(0740), kExecute, acl);
    EXPECT_TRUE(remedy.steps.empty());
    EXPECT_NE(remedy.advice.find("mask"), std::string::npos);
  }
}

TEST(LeastGrant, AnEmptyMaskHidOthersEntriesAndMustNotWakeThem) {
  // While the mask is empty the kernel ignores the ACL, and user 2000 reads as one of the others.
  const Acl acl{{Tag::user_obj, 0, 7},
                {Tag::user, 2000, 0},
                {Tag::group_obj, 0, 0},
                {Tag::mask, 0, 0},
                {Tag::other, 0, 4}};
  EXPECT_TRUE(grant(directory(0704), kExecute, acl).steps.empty());
}

TEST(LeastGrant, WithoutAclsOnlyXCanBeGiven) {
  const auto without = [](const FileStatus& of, Permissions wanted) {
    return least_grant("/a", of, {}, www_data(), wanted, false);
  };
  EXPECT_EQ(words(without(directory(0700), kExecute)), Words{"chmod o+x"});
  EXPECT_EQ(words(without(file(0710), kExecute)), Words{"chmod o+x"});
  EXPECT_EQ(words(without(file(0700), kRead | kExecute)), Words{"chmod o+rx"});
  const auto member = least_grant("/a", file(0700), {}, www_data({kGroup}), kRead, false);
  EXPECT_EQ(words(member), Words{"chmod g+r"});
}

TEST(LeastGrant, WhoMayWriteByAClassIsHelpedByThatClass) {
  EXPECT_EQ(words(grant(file(0722), kRead | kExecute)), Words{"chmod o+rx"});
  EXPECT_EQ(words(grant(file(0733), kRead)), Words{"chmod o+r"});
  EXPECT_EQ(words(grant(file(0222), kRead)), Words{"chmod o+r"});
  EXPECT_EQ(words(grant(file(0730), kRead, {}, www_data({kGroup}))), Words{"chmod g+r"});
  EXPECT_EQ(words(grant(directory(0762), kExecute)), Words{"chmod o+x"});
  EXPECT_EQ(words(grant(directory(0760), kExecute, {}, www_data({kGroup}))), Words{"chmod g+x"});
  const Acl acl{{Tag::user_obj, 0, 7},
                {Tag::user, 2000, 5},
                {Tag::group_obj, 0, 6},
                {Tag::mask, 0, 6},
                {Tag::other, 0, 2}};
  EXPECT_EQ(words(grant(directory(0762), kExecute, acl)), Words{"chmod o+x"});
}

TEST(LeastGrant, AnAclEntryThatGivesWriteIsLeftToThePerson) {
  const Acl named{{Tag::user_obj, 0, 7},
                  {Tag::user, kUser, 6},
                  {Tag::group_obj, 0, 5},
                  {Tag::mask, 0, 7},
                  {Tag::other, 0, 5}};
  const Acl group{{Tag::user_obj, 0, 7},
                  {Tag::group_obj, 0, 5},
                  {Tag::group, 33, 6},
                  {Tag::mask, 0, 7},
                  {Tag::other, 0, 5}};
  for (const Acl& acl : {named, group}) {
    const Remedy remedy = grant(file(0775), kExecute, acl);
    EXPECT_TRUE(remedy.steps.empty());
    EXPECT_NE(remedy.advice.find("write"), std::string::npos);
  }
}

TEST(LeastGrant, NeverEndsAt0777) {
  EXPECT_EQ(words(grant(file(0666), kExecute)), Words{"chmod a+x,o-w"});
  EXPECT_EQ(words(grant(file(0666, kUser), kExecute)), Words{"chmod a+x,o-w"});
  EXPECT_EQ(words(grant(file(0776), kExecute)), Words{"chmod o+x,o-w"});
  EXPECT_EQ(words(grant(file(0767), kExecute, {}, www_data({kGroup}))), Words{"chmod g+x,o-w"});
  EXPECT_EQ(words(grant(file(0677, kUser), kExecute)), Words{"chmod u+x,o-w"});
  EXPECT_EQ(words(grant(directory(0776), kExecute)), Words{"chmod o+x,o-w"});
  EXPECT_EQ(words(grant(directory(01776), kExecute)), Words{"chmod o+x"}) << "as /tmp";
  const Acl acl{{Tag::user_obj, 0, 7},
                {Tag::user, kUser, 0},
                {Tag::group_obj, 0, 7},
                {Tag::mask, 0, 7},
                {Tag::other, 0, 7}};
  EXPECT_EQ(words(grant(file(0777), kRead | kExecute, acl)),
            (Words{"setfacl -n u:www-data:rx,m::rwx", "chmod o-w"}));
}

TEST(LeastGrant, NeverAddsAWriteBit) {
  const Remedy socket = grant(status(FileType::socket, 0755), kWrite);
  EXPECT_TRUE(socket.steps.empty());
  EXPECT_EQ(socket.advice, info(Code::connect_denied).action);
  EXPECT_TRUE(grant(file(0555, kUser), kWrite).steps.empty());
}

TEST(LeastGrant, NothingForWhoHasEverything) {
  EXPECT_EQ(grant(file(0755), 5), Remedy{});
}

TEST(LeastGrant, ADamagedAclIsSaid) {
  const Remedy remedy = grant(file(0750), kRead, Acl{{Tag::user_obj, 0, 7}});
  EXPECT_TRUE(remedy.steps.empty());
  EXPECT_NE(remedy.advice.find("damaged"), std::string::npos);
}

// --- properties -------------------------------------------------------------------------------

class RandomRights {
 public:
  explicit RandomRights(unsigned seed) : random_(seed) {}

  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }

  Rights make() {
    Rights rights{digit() << 6 | digit() << 3 | digit()};
    if (pick(2) == 0) return rights;
    Acl acl{{Tag::user_obj, 0, rights.mode >> 6}};
    if (pick(2) == 0) acl.push_back({Tag::user, kUser, digit()});
    if (pick(3) == 0) acl.push_back({Tag::user, 2000, digit()});
    acl.push_back({Tag::group_obj, 0, digit()});
    if (pick(2) == 0) acl.push_back({Tag::group, 3000, digit()});
    if (pick(3) == 0) acl.push_back({Tag::group, 3001, digit()});
    acl.push_back({Tag::mask, 0, rights.mode >> 3 & 7});
    acl.push_back({Tag::other, 0, rights.mode & 7});
    rights.acl = acl;
    return rights;
  }

 private:
  Permissions digit() { return pick(3) == 0 ? 0 : pick(8); }
  std::mt19937 random_;
};

std::optional<std::uint32_t> id_of(Tag, std::string_view name) {
  return name == "www-data" ? std::optional<std::uint32_t>(kUser) : std::nullopt;
}

AccessDecision decide(const FileStatus& of, const Rights& rights, const Identity& who,
                      Permissions wanted) {
  FileStatus changed = of;
  changed.mode = rights.mode;
  return decide_access(changed, rights.acl, who, wanted);
}

// What a step's own words allow others to gain.
Permissions named_for_others(const Remedy& remedy) {
  Permissions perms = 0;
  for (const FixStep& step : remedy.steps) {
    if (step.kind != Kind::chmod || step.spec[0] == 'u') continue;
    const std::string added = step.spec.substr(0, step.spec.find(','));
    if (added.find('r') != std::string::npos) perms |= kRead;
    if (added.find('x') != std::string::npos) perms |= kExecute;
  }
  return perms;
}

void expect_sound(const FileStatus& of, const Rights& before, const Identity& who,
                  Permissions wanted, const Remedy& remedy) {
  Rights after = before;
  bool takes_w = false;
  for (const FixStep& step : remedy.steps) {
    takes_w |= step.spec.ends_with("o-w");
    const bool entry_with_w =
        step.spec.substr(0, step.spec.find(",m:")).find('w', 10) != std::string::npos;
    EXPECT_FALSE(step.kind == Kind::setfacl && entry_with_w) << step.spec;
    EXPECT_EQ(step.spec.find("+w"), std::string::npos);
    const auto applied = apply_step(step, after, id_of);
    ASSERT_TRUE(applied) << step.spec;
    after = *applied;
  }
  EXPECT_TRUE(decide(of, after, who, wanted).allowed);
  const std::vector<Identity> others = {{.uid = kOwner, .gid = kGroup},
                                        {.uid = 2000, .gid = 9},
                                        {.uid = 2000, .gid = kGroup},
                                        {.uid = 5, .gid = kGroup},
                                        {.uid = 5, .gid = 3000},
                                        {.uid = 5, .gid = 9},
                                        {.uid = 5, .gid = 9, .groups = {kGroup, 3000}},
                                        {.uid = 5, .gid = 3001, .groups = {3000}}};
  for (const Identity& other : others) {
    if (other.uid == who.uid || of.uid == who.uid) continue;
    for (const Permissions bit : {kRead, kWrite, kExecute}) {
      const bool had = decide(of, before, other, bit).allowed;
      const bool has = decide(of, after, other, bit).allowed;
      EXPECT_TRUE(had || !has || (bit & named_for_others(remedy))) << "uid " << other.uid;
    }
  }
  for (const Permissions bit : {kRead, kWrite, kExecute}) {
    const bool had = decide(of, before, who, bit).allowed;
    const bool has = decide(of, after, who, bit).allowed;
    const bool closed = bit == kWrite && had && takes_w;
    EXPECT_TRUE(has == had || closed || (bit & (wanted | named_for_others(remedy))))
        << "bit " << bit;
  }
  EXPECT_NE(after.mode & 0777, 0777U);
}

TEST(LeastGrantProperty, GrantsToTheUserAndToNobodyElse) {
  RandomRights random(20231105);
  unsigned repaired = 0;
  unsigned advised = 0;
  for (int i = 0; i < 50000; ++i) {
    const Rights before = random.make();
    FileStatus of = random.pick(2) == 0 ? file(before.mode) : directory(before.mode);
    if (random.pick(6) == 0) of.uid = kUser;
    std::vector<gid_t> groups;
    if (random.pick(3) == 0) groups.push_back(kGroup);
    if (random.pick(3) == 0) groups.push_back(3000);
    const Identity who = www_data(groups);
    constexpr Permissions kWanted[] = {kExecute, kRead, kRead | kExecute};
    const Permissions wanted = kWanted[random.pick(3)];
    const Remedy remedy = least_grant("/a", of, before.acl, who, wanted);
    SCOPED_TRACE(testing::Message()
                 << "case " << i << ": mode " << std::oct << before.mode << " acl "
                 << (before.acl ? test::acl_text(*before.acl) : "none") << " wanted " << wanted
                 << " steps " << testing::PrintToString(words(remedy)));
    const bool allowed = decide(of, before, who, wanted).allowed;
    ASSERT_EQ(allowed, remedy.steps.empty() && remedy.advice.empty());
    ASSERT_TRUE(remedy.steps.empty() || remedy.advice.empty());
    if (!remedy.steps.empty()) expect_sound(of, before, who, wanted, remedy);
    if (HasFailure()) return;
    repaired += !remedy.steps.empty();
    advised += !remedy.advice.empty();
  }
  EXPECT_GT(repaired, 10000U);
  EXPECT_GT(advised, 100U);
}

// --- apply_step -------------------------------------------------------------------------------

TEST(ApplyStep, RefusesWhatItDoesNotUnderstand) {
  for (const char* spec : {"", "x", "+x", "a=x", "a+q", "8", "17777", "u+x,", "a"}) {
    EXPECT_FALSE(apply_step({.kind = Kind::chmod, .spec = spec}, {0644}, id_of)) << spec;
  }
  for (const char* spec : {"", "u:x", "u:nobody-here:x", "m:33:x", "q::x", "u:33:", "u:33:z"}) {
    EXPECT_FALSE(apply_step({.kind = Kind::setfacl, .spec = spec}, {0644}, id_of)) << spec;
  }
  EXPECT_FALSE(apply_step({.kind = Kind::chown, .spec = "ann:ann"}, {0644}, id_of));
}

std::vector<std::string> command(const FixStep& step) {
  switch (step.kind) {
    case Kind::chmod:
      return {"chmod", step.spec, step.path};
    case Kind::setfacl:
      if (step.keep_mask) return {"setfacl", "-n", "-m", step.spec, step.path};
      return {"setfacl", "-m", step.spec, step.path};
    case Kind::restore_acl:
      if (step.spec.empty()) return {"setfacl", "-b", step.path};
      return {"setfacl", "--set", step.spec, step.path};
    case Kind::chown:
      break;
  }
  return {};
}

TEST(ApplyStep, DoesWhatTheRealToolsDo) {
  test::TempTree tree;
  const SystemFilesystem filesystem;
  RandomRights random(7);
  const std::vector<FixStep> steps = {
      {.kind = Kind::chmod, .spec = "a+x"},
      {.kind = Kind::chmod, .spec = "u+rx"},
      {.kind = Kind::chmod, .spec = "g+x"},
      {.kind = Kind::chmod, .spec = "o+x"},
      {.kind = Kind::chmod, .spec = "go-w"},
      {.kind = Kind::chmod, .spec = "a+x,o-w"},
      {.kind = Kind::chmod, .spec = "u+s,g+s"},
      {.kind = Kind::chmod, .spec = "ug-s"},
      {.kind = Kind::chmod, .spec = "0751"},
      {.kind = Kind::setfacl, .spec = "u:www-data:rx"},
      {.kind = Kind::setfacl, .spec = "u:33:x,m::rx"},
      {.kind = Kind::setfacl, .spec = "u:4000:r,m::rwx", .keep_mask = true},
      {.kind = Kind::setfacl, .spec = "g::r-x,o::---"},
      {.kind = Kind::restore_acl, .spec = "u::rwx,u:2000:r-x,g::r-x,m::r--,o::---"},
      {.kind = Kind::restore_acl, .spec = "u::rwx,u:2000:r-x,g::-w-,o::---"},
      {.kind = Kind::restore_acl, .spec = "u::rw-,g::r--,o::r--"},
      {.kind = Kind::restore_acl, .spec = ""}};
  for (int i = 0; i < 160; ++i) {
    FixStep step = steps[static_cast<std::size_t>(i) % steps.size()];
    const std::string path = tree.write("f" + std::to_string(i), "");
    const Rights before = random.make();
    tree.chmod("f" + std::to_string(i), before.mode);
    if (before.acl) test::set_real_acl(path, *before.acl);
    step.path = path;
    ASSERT_TRUE(test::run(command(step)).succeeded()) << step.spec;
    const auto expected = apply_step(step, before, id_of);
    ASSERT_TRUE(expected) << step.spec;
    const Rights real{filesystem.status(path).value.mode, filesystem.acl(path).value};
    EXPECT_EQ(real.mode, expected->mode) << step.spec << " on " << std::oct << before.mode;
    EXPECT_EQ(real.acl, expected->acl) << step.spec << " on " << std::oct << before.mode;
  }
}

// --- general_remedy ---------------------------------------------------------------------------

TEST(GeneralRemedy, OfEveryCodeHelps) {
  for (const CodeInfo& row : catalogue()) {
    for (std::size_t role = 0; role < kRoleCount; ++role) {
      Finding finding;
      finding.code = row.code;
      finding.role = static_cast<Role>(role);
      finding.path = "/srv/secret-path";
      const Remedy remedy = general_remedy(finding);
      EXPECT_NE(remedy.steps.empty(), remedy.advice.empty()) << row.name;
      EXPECT_EQ(remedy.advice.find("secret-path"), std::string::npos) << row.name;
      EXPECT_TRUE(remedy.advice.empty() || remedy.advice.back() != '.') << row.name;
      EXPECT_EQ(remedy.advice.find('\\'), std::string::npos) << row.name;
    }
  }
}

TEST(GeneralRemedy, TakesAwayTheBitThatIsTooMuch) {
  Finding finding;
  finding.code = Code::writable;
  finding.path = "/srv/a";
  finding.file = file(0775);
  EXPECT_EQ(general_remedy(finding).steps,
            (std::vector<FixStep>{
                {.kind = Kind::chmod, .path = "/srv/a", .inode = 131, .spec = "go-w"}}));
}

TEST(GeneralRemedy, GivesAFileItsOwner) {
  Finding finding;
  finding.code = Code::owner_mismatch;
  finding.path = "/srv/a";
  finding.detail = "ann:users";
  ASSERT_EQ(general_remedy(finding).steps.size(), 1U);
  EXPECT_EQ(general_remedy(finding).steps[0].kind, Kind::chown);
  EXPECT_EQ(general_remedy(finding).steps[0].spec, "ann:users");
  finding.detail = "#5000:users";
  EXPECT_TRUE(general_remedy(finding).steps.empty()) << "chown(1) does not know this form";
}

TEST(GeneralRemedy, SaysWhatTheRoleNeeds) {
  Finding finding;
  finding.code = Code::not_found;
  EXPECT_EQ(general_remedy(finding).advice, info(Code::not_found).action);
  finding.role = Role::interpreter;
  EXPECT_NE(general_remedy(finding).advice.find("interpreter"), std::string::npos);
  finding.role = Role::command;
  EXPECT_NE(general_remedy(finding).advice.find("PATH"), std::string::npos);
  finding.code = Code::shebang_crlf;
  EXPECT_NE(general_remedy(finding).advice.find("dos2unix"), std::string::npos);
}

}  // namespace
}  // namespace permguard
