// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace permguard::cli {

/// One line on standard error that shows how far an audit is, where that is a terminal; gone at
/// the end. How much there is to do is not known, so the bar only moves.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Another name was looked at.
  void step(std::uint64_t scripts, std::uint64_t findings);

 private:
  using Clock = std::chrono::steady_clock;
  void show(Clock::time_point now, std::uint64_t scripts, std::uint64_t findings);

  bool terminal_;
  bool shown_ = false;
  std::uint64_t names_ = 0;
  unsigned frame_ = 0;
  Clock::time_point began_ = Clock::now();
  Clock::time_point last_ = began_;
};

}  // namespace permguard::cli
