// SPDX-License-Identifier: Apache-2.0
//
// Where a command would help and is not told.
#include "core/remedy_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/audit.h"
#include "core/suexec.h"
#include "report/sentence.h"
#include "support/fake_filesystem.h"
#include "unit/tiny_elf.h"

namespace permguard {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr uid_t kServer = 33, kAnn = 1001, kBob = 1002, kMallory = 1003;
constexpr const char* kScript = "#!/bin/sh\n";

std::string program(const std::string& loader = {}) {
  test::TinyElf64 elf = test::tiny_x86_64();
  if (!loader.empty()) elf.set_loader(loader);
  return elf.bytes();
}

/// A disk with a shell, examined for www-data.
class RemedyLimits : public ::testing::Test {
 protected:
  RemedyLimits() {
    names_.users = names_.groups = {
        {0, "root"}, {kServer, "www-data"}, {kAnn, "ann"}, {kBob, "bob"}, {kMallory, "mallory"}};
    disk_.file("/bin/sh", program()).mode(0755);
    disk_.directory("/srv/www/ann").owner(kAnn, kAnn);
    disk_.directory("/home/bob").owner(kBob, kBob);
    question_.who = {.uid = kServer, .gid = kServer, .groups = {}, .name = "www-data"};
    question_.search_path = "/usr/bin:/bin";
    surroundings_.machine = read_surroundings().machine;
  }

  Examiner examiner() const { return {disk_, names_, nullptr, surroundings_}; }

  Diagnosis ask(const std::string& target, Need need = Need::execute) {
    question_.target = target;
    question_.need = need;
    return diagnose(examiner(), question_);
  }

  /// What follows "fix: ".
  std::string fix(const std::string& target, Need need = Need::execute) {
    const Diagnosis diagnosis = ask(target, need);
    if (diagnosis.healthy()) return "healthy";
    const std::string line = log_sentence(diagnosis.findings, question_.who, 0);
    return line.substr(line.find("; fix: ") + 7);
  }

  static ::testing::Matcher<std::string> no_command() {
    return AllOf(Not(HasSubstr("setfacl")), Not(HasSubstr("chmod")), Not(HasSubstr("chown")));
  }

  test::FakeFilesystem disk_;
  test::FakeNames names_;
  Surroundings surroundings_;
  Question question_;
};

TEST_F(RemedyLimits, ATenantsLinkOpensNobodysFile) {
  disk_.file("/home/bob/key", "secret").mode(0600).owner(kBob, kBob);
  disk_.link("/srv/www/ann/leak.txt", "/home/bob/key").owner(kAnn, kAnn);
  EXPECT_EQ(
      fix("/srv/www/ann/leak.txt", Need::read),
      "the link '/srv/www/ann/leak.txt' of ann leads to '/home/bob/key' of bob, so no command "
      "is told: remove the link if that is not meant; if it is, its owner has to decide, see "
      "permguard explain '/home/bob/key'");
}

TEST_F(RemedyLimits, SaneLinksAreServed) {
  disk_.file("/home/bob/page", "page").mode(0600).owner(kBob, kBob);
  disk_.link("/srv/www/root", "/home/bob/page");
  EXPECT_EQ(fix("/srv/www/root", Need::read), "setfacl -m u:www-data:r '/home/bob/page'");
  disk_.link("/home/bob/current", "page").owner(kBob, kBob);
  EXPECT_EQ(fix("/home/bob/current", Need::read), "setfacl -m u:www-data:r '/home/bob/page'");
  // What mallory made stands in root's directory, but could have been replaced by nobody else.
  disk_.link("/srv/www/m", "/home/bob/page").owner(kMallory, kMallory);
  EXPECT_THAT(fix("/srv/www/m", Need::read), no_command());
}

TEST_F(RemedyLimits, WhatComesBeforeTheLinkKeepsItsCommand) {
  disk_.at("/srv/www").mode(0700);
  disk_.at("/home/bob").mode(0700);
  disk_.file("/home/bob/x", kScript).mode(0755).owner(kBob, kBob);
  disk_.link("/srv/www/ann/l.cgi", "/home/bob/x").owner(kAnn, kAnn);
  const Diagnosis diagnosis = ask("/srv/www/ann/l.cgi");
  ASSERT_EQ(diagnosis.findings.size(), 2U);
  EXPECT_EQ(diagnosis.findings[0].path, "/srv/www");
  EXPECT_EQ(exact_commands(diagnosis.findings[0].remedy).size(), 1U);
  EXPECT_THAT(exact_commands(diagnosis.findings[1].remedy), IsEmpty());
  EXPECT_TRUE(diagnosis.findings[1].remedy.withheld);
  const std::string line = log_sentence(diagnosis.findings, question_.who, 0);
  EXPECT_THAT(line, HasSubstr("(the link '/srv/www/ann/l.cgi' of ann leads to '/home/bob/x' by way "
                              "of '/home/bob' of bob, so no command"));
  EXPECT_THAT(line, testing::EndsWith("; fix: setfacl -m u:www-data:x '/srv/www'"));
}

TEST_F(RemedyLimits, OfSeveralLinksEachIsJudged) {
  disk_.file("/home/bob/page", "page").mode(0600).owner(kBob, kBob);
  disk_.link("/srv/www/first", "/srv/www/ann/second");
  disk_.link("/srv/www/ann/second", "/home/bob/third").owner(kAnn, kAnn);
  disk_.link("/home/bob/third", "page").owner(kBob, kBob);
  EXPECT_THAT(fix("/srv/www/first", Need::read),
              AllOf(HasSubstr("second' of ann leads"), no_command()));
}

TEST_F(RemedyLimits, AShebangOpensNoOthersHome) {
  disk_.at("/home/bob").mode(0700);
  disk_.file("/home/bob/x", kScript).mode(0700).owner(kBob, kBob);
  disk_.file("/srv/www/ann/a.cgi", "#!/home/bob/x\n").mode(0755).owner(kAnn, kAnn);
  const std::string said = fix("/srv/www/ann/a.cgi");
  EXPECT_THAT(said, AllOf(HasSubstr("the #! line of '/srv/www/ann/a.cgi' of ann leads to "
                                    "'/home/bob/x' by way of '/home/bob' of bob"),
                          HasSubstr("permguard explain '/home/bob/x'"), no_command()));
  disk_.at("/srv/www/ann/a.cgi").owner(kBob, kBob);
  EXPECT_THAT(fix("/srv/www/ann/a.cgi"), HasSubstr("setfacl -m u:www-data:x '/home/bob' && "));
  disk_.at("/srv/www/ann/a.cgi").owner(0, 0);
  EXPECT_THAT(fix("/srv/www/ann/a.cgi"), HasSubstr("setfacl -m u:www-data:x '/home/bob' && "));
  disk_.at("/srv/www/ann/a.cgi").mode(0757);
  EXPECT_THAT(fix("/srv/www/ann/a.cgi"),
              AllOf(HasSubstr("of root, which everybody may change, leads to"), no_command()));
}

// An interpreter of root's that names one of bob's: it is ann's script that asks for it.
TEST_F(RemedyLimits, AChainIsAsTrustworthyAsItsWorst) {
  disk_.file("/opt/i", "#!/home/bob/x\n").mode(0755);
  disk_.file("/home/bob/x", kScript).mode(0700).owner(kBob, kBob);
  disk_.file("/srv/www/a.cgi", "#!/opt/i\n").mode(0755);
  EXPECT_THAT(fix("/srv/www/a.cgi"), HasSubstr("'/home/bob/x'"));
  disk_.at("/srv/www/a.cgi").owner(kAnn, kAnn);
  EXPECT_THAT(fix("/srv/www/a.cgi"), AllOf(HasSubstr("a.cgi' of ann leads to"), no_command()));
}

TEST_F(RemedyLimits, CommandsOfEnvAndLoadersAreNamedByFilesToo) {
  disk_.file("/usr/bin/env", program()).mode(0755);
  disk_.file("/home/bob/tool", kScript).mode(0744).owner(kBob, kBob);
  disk_.file("/srv/www/ann/a.cgi", "#!/usr/bin/env /home/bob/tool\n").mode(0755).owner(kAnn, kAnn);
  EXPECT_THAT(fix("/srv/www/ann/a.cgi"),
              AllOf(HasSubstr("of ann leads to '/home/bob/tool'"), no_command()));
  disk_.at("/srv/www/ann/a.cgi").owner(0, 0);
  EXPECT_EQ(fix("/srv/www/ann/a.cgi"), "chmod o+x '/home/bob/tool'");
  disk_.file("/home/bob/ld.so", program()).mode(0744).owner(kBob, kBob);
  disk_.file("/srv/www/ann/b.cgi", program("/home/bob/ld.so")).mode(0755).owner(kAnn, kAnn);
  EXPECT_THAT(fix("/srv/www/ann/b.cgi"),
              AllOf(HasSubstr("the program '/srv/www/ann/b.cgi' of ann leads to"), no_command()));
}

// .htaccess: the same as a link.
TEST_F(RemedyLimits, WhatASettingNamesIsAsTrustworthyAsTheSetting) {
  disk_.file("/home/bob/wrap", kScript).mode(0744).owner(kBob, kBob);
  disk_.file("/srv/www/ann/.htaccess").owner(kAnn, kAnn);
  question_.named_by = [&] { return leads_of_setting(disk_, "/srv/www/ann/.htaccess", {}); };
  EXPECT_THAT(fix("/home/bob/wrap"),
              AllOf(HasSubstr("'/srv/www/ann/.htaccess' of ann leads to '/home/bob/wrap' of bob"),
                    no_command()));
  disk_.at("/srv/www/ann/.htaccess").owner(0, 0);
  EXPECT_EQ(fix("/home/bob/wrap"), "chmod o+x '/home/bob/wrap'");
}

TEST_F(RemedyLimits, ASettingsPathLeadsToCommandsOnly) {
  disk_.file("/usr/bin/env", program()).mode(0755);
  disk_.file("/home/bob/tool", kScript).mode(0744).owner(kBob, kBob);
  disk_.file("/srv/www/a.cgi", "#!/usr/bin/env tool\n").mode(0755);
  disk_.file("/srv/www/ann/.htaccess").owner(kAnn, kAnn);
  question_.search_path = "/home/bob:/usr/bin:/bin";
  question_.search_path_set_by = [&] {
    return leads_of_setting(disk_, "/srv/www/ann/.htaccess", {});
  };
  EXPECT_THAT(fix("/srv/www/a.cgi"),
              AllOf(HasSubstr("'/srv/www/ann/.htaccess' of ann leads to"), no_command()));
  disk_.at("/srv/www/a.cgi").mode(0644);
  EXPECT_THAT(exact_commands(ask("/srv/www/a.cgi").findings.at(0).remedy),
              ElementsAre("chmod a+x '/srv/www/a.cgi'"));
}

TEST_F(RemedyLimits, TheSystem) {
  for (const char* path :
       {"/usr", "/usr/bin/python3", "/etc/passwd", "/boot/x", "/root", "/bin/sh", "/sbin/x",
        "/lib/ld.so", "/lib64/ld.so", "/nix/store/x", "/gnu/store/x"}) {
    EXPECT_TRUE(is_of_the_system(path)) << path;
  }
  for (const char* path : {"/usr/local", "/usr/local/bin/x", "/srv/www", "/home/ann/usr/bin/x",
                           "/opt/x", "/var/www", "/nix/var", "/rooted", "/binary", "/"}) {
    EXPECT_FALSE(is_of_the_system(path)) << path;
  }
}

TEST_F(RemedyLimits, TheSystemsInterpretersAndLoadersAreLeftToTheirPackage) {
  disk_.at("/bin/sh").mode(0744);
  disk_.file("/srv/www/a.cgi", kScript).mode(0755);
  EXPECT_THAT(fix("/srv/www/a.cgi"),
              AllOf(HasSubstr("the mode its package gave it"), no_command()));
  disk_.at("/bin/sh").mode(0755);
  disk_.file("/lib64/ld.so", program()).mode(0644);
  disk_.file("/srv/www/b.cgi", program("/lib64/ld.so")).mode(0755);
  EXPECT_THAT(fix("/srv/www/b.cgi"),
              AllOf(HasSubstr("the mode its package gave it"), no_command()));
  disk_.file("/usr/local/bin/i", kScript).mode(0744);
  disk_.file("/srv/www/c.cgi", "#!/usr/local/bin/i\n").mode(0755);
  EXPECT_EQ(fix("/srv/www/c.cgi"), "chmod o+x '/usr/local/bin/i'");
}

TEST_F(RemedyLimits, AScriptOfTheSystemAndItsWayKeepTheirCommands) {
  disk_.file("/usr/lib/cgi-bin/a.cgi", kScript).mode(0644);
  EXPECT_EQ(fix("/usr/lib/cgi-bin/a.cgi"), "chmod a+x '/usr/lib/cgi-bin/a.cgi'");
  disk_.at("/usr/lib/cgi-bin/a.cgi").mode(0755);
  disk_.at("/usr/lib/cgi-bin").mode(0700);
  EXPECT_EQ(fix("/usr/lib/cgi-bin/a.cgi"), "setfacl -m u:www-data:x '/usr/lib/cgi-bin'");
  disk_.at("/usr/lib/cgi-bin").mode(0755);
  disk_.file("/usr/share/gitweb/gitweb.cgi", kScript).mode(0644);
  disk_.link("/usr/lib/cgi-bin/gitweb.cgi", "../../share/gitweb/gitweb.cgi");
  EXPECT_EQ(fix("/usr/lib/cgi-bin/gitweb.cgi"), "chmod a+x '/usr/share/gitweb/gitweb.cgi'");
}

// php-cgi itself is an interpreter, a script that starts it is like any other.
TEST_F(RemedyLimits, AWrapperIsAScriptOrAnInterpreter) {
  question_.role = Role::wrapper;
  disk_.file("/usr/bin/php-cgi", program()).mode(0644);
  EXPECT_THAT(fix("/usr/bin/php-cgi"), AllOf(HasSubstr("its package gave it"), no_command()));
  disk_.file("/usr/lib/cgi-bin/wrap", kScript).mode(0644);
  EXPECT_EQ(fix("/usr/lib/cgi-bin/wrap"), "chmod a+x '/usr/lib/cgi-bin/wrap'");
  disk_.at("/usr/lib/cgi-bin").mode(0700);
  EXPECT_THAT(fix("/usr/lib/cgi-bin/wrap"),
              HasSubstr("setfacl -m u:www-data:x '/usr/lib/cgi-bin'"));
}

TEST_F(RemedyLimits, RootsHomeAndFilesOfEtcAreNotOpened) {
  disk_.at("/").mode(0755);
  disk_.file("/root/www/a.cgi", kScript).mode(0755);
  disk_.at("/root").mode(0700);
  EXPECT_THAT(fix("/root/www/a.cgi"), AllOf(HasSubstr("below /root"), no_command()));
  disk_.file("/etc/shadow", "x").mode(0640);
  EXPECT_THAT(fix("/etc/shadow", Need::read), AllOf(HasSubstr("files below /etc"), no_command()));
  disk_.file("/etc/cgi/a.cgi", kScript).mode(0755);
  disk_.at("/etc/cgi").mode(0700);
  EXPECT_EQ(fix("/etc/cgi/a.cgi"), "setfacl -m u:www-data:x '/etc/cgi'");
}

TEST_F(RemedyLimits, SetIdProgramsAreOpenedToNobody) {
  for (const unsigned mode : {04744U, 02744U, 06644U}) {
    disk_.file("/srv/www/p.cgi", program()).mode(mode);
    EXPECT_THAT(fix("/srv/www/p.cgi"), AllOf(HasSubstr("setuid or setgid program"), no_command()));
  }
}

TEST_F(RemedyLimits, WhatIsNoProgramGetsNoXBit) {
  for (const char* content : {"GIF89a\x01\x02", "<?php echo 1;", "echo hello\n", ""}) {
    disk_.file("/srv/www/x.cgi", content).mode(0644);
    const Diagnosis diagnosis = ask("/srv/www/x.cgi");
    ASSERT_EQ(diagnosis.findings.size(), 2U);
    for (const Finding& finding : diagnosis.findings) EXPECT_THAT(finding.remedy.steps, IsEmpty());
    EXPECT_THAT(fix("/srv/www/x.cgi"), AllOf(HasSubstr("it is no program"), no_command()));
  }
}

// setuid(8) bits of sudo, world-writable spools: taking them away breaks what is not ann's.
TEST_F(RemedyLimits, NothingIsTakenAwayThroughAStrangersLink) {
  disk_.file("/usr/bin/sudo", kScript).mode(04755);
  disk_.link("/srv/www/ann/l.cgi", "/usr/bin/sudo").owner(kAnn, kAnn);
  disk_.link("/srv/www/l.cgi", "/usr/bin/sudo");
  disk_.file("/home/bob/dir/w.cgi", kScript).mode(0757).owner(kBob, kBob);
  disk_.link("/srv/www/ann/dir", "/home/bob/dir").owner(kAnn, kAnn);
  const auto risk = [&](const std::string& path) {
    question_.target = path;
    return risks_of_file(examiner(), question_).at(0);
  };
  EXPECT_TRUE(risk("/srv/www/ann/l.cgi").remedy.withheld);
  EXPECT_THAT(exact_commands(risk("/srv/www/l.cgi").remedy),
              ElementsAre("chmod u-s '/usr/bin/sudo'"));
  EXPECT_TRUE(risk("/srv/www/ann/dir/w.cgi").remedy.withheld) << "a directory on the way";
}

TEST_F(RemedyLimits, ADesiredStateIsNotForcedUponAStrangersFile) {
  disk_.file("/etc/shadow", "x").mode(0640);
  disk_.link("/srv/www/ann/a.cgi", "/etc/shadow").owner(kAnn, kAnn);
  disk_.file("/srv/www/ann/b.cgi", "x").mode(0640).owner(kAnn, kAnn);
  for (const auto& [name, told] :
       {std::pair{"/srv/www/ann/a.cgi", false}, std::pair{"/srv/www/ann/b.cgi", true}}) {
    question_.target = name;
    DesiredState desired;
    desired.mode = 0644;
    desired.uid = kBob;
    const FileStatus file = disk_.target_status(name).value;
    std::vector<Finding> drift = drift_of(names_, name, {name, file, {}}, desired);
    ASSERT_EQ(drift.size(), 2U);
    heed_drift(examiner(), question_, drift);
    for (const Finding& finding : drift) EXPECT_EQ(finding.remedy.withheld, !told) << name;
  }
}

TEST_F(RemedyLimits, WhatTheUserNamespaceOrAMountWouldRefuseIsSaid) {
  disk_.file("/srv/www/a.cgi", kScript).mode(0644);
  surroundings_.users = parse_id_map("0 100000 65536\n", true);
  EXPECT_THAT(fix("/srv/www/a.cgi"), HasSubstr("chmod"));
  disk_.at("/srv/www/a.cgi").owner(65534, 0);
  EXPECT_THAT(fix("/srv/www/a.cgi"),
              AllOf(HasSubstr("not mapped in the user namespace"), no_command()));
  disk_.at("/srv/www/a.cgi").owner(0, 0);
  disk_.mount_at("/srv", {.read_only = true, .point = "/srv"});
  EXPECT_THAT(fix("/srv/www/a.cgi"), HasSubstr("'/srv' is read-only"));
  disk_.at("/srv/www/a.cgi").mode(0757);
  EXPECT_TRUE(risks_of_file(examiner(), question_).at(0).remedy.withheld);
}

// The same directory by two ways, of which one is fine.
TEST_F(RemedyLimits, WhatOneWayMayOpenIsOpenForTheOther) {
  disk_.directory("/opt/app").mode(0700);
  disk_.file("/opt/app/i", kScript).mode(0755);
  disk_.file("/opt/app/a.cgi", "#!/opt/app/i\n").mode(0755).owner(kAnn, kAnn);
  EXPECT_EQ(fix("/opt/app/a.cgi"), "setfacl -m u:www-data:x '/opt/app'");
}

TEST_F(RemedyLimits, PathsOfAJailAreWrittenAsSeenFromOutside) {
  disk_.file("/home/bob/key", "secret").mode(0600).owner(kBob, kBob);
  disk_.link("/srv/www/ann/leak.txt", "/home/bob/key").owner(kAnn, kAnn);
  question_.outside = "/jail";
  EXPECT_THAT(fix("/srv/www/ann/leak.txt", Need::read),
              AllOf(HasSubstr("link '/jail/srv/www/ann/leak.txt'"),
                    HasSubstr("explain '/jail/home/bob/key'")));
}

}  // namespace
}  // namespace permguard
