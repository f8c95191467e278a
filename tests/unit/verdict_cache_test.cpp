// SPDX-License-Identifier: Apache-2.0
#include "incidents/verdict_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <utime.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "support/temp_tree.h"

namespace permguard::test {
namespace {

constexpr std::uint64_t kScript = 42;
constexpr std::uint64_t kStart = 5'000'000;
constexpr std::uint64_t kSecond = 1'000'000;

struct VerdictCacheTest : testing::Test {
  std::unique_ptr<VerdictCache> cache = std::make_unique<VerdictCache>();

  static std::vector<Probe> probes(std::size_t count) {
    std::vector<Probe> made(count);
    for (std::size_t i = 0; i < count; ++i) made[i].answer = i;
    return made;
  }
  /// Uses the verdict at `now`; which probe that took, or -1.
  int use(std::uint64_t now) {
    const auto turn = cache->find(kScript, now);
    if (!turn) return -1;
    cache->confirm(kScript, *turn, now);
    return static_cast<int>(turn->probe.answer);
  }
};

TEST_F(VerdictCacheTest, IsEmptyAtFirst) {
  EXPECT_FALSE(cache->find(kScript, kStart));
}

TEST_F(VerdictCacheTest, ALookIsGoodForASecond) {
  cache->store(kScript, kStart, probes(1), false);
  EXPECT_EQ(use(kStart), 0);
  EXPECT_EQ(use(kStart + kSecond), 0);
  EXPECT_EQ(use(kStart + kSecond + 1), -1);
  EXPECT_EQ(use(kStart - 1), -1) << "a look from the future";
  EXPECT_FALSE(cache->find(kScript + 1, kStart)) << "another script";
  EXPECT_FALSE(cache->find(kScript + 256, kStart)) << "another script in the same slot";
}

TEST_F(VerdictCacheTest, EachUseRepeatsTheNextProbe) {
  cache->store(kScript, kStart, probes(3), true);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(use(kStart + 1), i % 3);
}

TEST_F(VerdictCacheTest, AnUnconfirmedProbeIsRepeated) {
  cache->store(kScript, kStart, probes(3), true);
  EXPECT_EQ(cache->find(kScript, kStart)->index, 0U);
  EXPECT_EQ(cache->find(kScript, kStart)->index, 0U);
}

TEST_F(VerdictCacheTest, AllProbesInTurnAreANewLook) {
  cache->store(kScript, kStart, probes(2), true);
  EXPECT_EQ(use(kStart + 300'000), 0);
  EXPECT_EQ(use(kStart + 600'000), 1);  // as of kStart: the first instalments began there
  EXPECT_EQ(use(kStart + 700'000), 0);
  EXPECT_EQ(use(kStart + 900'000), 1);  // as of 600'000
  EXPECT_EQ(use(kStart + 600'000 + kSecond), 0);
  EXPECT_EQ(use(kStart + 600'000 + kSecond + 1), -1) << "nothing vouches for the other probe";
}

TEST_F(VerdictCacheTest, WhatIsNotRenewableEndsThoughItIsUsed) {
  cache->store(kScript, kStart, probes(1), false);
  for (std::uint64_t now = 0; now <= kSecond; now += 100'000) EXPECT_EQ(use(kStart + now), 0);
  EXPECT_EQ(use(kStart + kSecond + 1), -1);
}

TEST_F(VerdictCacheTest, ALateConfirmationOfAnOldLookCountsForNothing) {
  cache->store(kScript, kStart, probes(2), true);
  const auto turn = cache->find(kScript, kStart);
  EXPECT_EQ(use(kStart), 0);
  cache->confirm(kScript, *turn, kStart);  // another thread had the same turn
  EXPECT_EQ(use(kStart), 1);
}

TEST_F(VerdictCacheTest, ThreadsSeeWholeVerdictsOnly) {
  std::atomic<bool> torn{false};
  const auto work = [&](std::uint64_t script) {
    for (int i = 0; i < 20'000; ++i) {
      std::vector<Probe> made = probes(4);
      for (Probe& probe : made) probe.answer = script;
      cache->store(script, kStart, made, true);
      const auto turn = cache->find(script, kStart);
      if (turn && turn->probe.answer != script) torn = true;
      if (turn) cache->confirm(script, *turn, kStart);
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) threads.emplace_back(work, kScript + 256 * i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(torn);
}

/// A tree whose files changed long enough ago to be trusted: the change time of a file cannot be
/// set, so an old file of the system stands for the interpreter.
struct ProbesTest : testing::Test {
  TempTree tree;
  std::string script = tree.write("script", "#!/bin/sh\n", 0755);
  Probes recorded{script};
};

TEST_F(ProbesTest, RepeatWhatTheKernelWasAsked) {
  RecordingKernel kernel(recorded);
  EXPECT_TRUE(kernel.may_access(script, kRead | kExecute).allowed());
  EXPECT_TRUE(kernel.may_access("/bin/sh", kExecute).allowed());
  EXPECT_TRUE(kernel.may_access("/no/such/file", kExecute).refused());
  ASSERT_TRUE(recorded.complete());
  ASSERT_EQ(recorded.all().size(), 4U) << "the interpreter also by what stat says";
  for (const Probe& probe : recorded.all()) EXPECT_TRUE(probe.holds(script.c_str()));
  tree.chmod("script", 0644);
  EXPECT_FALSE(recorded.all()[0].holds(script.c_str()));
}

TEST_F(ProbesTest, AFileThatChangedJustNowIsNotTrusted) {
  RecordingKernel kernel(recorded);
  EXPECT_TRUE(kernel.may_access(tree.write("interpreter", "x", 0755), kExecute).allowed());
  EXPECT_FALSE(recorded.complete());
}

TEST_F(ProbesTest, AnotherFileInItsPlaceIsSeen) {
  recorded.record_access("/bin/sh", kExecute, 0);
  Probe probe = recorded.all()[1];
  EXPECT_TRUE(probe.holds(script.c_str()));
  probe.path = {"/bin/cat"};
  EXPECT_FALSE(probe.holds(script.c_str()));
  probe.path = {"/no/such/file"};
  EXPECT_FALSE(probe.holds(script.c_str()));
}

TEST_F(ProbesTest, WhatDoesNotFitMakesThemIncomplete) {
  recorded.record_access("/no/" + std::string(200, 'x'), kExecute, ENOENT);
  EXPECT_FALSE(recorded.complete());
  Probes many{script};
  for (std::size_t i = 0; i <= Probes::kMost; ++i) many.record_access("/none", kExecute, ENOENT);
  EXPECT_FALSE(many.complete());
  EXPECT_EQ(many.all().size(), Probes::kMost);
}

TEST_F(ProbesTest, NoneOrGivenUpIsIncomplete) {
  EXPECT_FALSE(recorded.complete());
  recorded.record_access(script, kExecute, 0);
  EXPECT_TRUE(recorded.complete());
  recorded.give_up();
  EXPECT_FALSE(recorded.complete());
}

TEST(Fingerprint, DependsOnEveryPartAndItsPlace) {
  const auto of = [](std::string_view one, std::string_view two) {
    return Fingerprint().add(one).add(two).value();
  };
  EXPECT_NE(of("ab", "c"), of("a", "bc"));
  EXPECT_NE(of("", "a"), of("a", ""));
  EXPECT_NE(Fingerprint().add(1).add(2).value(), Fingerprint().add(2).add(1).value());
  EXPECT_EQ(of("a", "b"), of("a", "b"));
}

}  // namespace
}  // namespace permguard::test
