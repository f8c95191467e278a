// SPDX-License-Identifier: Apache-2.0
//
// The real suexec binaries of Debian against core/suexec: for random trees they must agree on
// whether the script runs, and on the first thing that is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "core/suexec_policy.h"
#include "oracle/suexec_case.h"
#include "report/sentence.h"
#include "support/process.h"

namespace permguard::oracle {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kCases = 1500;
constexpr std::size_t kRepairs = 500;

/// How the real one shows the finding that leads: its exit codes, and words in its log.
struct Trace {
  Code code;
  std::vector<int> exits;
  const char* log;
};

const std::vector<Trace>& traces() {
  static const std::vector<Trace> all{
      {Code::execute_denied, {kNoExec}, ""},
      {Code::no_log, {1}, ""},
      {Code::wrong_caller, {103, 123}, ""},
      {Code::bad_config, {124, 125, 128}, "/etc/apache2/suexec/"},
      {Code::disabled, {126, 127}, "disabled in"},
      {Code::user_unknown, {121}, "invalid target user id"},
      {Code::group_unknown, {106}, "invalid target group id"},
      {Code::uid_too_low, {107}, "forbidden uid"},
      {Code::gid_too_low, {108}, "forbidden gid"},
      {Code::read_denied, {111}, "cannot open current working directory"},
      {Code::outside_docroot, {114}, "not in docroot"},
      {Code::dir_writable, {116}, "directory is writable"},
      {Code::symlink, {117}, "cannot stat program"},
      {Code::writable, {118}, "file is writable"},
      {Code::setid, {119}, "either setuid or setgid"},
      {Code::owner_mismatch, {120}, "mismatch"},
      {Code::owner_cannot_execute, {121}, "no execute permission"},
  };
  return all;
}

/// The step at which suexec stops, as the diagnosis foretells it.
struct Prediction {
  std::vector<int> exits;
  std::string log;
  bool runs = false;
};

Prediction predict(const Diagnosis& diagnosis, const Identity& caller,
                   const std::string& directory) {
  if (diagnosis.findings.empty()) return {{0}, "", true};
  const Finding& lead = diagnosis.findings.front();
  if (lead.role != Role::suexec) {
    const bool server = diagnosis.question.who == caller && lead.code == Code::search_denied;
    // Refused by execve, or the interpreter could not do its work.
    return {server ? std::vector{kNoDirectory} : std::vector{255, 2, 126, 127}, "", false};
  }
  const bool searched = lead.code == Code::search_denied || lead.code == Code::not_found ||
                        lead.code == Code::not_a_directory;
  if (searched) {
    if (lead.path == directory) return {{111}, "cannot open current working directory", false};
    // Where the directory is the document root itself, the first of two looks at it fails.
    const bool is_root = directory == "/var/www" || directory.ends_with("/public_html");
    const bool way = lead.detail == directory && !is_root;
    return {way ? std::vector{115} : std::vector{112, 113}, "", false};
  }
  const auto found = std::find_if(traces().begin(), traces().end(),
                                  [&](const Trace& trace) { return trace.code == lead.code; });
  return found == traces().end() ? Prediction{} : Prediction{found->exits, found->log, false};
}

std::string tags(const Diagnosis& diagnosis) {
  std::string text;
  for (const Finding& finding : diagnosis.findings) {
    text += std::string(name_of(finding.role)) + "-" + name_of(finding.code) + " " + finding.path +
            " (" + finding.detail + ")\n";
  }
  return text.empty() ? "healthy\n" : text;
}

class SuexecDifferential : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (access(GetParam(), X_OK) != 0) GTEST_SKIP() << GetParam() << " is not installed";
    world_ = std::make_unique<test::SuexecWorld>();
    if (!world_->forbidden().empty()) {
      GTEST_SKIP() << "no mount namespace on this machine: " << world_->forbidden();
    }
  }

  /// Nothing where the tree has no script; else whether suexec agreed.
  std::optional<bool> agrees(const SuexecCase& random) {
    const SuexecPlace place = suexec_place(filesystem_, random.script);
    if (!place.script_status) return std::nullopt;
    const Identity caller = lookup_identity(random.caller).value;
    const Diagnosis diagnosis = examine(random, GetParam());
    const SuexecRun real = run(random, GetParam());
    count(diagnosis);
    return compare(random, diagnosis, predict(diagnosis, caller, place.directory), real);
  }

  Diagnosis examine(const SuexecCase& asked, const std::string& binary) {
    const Identity caller = lookup_identity(asked.caller).value;
    const auto settings = read_suexec_settings(binary, caller.name);
    EXPECT_EQ(settings.error, 0) << binary;
    SuexecQuestion question;
    question.script.target = asked.script;
    question.script.who = caller;
    question.target = target_of(asked);
    return diagnose_suexec({filesystem_, names_, nullptr, surroundings_}, settings.value, question);
  }

  static SuexecTarget target_of(const SuexecCase& asked) {
    return lookup_suexec_target(asked.uid, asked.gid, asked.userdir).value;
  }

  static SuexecRun run(const SuexecCase& asked, const std::string& binary,
                       bool no_new_privs = false) {
    return run_suexec(binary, lookup_identity(asked.caller).value, target_of(asked), asked.script,
                      no_new_privs);
  }

  /// A script that suexec runs.
  SuexecCase healthy_case() {
    for (std::uint64_t seed = 0;; ++seed) {
      Dice dice(seed);
      SuexecCase random = build_suexec_case(*world_, dice);
      if (examine(random, GetParam()).healthy()) return random;
    }
  }

  /// The tags of the diagnosis, after suexec has shown that the script does not run.
  std::vector<std::string> tags_of_refused(const SuexecCase& asked, const std::string& binary,
                                           bool no_new_privs = false) {
    const SuexecRun real = run(asked, binary, no_new_privs);
    EXPECT_FALSE(real.marker) << real.log;
    std::vector<std::string> tags;
    for (const Finding& finding : examine(asked, binary).findings) {
      tags.push_back(std::string(name_of(finding.role)) + "-" + name_of(finding.code));
    }
    return tags;
  }

  static bool compare(const SuexecCase& random, const Diagnosis& diagnosis,
                      const Prediction& predicted, const SuexecRun& run) {
    const bool same_end = std::find(predicted.exits.begin(), predicted.exits.end(),
                                    run.exit_code) != predicted.exits.end();
    const bool same_words = run.log.find(predicted.log) != std::string::npos;
    const bool agreed = predicted.runs == run.marker && same_end && same_words;
    EXPECT_TRUE(agreed) << "suexec: exit " << run.exit_code << (run.marker ? ", ran" : "") << "\n"
                        << run.log << "diagnosis:\n"
                        << tags(diagnosis) << random.description << "caller " << random.caller
                        << " uid " << random.uid << " gid " << random.gid
                        << (random.userdir ? " userdir" : "");
    return agreed;
  }

  void count(const Diagnosis& diagnosis) {
    const bool healthy = diagnosis.findings.empty();
    ++leads_[healthy ? "healthy"
                     : std::string(name_of(diagnosis.findings[0].role)) + "-" +
                           name_of(diagnosis.findings[0].code)];
  }

  SystemFilesystem filesystem_;
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
  std::unique_ptr<test::SuexecWorld> world_;
  std::map<std::string, std::size_t> leads_;
};

TEST_P(SuexecDifferential, AgreesOnVerdictAndFirstReasonForRandomTrees) {
  const char* seed = std::getenv("PERMGUARD_SEED");
  Dice dice(seed != nullptr ? std::strtoull(seed, nullptr, 10) : 20240607);
  std::size_t disagreements = 0;
  for (std::size_t cases = 0; cases < kCases && disagreements < 5;) {
    const std::optional<bool> agreed = agrees(build_suexec_case(*world_, dice));
    if (!agreed) continue;
    ++cases;
    if (!*agreed) ++disagreements;
  }
  EXPECT_EQ(disagreements, 0U);
  for (const auto& [lead, times] : leads_) {
    RecordProperty(lead, static_cast<int>(times));
    if (std::getenv("PERMGUARD_VERBOSE") != nullptr) std::printf("%6zu %s\n", times, lead.c_str());
  }
  EXPECT_GE(leads_["healthy"], kCases / 20);
  for (const char* lead :
       {"suexec-outside-docroot", "suexec-owner-mismatch", "suexec-writable", "suexec-dir-writable",
        "suexec-setid", "suexec-symlink", "suexec-owner-cannot-execute", "suexec-uid-too-low",
        "suexec-gid-too-low", "suexec-wrong-caller", "suexec-search-denied", "suexec-read-denied",
        "suexec-no-log", "suexec-execute-denied"}) {
    EXPECT_GT(leads_[lead], 0U) << lead << " never led: the trees are too tame";
  }
}

TEST_P(SuexecDifferential, IsDisarmedByNoNewPrivileges) {
  const SuexecCase healthy = healthy_case();
  ASSERT_TRUE(run(healthy, GetParam()).marker);
  surroundings_.no_new_privs = true;
  EXPECT_THAT(tags_of_refused(healthy, GetParam(), true), ElementsAre("suexec-no-new-privs"));
}

TEST_P(SuexecDifferential, IsDisarmedByANosuidMount) {
  const SuexecCase healthy = healthy_case();
  const std::string copy = world_->copy_of(GetParam(), 04750, MS_NOSUID);
  EXPECT_THAT(tags_of_refused(healthy, copy), ElementsAre("suexec-nosuid"));
}

TEST_P(SuexecDifferential, IsDisarmedWithoutItsSetuidBit) {
  const SuexecCase healthy = healthy_case();
  const std::string copy = world_->copy_of(GetParam(), 0750, 0);
  EXPECT_THAT(tags_of_refused(healthy, copy), ElementsAre("suexec-not-setuid-root"));
}

TEST_P(SuexecDifferential, RunsWhereItsFileIsAsItShouldBe) {
  const SuexecCase healthy = healthy_case();
  const std::string copy = world_->copy_of(GetParam(), 04750, 0);
  EXPECT_TRUE(run(healthy, copy).marker);
  EXPECT_TRUE(examine(healthy, copy).healthy());
}

// What the log tells the operator to do is enough: the steps alone, as sh runs them.
TEST_P(SuexecDifferential, RunsTheScriptOnceAllFixesHaveBeenMade) {
  Dice dice(7);
  std::size_t repaired = 0;
  for (std::size_t i = 0; i < kRepairs; ++i) {
    const SuexecCase random = build_suexec_case(*world_, dice);
    const Diagnosis before = examine(random, GetParam());
    const bool commands =
        std::all_of(before.findings.begin(), before.findings.end(),
                    [](const Finding& finding) { return !finding.remedy.steps.empty(); });
    if (before.findings.empty() || !commands) continue;
    std::string script;
    for (const Finding& finding : before.findings) {
      for (const std::string& command : exact_commands(finding.remedy)) script += command + "\n";
    }
    EXPECT_TRUE(test::run({"sh", "-ec", script}).succeeded()) << script;
    EXPECT_TRUE(run(random, GetParam()).marker) << random.description << "diagnosis:\n"
                                                << tags(before) << script << "then:\n"
                                                << tags(examine(random, GetParam()));
    ++repaired;
  }
  EXPECT_GE(repaired, kRepairs / 10);
}

INSTANTIATE_TEST_SUITE_P(Binaries, SuexecDifferential,
                         ::testing::Values(test::kPristineSuexec, test::kCustomSuexec),
                         [](const auto& given) {
                           return std::string(std::strstr(given.param, "custom") != nullptr
                                                  ? "custom"
                                                  : "pristine");
                         });

}  // namespace
}  // namespace permguard::oracle
