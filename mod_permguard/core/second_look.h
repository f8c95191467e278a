// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <time.h>

#include <vector>

#include "core/checker.h"

namespace permguard {

/// A moment on the clock that stamps files: it stands still between two ticks, so that a change in
/// the tick of a mark may have come before or after it (clock_gettime(2), CLOCK_REALTIME_COARSE).
class TimeMark {
 public:
  TimeMark();  ///< now

  /// Whether a file with this status may have changed since.
  bool may_precede(const FileStatus& file) const;
  /// Sleeps until the clock has moved on: some milliseconds.
  void wait_for_next() const;

 private:
  timespec moment_{};
};

/// Whether no file changed from `began` until now that `diagnosis` and the `others` looked at on
/// their way: same inode, mode, owner, size and change time, and that time lies before `began`. A
/// rename, too, changes the time of the file and of its directory. So that a path which alternates
/// between two healthy files is never judged by one's name and the other's bytes. Directories that
/// everybody may write into (sticky ones, such as /tmp) never come to rest: of these the time does
/// not count.
bool stood_still(const Filesystem& filesystem, const Diagnosis& diagnosis,
                 const std::vector<Walk>& others, const TimeMark& began);

}  // namespace permguard
