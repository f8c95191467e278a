// SPDX-License-Identifier: Apache-2.0
//
// The claim of this project: on any tree, for any user, permguard says "healthy" exactly when
// the kernel runs the script. Random trees, real execve, no disagreement either way.
//
//   PERMGUARD_ORACLE_SEED=n    repeats a run (printed by every run)
//   PERMGUARD_ORACLE_CASES=n   cases for all shards together; 20,000 unless told
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>

#include "oracle/bodies.h"
#include "oracle/generator.h"
#include "oracle/identities.h"
#include "oracle/playground.h"
#include "oracle/repro_script.h"
#include "oracle/shrink.h"
#include "oracle/truth.h"
#include "oracle/verdict.h"

namespace permguard::oracle {
namespace {

constexpr std::uint64_t kShards = 2;  // processes ctest may run side by side
constexpr std::uint64_t kCases = 20000;
constexpr int kShown = 3;  // failing cases shrunk and printed

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t seed_of_today() {
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

struct Disagreement {
  std::string target;
  std::size_t identity = 0;
  Mode mode = Mode::model;
};

class Oracle : public testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override {
    if (!ground_.obstacle().empty()) GTEST_SKIP() << ground_.obstacle();
    verdicts_.emplace(everybody_);
    ASSERT_EQ(verdicts_->error(), 0);
  }

  bool disagrees(const TreePlan& plan, const Disagreement& at) const {
    const auto truth = run(at.target, everybody_[at.identity], plan.search_path);
    const auto said = verdicts_->ask(at.target, at.identity, at.mode, plan.search_path);
    return truth.sure && !said.agrees(truth.ran);
  }

  // All identities and modes for one target; every disagreement found.
  std::vector<Disagreement> ask_all(const TreePlan& plan, const std::string& target) {
    std::vector<Disagreement> found;
    for (std::size_t i = 0; i < everybody_.size(); ++i) {
      const auto truth = run(target, everybody_[i], plan.search_path);
      ++cases_;
      healthy_ += truth.ran;
      unsure_ += !truth.sure;
      for (const Mode mode : kModes) {
        const auto said = verdicts_->ask(target, i, mode, plan.search_path);
        quick_ += mode == Mode::access_only && said.quick;
        if (truth.sure && !said.agrees(truth.ran)) found.push_back({target, i, mode});
      }
    }
    return found;
  }

  void show(const TreePlan& plan, const Disagreement& at) {
    const auto small = shrink(plan, [&](const TreePlan& smaller) {
      try {
        ground_.build(smaller);
        return disagrees(smaller, at);
      } catch (const std::exception&) {
        return false;
      }
    });
    ground_.build(small);
    const auto& who = everybody_[at.identity];
    const auto truth = run(at.target, who, small.search_path);
    const auto said = verdicts_->ask(at.target, at.identity, at.mode, small.search_path);
    std::string findings;
    for (const auto& finding : said.diagnosis.findings) {
      findings += std::string(" ") + name_of(finding.role) + "-" + name_of(finding.code);
    }
    ADD_FAILURE() << "permguard " << name_of(at.mode) << " says"
                  << (findings.empty() ? " healthy" : findings)
                  << (said.quick ? ", quickly healthy" : "") << "; the kernel "
                  << (truth.ran ? "ran it" : "did not run it") << " (errno " << truth.error << ")\n"
                  << repro_script(small, ground_, at.target, who);
  }

  const std::vector<Identity> everybody_ = identities();
  Playground ground_;
  const Programs programs_ = read_programs();
  std::optional<Verdicts> verdicts_;
  std::uint64_t cases_ = 0, healthy_ = 0, unsure_ = 0, quick_ = 0;
};

TEST_P(Oracle, AgreesWithTheKernelOnRandomTrees) {
  const auto seed = setting("PERMGUARD_ORACLE_SEED", seed_of_today());
  const auto cases = setting("PERMGUARD_ORACLE_CASES", kCases) / kShards;
  std::cout << "PERMGUARD_ORACLE_SEED=" << seed << " shard " << GetParam() << std::endl;
  Dice dice(seed * kShards + GetParam());
  Generator generator(dice, ground_, programs_);
  std::uint64_t disagreements = 0;
  int shown = 0;
  while (cases_ < cases) {
    const TreePlan plan = generator.plan();
    ground_.build(plan);
    for (const auto& target : plan.targets) {
      const auto found = ask_all(plan, target);
      disagreements += found.size();
      if (found.empty()) continue;
      if (shown++ < kShown) show(plan, found.front());
      break;  // the tree was taken apart
    }
  }
  std::cout << disagreements << " disagreements in " << cases_ << " cases, " << healthy_
            << " healthy, " << unsure_ << " left out" << std::endl;
  EXPECT_EQ(disagreements, 0u);
  EXPECT_GT(healthy_, cases_ / 5) << "the generator makes hardly any sound tree";
  EXPECT_LT(healthy_, cases_ * 4 / 5) << "the generator makes hardly any broken tree";
  EXPECT_LE(unsure_, cases_ / 100);
  EXPECT_GT(quick_, healthy_ * 9 / 10) << "the hot path doubts what is sound";
}

// env hands a file of unknown format to a shell, which a file of comments leaves without a word.
TEST(Truth, IsUnsureOfWhatEndsWellWithoutTheMarker) {
  Playground ground;
  if (!ground.obstacle().empty()) GTEST_SKIP() << ground.obstacle();
  const std::string directory = ground.plain() + "/d", script = directory + "/script";
  TreePlan plan;
  plan.files.resize(3);
  plan.files[0].kind = PlannedFile::Kind::directory;
  plan.files[0].path = directory;
  plan.files[1].path = script;
  plan.files[1].content = "#!/usr/bin/env silent\n" + script_body();
  plan.files[2].path = directory + "/silent";
  plan.files[2].content = "#!\n";
  ground.build(plan);
  const Truth silent = run(script, identities().back(), directory);
  EXPECT_FALSE(silent.ran);
  EXPECT_FALSE(silent.sure);
  const Truth failed = run(script, identities().back(), "/nonexistent");
  EXPECT_FALSE(failed.ran);
  EXPECT_TRUE(failed.sure);
}

INSTANTIATE_TEST_SUITE_P(Shard, Oracle, testing::Range<std::uint64_t>(0, kShards));

}  // namespace
}  // namespace permguard::oracle
