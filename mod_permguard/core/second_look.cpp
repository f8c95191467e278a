// SPDX-License-Identifier: Apache-2.0
#include "core/second_look.h"

#include <algorithm>
#include <string>

namespace permguard {
namespace {

constexpr unsigned kSticky = 01000;
// Another machine's clock may be ahead; what it stamped will not look old for so long.
constexpr std::int64_t kMostAhead = 2;
constexpr timespec kLongestTick{0, 10'000'000};  // CONFIG_HZ_100

bool is_busy(const FileStatus& file) {
  return file.type == FileType::directory && (file.mode & kSticky) != 0;
}

FileStatus without_time(FileStatus file) {
  file.size = 0;
  file.changed = 0;
  file.changed_ns = 0;
  return file;
}

/// A process's directory in /proc is as old as the question.
bool has_no_age(const Step& step) {
  return step.path.starts_with("/proc/");
}

bool is_unchanged(const Filesystem& filesystem, const Step& step, const TimeMark& began) {
  if (has_no_age(step)) return true;
  const Result<FileStatus> now = filesystem.status(step.path);
  if (!now) return false;
  if (is_busy(step.status)) return without_time(now.value) == without_time(step.status);
  return now.value == step.status && !began.may_precede(step.status);
}

bool is_unchanged(const Filesystem& filesystem, const Walk& walk, const TimeMark& began) {
  return std::all_of(walk.steps.begin(), walk.steps.end(),
                     [&](const Step& step) { return is_unchanged(filesystem, step, began); });
}

}  // namespace

TimeMark::TimeMark() {
  clock_gettime(CLOCK_REALTIME_COARSE, &moment_);
}

bool TimeMark::may_precede(const FileStatus& file) const {
  if (file.changed > moment_.tv_sec + kMostAhead) return false;
  return file.changed > moment_.tv_sec ||
         (file.changed == moment_.tv_sec && file.changed_ns >= moment_.tv_nsec);
}

void TimeMark::wait_for_next() const {
  timespec tick{};
  if (clock_getres(CLOCK_REALTIME_COARSE, &tick) != 0) tick = kLongestTick;
  nanosleep(&tick, nullptr);
}

bool stood_still(const Filesystem& filesystem, const Diagnosis& diagnosis,
                 const std::vector<Walk>& others, const TimeMark& began) {
  return std::all_of(
             diagnosis.chain.begin(), diagnosis.chain.end(),
             [&](const Link& link) { return is_unchanged(filesystem, link.walk, began); }) &&
         std::all_of(others.begin(), others.end(),
                     [&](const Walk& walk) { return is_unchanged(filesystem, walk, began); });
}

}  // namespace permguard
