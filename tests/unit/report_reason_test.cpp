// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sentence.h"
#include "unit/report_samples.h"

namespace permguard {
namespace {

using samples::of_code;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string why(const Finding& finding) {
  return reason(finding, samples::www_data());
}

TEST(Reason, EveryCodeHasOne) {
  for (const CodeInfo& row : catalogue()) {
    for (const bool seen : {false, true}) {
      Finding finding = of_code(row.code, Role::script, "/srv/www");
      if (seen) finding.file = samples::status(FileType::regular, 0644);
      EXPECT_GT(why(finding).size(), 20U) << row.name;
      const std::string line = log_sentence({&finding, 1}, samples::www_data(), samples::kNow);
      EXPECT_THAT(line, Not(HasSubstr("  "))) << row.name;
      EXPECT_THAT(line, HasSubstr(std::string("; fix: ") + row.action)) << row.name;
    }
  }
}

struct DecisionCase {
  unsigned mode;
  DecidedBy by;
  const char* words;
};

class DecisionWords : public testing::TestWithParam<DecisionCase> {};

TEST_P(DecisionWords, NameTheClassThatDecided) {
  Finding finding = samples::search_denied();
  finding.file->mode = GetParam().mode;
  finding.decided_by = GetParam().by;
  EXPECT_THAT(why(finding), EndsWith(std::string(" ann:ann") + GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Classes, DecisionWords,
    testing::Values(
        DecisionCase{0700, DecidedBy::other, " gives search to its owner only"},
        DecisionCase{0750, DecidedBy::other, " gives search to its owner and group only"},
        DecisionCase{0070, DecidedBy::other, " gives search to its group only"},
        DecisionCase{0666, DecidedBy::other, " gives search to nobody"},
        DecisionCase{0700, DecidedBy::owning_group, " gives search to its owner only"},
        DecisionCase{0701, DecidedBy::owning_group, ", its group has no x although others have"},
        DecisionCase{0677, DecidedBy::owner, ", its owner has no x although others have"},
        DecisionCase{0670, DecidedBy::owner, ", its owner has no x although its group has"},
        DecisionCase{0600, DecidedBy::owner, " gives search to nobody"}));

TEST(Reason, FilesGrantWhatDirectoriesGive) {
  Finding finding = samples::not_executable();
  finding.code = Code::read_denied;
  finding.file->mode = 0640;
  finding.decided_by = DecidedBy::other;
  EXPECT_EQ(why(finding),
            "mode 0640 (-rw-r-----) root:root grants read to its owner and group only");
  finding.code = Code::connect_denied;
  finding.file->type = FileType::socket;
  EXPECT_EQ(why(finding), "mode 0640 (srw-r-----) root:root grants connect to its owner only");
}

TEST(Reason, NamesTheAclEntryThatDecided) {
  Finding finding = samples::search_denied();
  finding.file->mode = 0750;
  finding.decided_by = DecidedBy::named_user;
  finding.entry_name = "www-data";
  finding.decision.entry_perms = kRead;
  EXPECT_THAT(why(finding), EndsWith("ann:ann, ACL entry user:www-data:r-- has no x"));
  finding.decided_by = DecidedBy::named_group;
  finding.entry_name = "web";
  EXPECT_THAT(why(finding), EndsWith("ann:ann, ACL entry group:web:r-- has no x"));
  finding.decided_by = DecidedBy::owning_group;
  EXPECT_THAT(why(finding), EndsWith("ann:ann, ACL entry group::r-- has no x"));
}

TEST(Reason, NamesTheEntryThatTheMaskCut) {
  Finding finding = samples::search_denied();
  finding.decided_by = DecidedBy::mask;
  finding.decision.masked = DecidedBy::named_user;
  finding.decision.entry_perms = kRead | kExecute;
  finding.decision.mask = kRead;
  finding.entry_name = "www-data";
  EXPECT_THAT(why(finding),
              EndsWith("ann:ann, ACL entry user:www-data:r-x is cut to r-- by mask r--"));
  finding.decision.masked = DecidedBy::named_group;
  EXPECT_THAT(why(finding), HasSubstr("ACL entry group:www-data:r-x is cut"));
  finding.decision.masked = DecidedBy::owning_group;
  EXPECT_THAT(why(finding), HasSubstr("ACL entry group::r-x is cut"));
}

TEST(Reason, NamesWhatIsMissing) {
  EXPECT_EQ(why(of_code(Code::not_found, Role::interpreter, "/usr/bin/perl6")),
            "interpreter '/usr/bin/perl6' does not exist");
  Finding beyond = of_code(Code::not_found, Role::interpreter, "/opt/perl");
  beyond.detail = "/opt/perl/bin/perl";
  EXPECT_EQ(why(beyond),
            "'/opt/perl' does not exist, on the way to interpreter '/opt/perl/bin/perl'");
  EXPECT_EQ(why(of_code(Code::not_found, Role::script, "/srv/www/gone")),
            "'/srv/www/gone' does not exist");
  EXPECT_EQ(why(of_code(Code::not_found, Role::script, "/srv/www/cgi-bin/pay.cgi")),
            "no such file or directory");
}

TEST(Reason, NamesThePathInWhichEnvLooked) {
  Finding finding = of_code(Code::not_found, Role::command, "python9");
  finding.detail = "/usr/bin:/bin";
  EXPECT_EQ(why(finding), "command 'python9' is not in PATH '/usr/bin:/bin'");
  finding.detail.clear();
  EXPECT_EQ(why(finding), "command 'python9' is not found: PATH is empty");
}

TEST(Reason, SaysWhatStandsInThePlaceOfAFile) {
  Finding finding = of_code(Code::not_regular_file, Role::script, "/srv/www/cgi-bin/pay.cgi");
  finding.file = samples::status(FileType::fifo, 0644);
  finding.owner = finding.group = "root";
  EXPECT_EQ(why(finding), "mode 0644 (prw-r--r--) root:root, it is a FIFO, not a regular file");
  finding.code = Code::not_a_socket;
  finding.file->type = FileType::directory;
  EXPECT_EQ(why(finding), "mode 0644 (drw-r--r--) root:root, it is a directory, not a socket");
}

TEST(Reason, SaysWhyEnvRunsNoCommand) {
  Finding finding = of_code(Code::not_found, Role::command, "/srv/www/cgi-bin/pay.cgi");
  finding.detail = "unknown or ambiguous option '--x'";
  EXPECT_EQ(why(finding), "env runs no command: unknown or ambiguous option '--x'");
}

TEST(Reason, TellsWhatItDependsOnAndWhatMayExplainIt) {
  Finding finding = samples::search_denied();
  finding.hint = "the mount '/home' (tmpfs) may come from systemd's ProtectHome=";
  EXPECT_THAT(why(finding), EndsWith("gives search to its owner only, the mount '/home' (tmpfs) "
                                     "may come from systemd's ProtectHome="));
  finding.hint.clear();
  finding.conditional = true;
  EXPECT_THAT(why(finding), EndsWith("its owner only, which matters if it is a #! script"));
}

TEST(Reason, NamesThePartOnWhoseWayTheCulpritLies) {
  Finding finding = samples::search_denied();
  finding.role = Role::interpreter;
  finding.detail = "/home/ann/bin/perl";
  EXPECT_THAT(why(finding), EndsWith("gives search to its owner only, on the way to interpreter "
                                     "'/home/ann/bin/perl'"));
}

TEST(Reason, NamesTheMountAndTheVisibleLabel) {
  Finding finding = samples::not_executable();
  finding.code = Code::noexec_mount;
  finding.decided_by = DecidedBy::mount;
  finding.detail = "/srv";
  EXPECT_EQ(why(finding),
            "mode 0644 (-rw-r--r--) root:root, it lies on '/srv', which is mounted noexec");
  finding.code = Code::lsm_denied;
  finding.detail.clear();
  EXPECT_EQ(why(finding),
            "mode 0644 (-rw-r--r--) root:root, the kernel refuses what mode, ACL and "
            "mount allow: no visible reason");
  finding.detail = "AppArmor profile apache2";
  EXPECT_THAT(why(finding), EndsWith("mount allow: AppArmor profile apache2"));
}

TEST(Reason, NamesALinkAndWhereItLeads) {
  Finding finding = of_code(Code::dangling_symlink, Role::script, "/srv/current");
  finding.file = samples::status(FileType::symlink, 0777);
  finding.owner = finding.group = "root";
  finding.detail = "releases/7";
  EXPECT_EQ(why(finding),
            "link '/srv/current' mode 0777 (lrwxrwxrwx) root:root, the link points "
            "to 'releases/7', which does not exist");
}

}  // namespace
}  // namespace permguard
