// SPDX-License-Identifier: Apache-2.0
#include "core/suexec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "support/fake_filesystem.h"

namespace permguard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uid_t kAnn = 1001;
constexpr uid_t kServer = 33;
constexpr const char* kBinary = "/usr/lib/apache2/suexec";

TEST(SuexecSettings, AreReadFromWhatDebiansPristineBinaryPrints) {
  const auto settings = parse_suexec_version(
      " -D AP_DOC_ROOT=\"/var/www\"\n -D AP_GID_MIN=101\n -D AP_HTTPD_USER=\"www-data\"\n"
      " -D AP_LOG_EXEC=\"/var/log/apache2/suexec.log\"\n"
      " -D AP_SAFE_PATH=\"/usr/local/bin:/usr/bin:/bin\"\n -D AP_SUEXEC_UMASK=022\n"
      " -D AP_UID_MIN=102\n -D AP_USERDIR_SUFFIX=\"public_html\"\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->document_root, "/var/www");
  EXPECT_EQ(settings->min_gid, 101U);
  EXPECT_EQ(settings->min_uid, 102U);
  EXPECT_EQ(settings->caller, "www-data");
  EXPECT_EQ(settings->log, "/var/log/apache2/suexec.log");
  EXPECT_EQ(settings->safe_path, "/usr/local/bin:/usr/bin:/bin");
  EXPECT_EQ(settings->userdir_suffix, "public_html");
  EXPECT_EQ(settings->config_directory, "");
}

TEST(SuexecSettings, OfSuexecCustomNameTheConfigurationDirectoryWithoutQuotes) {
  const auto settings = parse_suexec_version(
      " -D SUEXEC_CONFIG_DIR=/etc/apache2/suexec/\n -D AP_GID_MIN=100\n"
      " -D AP_LOG_SYSLOG\n -D AP_SAFE_PATH=\"/bin\"\n -D AP_UID_MIN=100\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->config_directory, "/etc/apache2/suexec/");
  EXPECT_EQ(settings->log, "");
  EXPECT_EQ(settings->caller, "");
}

TEST(SuexecSettings, AreNotFoundInOtherTexts) {
  for (const char* text : {"", "suexec policy violation: see suexec log for more details\n", "=\n",
                           " -D AP_UID_MIN=100\n", " -D AP_DOC_ROOT\n", " -D AP_DOC_ROOT=\"\"\n"}) {
    EXPECT_FALSE(parse_suexec_version(text)) << text;
  }
}

TEST(SuexecCustomConfig, LosesBlanksAndSlashesAtLineEnds) {
  const SuexecConfigFile config = parse_suexec_custom_config("/srv/www// \t\r\npublic_html/\nmore");
  EXPECT_EQ(config.document_root, "/srv/www");
  EXPECT_EQ(config.userdir_suffix, "public_html");
}

TEST(SuexecCustomConfig, MayLackLines) {
  EXPECT_EQ(parse_suexec_custom_config("").document_root, std::nullopt);
  EXPECT_EQ(parse_suexec_custom_config("/srv/www\n").userdir_suffix, std::nullopt);
  EXPECT_EQ(parse_suexec_custom_config("\n\n").userdir_suffix, "");
  EXPECT_EQ(parse_suexec_custom_config("/srv/www\nx").userdir_suffix, "x");
}

TEST(SuexecCustomConfig, IsReadInPiecesOfABufferAndAsCStrings) {
  const SuexecConfigFile longer = parse_suexec_custom_config("/" + std::string(5000, 'a') + "\n");
  EXPECT_EQ(longer.document_root->size(), 4096U);
  EXPECT_EQ(longer.userdir_suffix->size(), 905U);
  using std::literals::operator""s;
  EXPECT_EQ(parse_suexec_custom_config("/srv\0/www\nx\n"s).document_root, "/srv");
}

TEST(SuexecBinary, IsRecognisedByTheMessageOfItsFurtherStep) {
  EXPECT_TRUE(
      suexec_opens_directory("\x7f"
                             "ELF cannot open current working directory\n"));
  EXPECT_FALSE(suexec_opens_directory("cannot get current working directory"));
}

/// A disk on which suexec would run /var/www/cgi/a.cgi as ann.
class SuexecPolicyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    names_.users = {{0, "root"}, {kServer, "www-data"}, {kAnn, "ann"}};
    names_.groups = {{0, "root"}, {kServer, "www-data"}, {kAnn, "ann"}};
    disk_
        .file(kBinary,
              "\x7f"
              "ELF")
        .mode(04750)
        .owner(0, kServer);
    disk_.directory("/var/log/apache2");
    disk_.directory("/var/www/cgi").owner(kAnn, kAnn);
    disk_.file("/var/www/cgi/a.cgi", "#!/bin/sh\n").mode(0755).owner(kAnn, kAnn);
    settings_.binary = kBinary;
    settings_.document_root = "/var/www";
    settings_.userdir_suffix = "public_html";
    settings_.caller = "www-data";
    settings_.log = "/var/log/apache2/suexec.log";
    settings_.opens_directory = true;
    question_.script.target = "/var/www/cgi/a.cgi";
    question_.script.who = {.uid = kServer, .gid = kServer, .groups = {}, .name = "www-data"};
    question_.target.who = {.uid = kAnn, .gid = kAnn, .groups = {kAnn}, .name = "ann"};
    question_.target.home = "/home/ann";
  }

  std::vector<Finding> judge() {
    return judge_suexec_policy({disk_, names_, nullptr, surroundings_}, settings_, question_);
  }
  std::vector<std::string> codes() {
    std::vector<std::string> codes;
    for (const Finding& finding : judge()) {
      EXPECT_EQ(finding.role, Role::suexec);
      EXPECT_EQ(finding.certainty, Certainty::modelled);
      EXPECT_EQ(finding.target, question_.script.target);
      codes.emplace_back(name_of(finding.code));
    }
    return codes;
  }
  /// The only finding's steps: "chmod go-w /path".
  std::vector<std::string> fixes(const Finding& finding) {
    std::vector<std::string> fixes;
    for (const FixStep& step : finding.remedy.steps) {
      EXPECT_EQ(step.inode, disk_.status(step.path).value.inode);
      const char* command = step.kind == FixStep::Kind::chmod   ? "chmod "
                            : step.kind == FixStep::Kind::chown ? "chown "
                                                                : "setfacl ";
      fixes.push_back(command + step.spec + " " + step.path);
    }
    return fixes;
  }

  test::FakeFilesystem disk_;
  test::FakeNames names_;
  Surroundings surroundings_;
  SuexecSettings settings_;
  SuexecQuestion question_;
};

TEST_F(SuexecPolicyTest, AcceptsWhatItShould) {
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(SuexecPolicyTest, ReportsAllViolationsAtOnceInSuexecsOrder) {
  settings_.document_root = "/srv";
  settings_.min_uid = settings_.min_gid = 2000;
  disk_.directory("/srv");
  disk_.at("/var/www/cgi").mode(0777).owner(0, 0);
  disk_.at("/var/www/cgi/a.cgi").mode(06677).owner(0, 0);
  EXPECT_THAT(codes(), ElementsAre("uid-too-low", "gid-too-low", "outside-docroot", "dir-writable",
                                   "writable", "setid", "owner-mismatch", "owner-mismatch",
                                   "owner-cannot-execute"));
}

TEST_F(SuexecPolicyTest, FixesTakeWriteBitsAndGiveOwners) {
  disk_.at("/var/www/cgi").mode(0775).owner(0, kAnn);
  disk_.at("/var/www/cgi/a.cgi").mode(04677).owner(kAnn, 0);
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(6));
  EXPECT_THAT(fixes(findings[0]), ElementsAre("chmod go-w /var/www/cgi"));
  EXPECT_THAT(fixes(findings[1]), ElementsAre("chmod go-w /var/www/cgi/a.cgi"));
  EXPECT_THAT(fixes(findings[2]), ElementsAre("chmod ug-s /var/www/cgi/a.cgi"));
  EXPECT_THAT(fixes(findings[3]), ElementsAre("chown ann:ann /var/www/cgi"));
  EXPECT_THAT(fixes(findings[4]), ElementsAre("chown ann:ann /var/www/cgi/a.cgi"));
  EXPECT_THAT(fixes(findings[5]), ElementsAre("chmod u+x /var/www/cgi/a.cgi"));
  EXPECT_EQ(findings[3].detail, "ann:ann");
}

// Its new owner's class counts then, and the server must still get in.
TEST_F(SuexecPolicyTest, AHandedOverDirectoryStaysOpenToOwnerAndServer) {
  disk_.at("/var/www/cgi").mode(0050).owner(0, kServer);
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(3));
  EXPECT_EQ(findings[2].code, Code::owner_mismatch);
  EXPECT_THAT(fixes(findings[2]),
              ElementsAre("chown ann:ann /var/www/cgi", "chmod u+rx /var/www/cgi",
                          "setfacl u:www-data:x /var/www/cgi"));
}

// `chown ann '/usr/lib/cgi-bin'` would give her everybody's scripts.
TEST_F(SuexecPolicyTest, NothingOutsideTheDocumentRootIsGivenAway) {
  disk_.directory("/usr/lib/cgi-bin");
  disk_.file("/usr/lib/cgi-bin/a.cgi", "#!/bin/sh\n").mode(0755);
  question_.script.target = "/usr/lib/cgi-bin/a.cgi";
  EXPECT_THAT(codes(), ElementsAre("outside-docroot", "owner-mismatch", "owner-mismatch"));
  for (const Finding& finding : judge()) {
    EXPECT_THAT(fixes(finding), IsEmpty());
    if (finding.code != Code::owner_mismatch) continue;
    EXPECT_THAT(finding.remedy.advice, HasSubstr("below suexec's document root"));
  }
}

TEST_F(SuexecPolicyTest, TheDocumentRootItselfIsNotGivenAway) {
  disk_.file("/var/www/a.cgi", "#!/bin/sh\n").mode(0755);
  question_.script.target = "/var/www/a.cgi";
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].path, "/var/www");
  EXPECT_THAT(fixes(findings[0]), IsEmpty());
  EXPECT_THAT(fixes(findings[1]), ElementsAre("chown ann:ann /var/www/a.cgi"));
  question_.target.userdir = true;  // but for a user's own
  disk_.directory("/home/ann/public_html");
  disk_.file("/home/ann/public_html/a.cgi", "#!/bin/sh\n").mode(0755);
  question_.script.target = "/home/ann/public_html/a.cgi";
  EXPECT_THAT(fixes(judge().at(0)), ElementsAre("chown ann:ann /home/ann/public_html"));
}

// A directory that ann's link leads to stays bob's.
TEST_F(SuexecPolicyTest, NothingIsGivenAwayThroughALink) {
  constexpr uid_t kBob = 1002;
  names_.users[kBob] = "bob";
  disk_.directory("/var/www/bob").mode(0700).owner(kBob, kBob);
  disk_.file("/var/www/bob/a.cgi", "#!/bin/sh\n").mode(0755).owner(kBob, kBob);
  disk_.link("/var/www/cgi/bob", "/var/www/bob").owner(kAnn, kAnn);
  question_.script.target = "/var/www/cgi/bob/a.cgi";
  const auto findings = judge();
  ASSERT_FALSE(findings.empty());
  for (const Finding& finding : findings) {
    EXPECT_THAT(fixes(finding), IsEmpty());
    EXPECT_THAT(finding.remedy.advice, HasSubstr("link '/var/www/cgi/bob' of ann leads to"));
  }
}

TEST_F(SuexecPolicyTest, NamelessUsersAreGivenFilesByNumber) {
  question_.target.who.name = "#1001";
  names_.groups.erase(kAnn);
  disk_.at("/var/www/cgi/a.cgi").owner(0, 0);
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_THAT(fixes(findings[0]), ElementsAre("chown 1001:1001 /var/www/cgi/a.cgi"));
}

TEST_F(SuexecPolicyTest, OwnerWithoutExecuteBitIsRefusedWhateverOthersHave) {
  disk_.at("/var/www/cgi/a.cgi").mode(0655);
  EXPECT_THAT(codes(), ElementsAre("owner-cannot-execute"));
}

TEST_F(SuexecPolicyTest, ALinkIsRefusedAndNotFollowed) {
  disk_.remove("/var/www/cgi/a.cgi");
  disk_.file("/srv/bad.cgi").mode(0777);
  disk_.link("/var/www/cgi/a.cgi", "/srv/bad.cgi");
  EXPECT_THAT(codes(), ElementsAre("symlink"));
}

TEST_F(SuexecPolicyTest, LinkedDirectoriesAreJudgedWhereTheyLead) {
  disk_.link("/srv/site", "/var/www/cgi");
  question_.script.target = "/srv/site/a.cgi";
  EXPECT_THAT(codes(), IsEmpty());
  settings_.document_root = "/srv";
  EXPECT_THAT(codes(), ElementsAre("outside-docroot"));
}

TEST_F(SuexecPolicyTest, DebianComparesWholeNamesHttpdDoesNot) {
  disk_.directory("/var/www-old").owner(kAnn, kAnn);
  disk_.file("/var/www-old/a.cgi").mode(0755).owner(kAnn, kAnn);
  question_.script.target = "/var/www-old/a.cgi";
  EXPECT_THAT(codes(), ElementsAre("outside-docroot"));
  settings_.opens_directory = false;
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(SuexecPolicyTest, DebianOpensTheDirectoryHttpdDoesNot) {
  disk_.at("/var/www/cgi").mode(0355);
  EXPECT_THAT(codes(), ElementsAre("read-denied"));
  settings_.opens_directory = false;
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(SuexecPolicyTest, ADirectoryOfSomebodyElseIsGivenNotOpened) {
  disk_.at("/var/www/cgi").mode(0700).owner(0, 0);
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(3));
  for (const Finding& finding : findings) {
    EXPECT_THAT(fixes(finding),
                ElementsAre("chown ann:ann /var/www/cgi", "setfacl u:www-data:x /var/www/cgi"));
  }
  EXPECT_EQ(findings[0].code, Code::search_denied);
  EXPECT_EQ(findings[1].code, Code::read_denied);
  EXPECT_EQ(findings[2].code, Code::owner_mismatch);
}

TEST_F(SuexecPolicyTest, TheTargetMustReachDocumentRootAndDirectory) {
  disk_.at("/var").mode(0750);
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].code, Code::search_denied);
  EXPECT_EQ(findings[0].path, "/var");
  EXPECT_EQ(findings[0].detail, "/var/www");
  disk_.at("/var").mode(0755);
  disk_.at("/var/www").mode(0700);
  EXPECT_THAT(codes(), ElementsAre("search-denied"));
}

TEST_F(SuexecPolicyTest, AMissingDocumentRootIsSaid) {
  settings_.document_root = "/srv/nowhere";
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].code, Code::not_found);
  EXPECT_EQ(findings[0].detail, "/srv/nowhere");
}

TEST_F(SuexecPolicyTest, UserDirectoriesAreBelowTheHome) {
  disk_.directory("/home/ann/public_html").owner(kAnn, kAnn);
  disk_.file("/home/ann/public_html/a.cgi").mode(0755).owner(kAnn, kAnn);
  question_.script.target = "/home/ann/public_html/a.cgi";
  EXPECT_THAT(codes(), ElementsAre("outside-docroot"));
  question_.target.userdir = true;
  EXPECT_THAT(codes(), IsEmpty());
  question_.target.home = "/nonexistent";
  EXPECT_THAT(codes(), ElementsAre("not-found"));
}

TEST_F(SuexecPolicyTest, UnknownTargetsAreNamedByNumber) {
  question_.target.user_known = question_.target.group_known = false;
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].code, Code::user_unknown);
  EXPECT_EQ(findings[0].detail, "1001");
  EXPECT_EQ(findings[1].code, Code::group_unknown);
}

TEST_F(SuexecPolicyTest, RootIsRefusedWhateverTheMinimum) {
  settings_.min_uid = settings_.min_gid = 0;
  question_.target.who = {.uid = 0, .gid = 0, .groups = {}, .name = "root", .dac_override = true};
  EXPECT_THAT(codes(),
              ElementsAre("uid-too-low", "gid-too-low", "owner-mismatch", "owner-mismatch"));
}

TEST_F(SuexecPolicyTest, TheCallerMustBeTheUserItWasBuiltFor) {
  settings_.caller = "apache";
  EXPECT_THAT(codes(), ElementsAre("wrong-caller"));
}

TEST_F(SuexecPolicyTest, SuexecItselfMustBeExecutableArmedAndAbleToLog) {
  disk_.at(kBinary).mode(0750).owner(0, 0);
  disk_.remove("/var/log/apache2");
  disk_.mount_at("/usr", {.nosuid = true, .point = "/usr"});
  surroundings_.no_new_privs = true;
  EXPECT_THAT(codes(),
              ElementsAre("execute-denied", "not-setuid-root", "nosuid", "no-new-privs", "no-log"));
}

TEST_F(SuexecPolicyTest, SyslogNeedsNoFile) {
  disk_.remove("/var/log/apache2");
  settings_.log.clear();
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(SuexecPolicyTest, ALogDirectoryThatCannotBeLookedAtIsNoFinding) {
  disk_.fail(test::FakeFilesystem::Call::status, "/var/log/apache2", EACCES);
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(SuexecPolicyTest, SuexecCustomTakesRootAndSuffixFromItsFile) {
  settings_.document_root.clear();
  settings_.config = parse_suexec_custom_config("/var/www/\npublic_html\n");
  EXPECT_THAT(codes(), IsEmpty());
  settings_.config = parse_suexec_custom_config("/srv\npublic_html\n");
  disk_.directory("/srv");
  EXPECT_THAT(codes(), ElementsAre("outside-docroot"));
}

TEST_F(SuexecPolicyTest, SuexecCustomWithoutAFileForTheCallerServesHimNotAtAll) {
  settings_.config.emplace().path = "/etc/apache2/suexec/www-data";
  const auto findings = judge();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].code, Code::wrong_caller);
  EXPECT_EQ(findings[0].detail, "no file /etc/apache2/suexec/www-data");
}

TEST_F(SuexecPolicyTest, SuexecCustomsFileMayTurnRequestsOff) {
  settings_.config = parse_suexec_custom_config("#/var/www\n#public_html\n");
  EXPECT_THAT(codes(), ElementsAre("disabled"));
  question_.target.userdir = true;
  EXPECT_THAT(codes(), ElementsAre("disabled"));
}

TEST_F(SuexecPolicyTest, SuexecCustomsFileMayBeWrong) {
  for (const char* text : {"", "/var/www\n", "/./var/www\nx\n", "//var/www\nx\n"}) {
    settings_.config = parse_suexec_custom_config(text);
    EXPECT_EQ(codes().front(), "bad-config") << text;
  }
}

/// The whole diagnosis on that disk, with an interpreter.
class SuexecDiagnosisTest : public SuexecPolicyTest {
 protected:
  void SetUp() override {
    SuexecPolicyTest::SetUp();
    disk_.file("/bin/sh", "#!/bin/true\n").mode(0755);
    disk_.file("/bin/true", "#!/bin/false\n").mode(0755);
    disk_.file("/bin/false", std::string("\x7f") + "ELF").mode(0755);
    settings_.safe_path = "/bin";
  }

  Diagnosis diagnosis() {
    return diagnose_suexec({disk_, names_, nullptr, surroundings_}, settings_, question_);
  }
  std::vector<std::string> tags() {
    std::vector<std::string> tags;
    for (const Finding& finding : diagnosis().findings) {
      EXPECT_EQ(finding.target, question_.script.target);
      tags.push_back(std::string(name_of(finding.role)) + "-" + name_of(finding.code));
    }
    return tags;
  }
};

TEST_F(SuexecDiagnosisTest, AsksTheTargetUserInTheEnvironmentSuexecGives) {
  disk_.file("/var/www/cgi/a.cgi", "#!/usr/bin/env nothing\n").mode(0755).owner(kAnn, kAnn);
  const Diagnosis all = diagnosis();
  EXPECT_EQ(all.question.who.name, "ann");
  EXPECT_EQ(all.question.search_path, "/bin");
  EXPECT_EQ(all.question.working_directory, "/var/www/cgi");
  EXPECT_THAT(tags(), ElementsAre("interpreter-not-found"));
}

TEST_F(SuexecDiagnosisTest, SaysWhatRemainsOnceThePolicyIsFulfilled) {
  disk_.file("/var/www/cgi/a.cgi", "#!/no/such\n").mode(0600).owner(0, 0);
  EXPECT_THAT(tags(), ElementsAre("suexec-owner-mismatch", "suexec-owner-cannot-execute",
                                  "interpreter-not-found"));
  disk_.file("/var/www/cgi/a.cgi", "#!/no/such\n").mode(0300).owner(0, 0);
  EXPECT_THAT(tags(),
              ElementsAre("suexec-owner-mismatch", "interpreter-not-found", "script-read-denied"));
}

TEST_F(SuexecDiagnosisTest, TheServersOwnWayComesFirst) {
  disk_.at("/var/www").mode(0700).owner(kAnn, kAnn);
  disk_.at("/var/www/cgi/a.cgi").mode(0600);
  const Diagnosis all = diagnosis();
  EXPECT_EQ(all.question.who.name, "www-data");
  ASSERT_FALSE(all.findings.empty());
  EXPECT_EQ(all.findings[0].role, Role::script);
  EXPECT_EQ(all.findings[0].code, Code::search_denied);
  EXPECT_EQ(all.findings[0].path, "/var/www");
  ASSERT_THAT(all.findings, SizeIs(::testing::Ge(2U)));
  EXPECT_EQ(all.findings[1].code, Code::owner_cannot_execute);
}

TEST_F(SuexecDiagnosisTest, SaysEachClosedDirectoryOnce) {
  disk_.at("/var").mode(0750).owner(0, kServer);
  EXPECT_EQ(tags().front(), "suexec-search-denied");
  const auto all = tags();
  EXPECT_EQ(std::count(all.begin(), all.end(), "script-search-denied"), 0);
}

TEST_F(SuexecDiagnosisTest, OfAMissingScriptIsTheOrdinaryOne) {
  disk_.at("/var/www/cgi").mode(0777);
  disk_.remove("/var/www/cgi/a.cgi");
  EXPECT_THAT(tags(), ElementsAre("script-not-found"));
}

TEST_F(SuexecPolicyTest, AScriptThatIsNotThereIsNotJudged) {
  disk_.at("/var/www/cgi").mode(0777);
  disk_.remove("/var/www/cgi/a.cgi");
  EXPECT_THAT(codes(), IsEmpty());
}

}  // namespace
}  // namespace permguard
