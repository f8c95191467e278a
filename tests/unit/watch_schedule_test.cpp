// SPDX-License-Identifier: Apache-2.0
#include "httpd/watch_schedule.h"

#include <gtest/gtest.h>

namespace permguard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kNever(1'700'000'000);

TEST(WatchSchedule, TheFirstRunIsSoonAfterTheStart) {
  EXPECT_EQ(first_pause(kNever, seconds(60)), seconds(5));
  EXPECT_EQ(first_pause(kNever, seconds(3600)), seconds(5));
  EXPECT_EQ(first_pause(kNever, seconds(1)), milliseconds(500)) << "within one interval";
}

TEST(WatchSchedule, ARestartKeepsTheRhythm) {
  EXPECT_EQ(first_pause(seconds(10), seconds(60)), seconds(50));
  EXPECT_EQ(first_pause(seconds(58), seconds(60)), seconds(5)) << "not in the way of a start";
  EXPECT_EQ(first_pause(seconds(500), seconds(60)), seconds(5));
}

TEST(WatchSchedule, AClockThatWasSetBackDoesNotStopTheWatch) {
  EXPECT_EQ(first_pause(seconds(-86400), seconds(60)), seconds(60));
}

}  // namespace
}  // namespace permguard
