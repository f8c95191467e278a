// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace permguard {

/// What a check takes. The monotonic clock is read without a system call (vdso(7)).
class Stopwatch {
 public:
  std::uint64_t nanoseconds() const noexcept { return since(Clock::now() - started_); }
  /// The start, in microseconds of the monotonic clock.
  std::uint64_t started_microseconds() const noexcept {
    return since(started_.time_since_epoch()) / 1000;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static std::uint64_t since(Clock::duration duration) noexcept {
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(duration).count());
  }

  Clock::time_point started_ = Clock::now();
};

}  // namespace permguard
