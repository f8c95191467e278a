// SPDX-License-Identifier: Apache-2.0
#include "report/sentence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/log_text.h"
#include "report/utf8.h"
#include "unit/report_samples.h"

namespace permguard {
namespace {

using samples::kChanged;
using samples::kNow;
using samples::of_code;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string sentence(const Finding& finding) {
  return log_sentence({&finding, 1}, samples::www_data(), kNow);
}

TEST(Sentence, ContractExampleOfAFileNobodyMayExecute) {
  EXPECT_EQ(sentence(samples::not_executable()),
            "not-executable: www-data cannot execute '/srv/www/cgi-bin/pay.cgi': mode 0644 "
            "(-rw-r--r--) root:root grants execute to nobody; changed 2023-11-05T09:58:12Z (1m48s "
            "ago); fix: chmod a+x '/srv/www/cgi-bin/pay.cgi'");
}

TEST(Sentence, ContractExampleOfALockedDirectory) {
  EXPECT_EQ(sentence(samples::search_denied()),
            "search-denied: www-data cannot execute '/home/ann/cgi/a.cgi': directory '/home/ann' "
            "mode 0700 (drwx------) ann:ann gives search to its owner only; entries or mode "
            "changed 2023-11-05T09:58:12Z (1m48s ago); fix: setfacl -m u:www-data:x '/home/ann'");
}

TEST(Sentence, MarksWhatIsOnlyModelled) {
  Finding finding = samples::not_executable();
  finding.certainty = Certainty::modelled;
  EXPECT_THAT(sentence(finding),
              StartsWith("not-executable (modelled): www-data cannot execute '"));
}

TEST(Sentence, SaysWhatIsNeeded) {
  Finding finding = samples::not_executable();
  finding.need = Need::read;
  EXPECT_THAT(sentence(finding), HasSubstr("www-data cannot read '"));
  finding.need = Need::connect;
  EXPECT_THAT(sentence(finding), HasSubstr("www-data cannot connect '"));
}

TEST(Sentence, ListsFurtherFindingsAndRepairsThemTogether) {
  Finding interpreter = of_code(Code::execute_denied, Role::interpreter, "/opt/perl");
  interpreter.file = samples::status(FileType::regular, 0744);
  interpreter.owner = interpreter.group = "root";
  interpreter.decided_by = DecidedBy::other;
  interpreter.remedy.steps = {samples::chmod("o+x", "/opt/perl")};
  const std::vector<Finding> both = {samples::not_executable(), interpreter};
  EXPECT_EQ(log_sentence(both, samples::www_data(), kNow),
            "not-executable: www-data cannot execute '/srv/www/cgi-bin/pay.cgi': mode 0644 "
            "(-rw-r--r--) root:root grants execute to nobody; also interpreter-execute-denied: "
            "interpreter '/opt/perl' mode 0744 (-rwxr--r--) root:root grants execute to its owner "
            "only; changed 2023-11-05T09:58:12Z (1m48s ago); fix: chmod a+x "
            "'/srv/www/cgi-bin/pay.cgi' && chmod o+x '/opt/perl'");
}

TEST(Sentence, SaysTheSameCommandOnce) {
  const std::vector<Finding> twice = {samples::search_denied(), samples::search_denied()};
  EXPECT_THAT(log_sentence(twice, samples::www_data(), kNow),
              EndsWith("ago); fix: setfacl -m u:www-data:x '/home/ann'"));
}

TEST(Sentence, AdviceOfTheLeadComesBeforeCommandsOfOthers) {
  Finding missing = of_code(Code::not_found, Role::interpreter, "/opt/perl");
  missing.remedy.advice = "install '/opt/perl'";
  const std::vector<Finding> both = {missing, samples::not_executable()};
  EXPECT_THAT(log_sentence(both, samples::www_data(), kNow),
              EndsWith("; fix: install '/opt/perl', then chmod a+x '/srv/www/cgi-bin/pay.cgi'"));
}

TEST(Sentence, NothingToSayOfNoFindings) {
  EXPECT_EQ(log_sentence({}, samples::www_data(), kNow), "");
}

/// PermGuardExpect mode=0644 on a script: giving it an x bit would be drift.
TEST(Sentence, TheDesiredStateComesBeforeAnyRight) {
  std::vector<Finding> both = {samples::not_executable()};
  Finding drift = both.front();
  drift.code = Code::mode_drift;
  drift.severity = Severity::drift;
  drift.detail = "0640";
  drift.remedy = {{{FixStep::Kind::chmod, drift.path, 0, "0640", false}}, {}};
  both.push_back(drift);
  const std::string text = log_sentence(both, samples::www_data(), kNow);
  EXPECT_THAT(text, testing::EndsWith("; fix: chmod 0640 '" + drift.path + "'"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("a+x")));
}

TEST(Sentence, LeavesTheChangeOutForMissingFilesAndMounts) {
  EXPECT_THAT(sentence(of_code(Code::not_found, Role::interpreter, "/opt/perl")),
              Not(HasSubstr("changed")));
  Finding mount = samples::not_executable();
  mount.code = Code::noexec_mount;
  mount.detail = "/srv";
  EXPECT_THAT(sentence(mount), Not(HasSubstr("changed")));
}

TEST(Sentence, DriftAndRiskNameTheTargetOnly) {
  Finding drift = samples::not_executable();
  drift.code = Code::mode_drift;
  drift.severity = Severity::drift;
  drift.detail = "0755";
  EXPECT_EQ(sentence(drift),
            "mode-drift: '/srv/www/cgi-bin/pay.cgi': mode 0644 (-rw-r--r--) root:root, desired is "
            "mode 0755; fix: chmod a+x '/srv/www/cgi-bin/pay.cgi'");
}

TEST(Sentence, AForbiddenRiskIsAnErrorLikeAnyOther) {
  Finding risk = samples::not_executable();
  risk.code = Code::world_writable;
  EXPECT_THAT(sentence(risk), StartsWith("world-writable: www-data cannot execute '"));
}

TEST(Sentence, KeepsAQuoteInANameUnambiguous) {
  Finding finding = samples::not_executable();
  finding.target = finding.path = "/srv/it's";
  finding.remedy.steps = {samples::chmod("a+x", finding.path)};
  EXPECT_THAT(sentence(finding), HasSubstr(R"(cannot execute '/srv/it'"'"'s': mode)"));
  EXPECT_THAT(sentence(finding), EndsWith(R"(; fix: chmod a+x '/srv/it'"'"'s')"));
}

TEST(Sentence, CutsLongPathsInTheMiddleAndNeverACommand) {
  Finding finding = samples::not_executable();
  finding.target = finding.path = "/srv/" + std::string(900, 'a') + "/pay.cgi";
  finding.remedy.steps = {samples::chmod("a+x", finding.path)};
  EXPECT_LE(sentence(finding).size(), kMaxSentence);
  EXPECT_THAT(sentence(finding), EndsWith("; fix: chmod a+x '" + finding.path + "'"));

  finding.target = finding.path = "/srv/" + std::string(4000, 'a') + "/pay.cgi";
  finding.remedy.steps = {samples::chmod("a+x", finding.path)};
  EXPECT_LE(sentence(finding).size(), kMaxSentence);
  EXPECT_THAT(sentence(finding), HasSubstr("aaa..."));
  EXPECT_THAT(sentence(finding), HasSubstr("aaa/pay.cgi'"));
  EXPECT_THAT(sentence(finding), Not(HasSubstr("chmod")));
}

TEST(Sentence, FitsTheLogAfterTheLogHasEscapedIt) {
  Finding finding = samples::not_executable();
  finding.target = "/srv/" + std::string(4000, '\xff');
  finding.path = "/opt/" + std::string(4000, '\'');
  EXPECT_LE(logged_size(sentence(finding)), kMaxSentence);
  EXPECT_LE(logged_size(recovered_sentence(finding, 1, 1)), kMaxSentence);
  EXPECT_LE(logged_size(repeat_sentence(finding, 1, 1)), kMaxSentence);
  EXPECT_LE(logged_size(exonerated_sentence("www-data", Need::execute, finding.target, 500,
                                            FailureCause::other)),
            kMaxSentence);
}

TEST(Sentence, ManyFindingsStillFit) {
  std::vector<Finding> many(40, samples::search_denied());
  for (Finding& finding : many) finding.target = finding.path = "/" + std::string(3000, 'x');
  const std::string text = log_sentence(many, samples::www_data(), kNow);
  EXPECT_LE(text.size(), kMaxSentence);
  EXPECT_THAT(text, HasSubstr("; also "));
}

TEST(Sentence, TagsNameTheRoleUnlessItIsTheScript) {
  EXPECT_EQ(tag(of_code(Code::not_found, Role::script, "")), "not-found");
  EXPECT_EQ(tag(of_code(Code::shebang_crlf, Role::wrapper_interpreter, "")),
            "wrapper-interpreter-shebang-crlf");
}

TEST(Sentence, OtherLinesAreAsTheContractSays) {
  const Finding finding = samples::not_executable();
  EXPECT_EQ(recovered_sentence(finding, 192, 4213),
            "recovered: not-executable '/srv/www/cgi-bin/pay.cgi' after 3m12s, 4213 requests "
            "affected");
  EXPECT_EQ(repeat_sentence(finding, 4213, 61),
            "not-executable: '/srv/www/cgi-bin/pay.cgi' still failing, 4213 more requests in 61 s");
  EXPECT_EQ(
      exonerated_sentence("www-data", Need::execute, finding.target, 500, FailureCause::no_headers),
      "exonerated: www-data can execute '/srv/www/cgi-bin/pay.cgi'; the request failed with "
      "status 500: no headers from the script");
}

TEST(Words, AgesHaveTwoUnits) {
  EXPECT_EQ(age_words(-5), "0s");
  EXPECT_EQ(age_words(0), "0s");
  EXPECT_EQ(age_words(59), "59s");
  EXPECT_EQ(age_words(60), "1m0s");
  EXPECT_EQ(age_words(108), "1m48s");
  EXPECT_EQ(age_words(3599), "59m59s");
  EXPECT_EQ(age_words(2 * 3600 + 61), "2h1m");
  EXPECT_EQ(age_words(3 * 86400 + 4 * 3600 + 7), "3d4h");
}

TEST(Words, TimesAreUtc) {
  EXPECT_EQ(rfc3339(kChanged), "2023-11-05T09:58:12Z");
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(INT64_MAX), "9999-12-31T23:59:59Z");
}

TEST(Words, ModesAreAsLsShowsThem) {
  EXPECT_EQ(symbolic_mode(samples::status(FileType::directory, 0700)), "drwx------");
  EXPECT_EQ(symbolic_mode(samples::status(FileType::directory, 01777)), "drwxrwxrwt");
  EXPECT_EQ(symbolic_mode(samples::status(FileType::directory, 01776)), "drwxrwxrwT");
  EXPECT_EQ(symbolic_mode(samples::status(FileType::regular, 04755)), "-rwsr-xr-x");
  EXPECT_EQ(symbolic_mode(samples::status(FileType::regular, 06644)), "-rwSr-Sr--");
  EXPECT_EQ(symbolic_mode(samples::status(FileType::socket, 0666)), "srw-rw-rw-");
}

TEST(LogText, CutsBetweenCharacters) {
  EXPECT_EQ(cut_in_the_middle("short", 8), "short");
  EXPECT_EQ(cut_in_the_middle("abcdefghijkl", 9), "abc...jkl");
  // An e with an acute accent takes 8 bytes of the log: no half of one may be left.
  const std::string cut = cut_in_the_middle("ab\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9yz", 24);
  EXPECT_EQ(utf8_prefix(cut), cut.size());
  EXPECT_LE(logged_size(cut), 24U);
}

TEST(LogText, CountsWhatTheLogWrites) {
  EXPECT_EQ(logged_size("a'\""), 3U);
  EXPECT_EQ(logged_size("\\\n\t"), 6U);
  EXPECT_EQ(logged_size("\x01\x7f\xff\f"), 16U);
}

}  // namespace
}  // namespace permguard
