// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

#include "unit/shared_memory.h"

namespace permguard {
namespace {

TEST(Counters, BeginAtZero) {
  SharedMemory memory(4);
  const CounterValues values = memory->counters();
  EXPECT_EQ(values.checks[0][0], 0u);
  EXPECT_EQ(values.incidents_evicted, 0u);
  EXPECT_EQ(values.duration_ns, 0u);
}

TEST(Counters, EachGoesToItsOwnPlace) {
  SharedMemory memory(4);
  memory->count_check(Handler::other, CheckResult::blocked, 10);
  memory->count_check(Handler::cgi, CheckResult::healthy, 20);
  memory->count_exonerated(Handler::fcgid);
  memory->count_finding(Code::not_listable, Role::directory);
  memory->count_event_dropped();
  const CounterValues values = memory->counters();
  EXPECT_EQ(values.checks[6][2], 1u);
  EXPECT_EQ(values.checks[0][0], 1u);
  EXPECT_EQ(values.checks[0][2], 0u);
  EXPECT_EQ(values.exonerated[1], 1u);
  EXPECT_EQ(values.findings[kCodeCount - 1][kRoleCount - 1], 1u);
  EXPECT_EQ(values.events_dropped, 1u);
  EXPECT_EQ(values.duration_ns, 30u);
}

// Prometheus: a bucket holds what is less than or equal to its bound.
TEST(Counters, DurationsFallIntoTheBucketsOfTheirBounds) {
  SharedMemory memory(4);
  for (const std::uint64_t ns : {0u, 1000u, 1001u, 5000u, 100000000u, 100000001u}) {
    memory->count_check(Handler::cgi, CheckResult::healthy, ns);
  }
  const CounterValues values = memory->counters();
  EXPECT_EQ(values.duration_buckets[0], 2u);
  EXPECT_EQ(values.duration_buckets[1], 2u);
  EXPECT_EQ(values.duration_buckets[kDurationBounds.size() - 1], 1u);
  EXPECT_EQ(values.duration_buckets[kDurationBounds.size()], 1u);
}

TEST(Counters, SayOnceAnIntervalThatEventsAreDropped) {
  SharedMemory memory(4);
  EXPECT_TRUE(memory->drop_is_due(1000, 3600, 900));
  EXPECT_FALSE(memory->drop_is_due(4599, 3600, 900));
  EXPECT_TRUE(memory->drop_is_due(4600, 3600, 900));
  EXPECT_FALSE(memory->drop_is_due(4601, 3600, 900));
  EXPECT_TRUE(memory->drop_is_due(4601, 3600, 4601)) << "an event log opened since then";
}

TEST(Counters, LoseNothingBetweenThreads) {
  SharedMemory memory(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10000; ++n) {
        memory->count_check(Handler::cgi, CheckResult::reported, 3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const CounterValues values = memory->counters();
  EXPECT_EQ(values.checks[0][1], 40000u);
  EXPECT_EQ(values.duration_ns, 120000u);
}

}  // namespace
}  // namespace permguard
