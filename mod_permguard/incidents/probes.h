// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/file_status.h"
#include "core/kernel.h"

namespace permguard {

/// 64 bits of hash over what a verdict depends on.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view bytes) noexcept;
  Fingerprint& add(std::uint64_t number) noexcept;
  /// Never 0.
  std::uint64_t value() const noexcept { return hash_ ? hash_ : 1; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
};

/// One system call, and the answer that leaves a verdict as it is.
struct Probe {
  std::array<char, 120> path{};  ///< NUL-terminated; empty: the target itself
  Permissions wanted = 0;        ///< of faccessat2(2); 0: the call is stat(2)
  std::uint64_t answer = 0;      ///< errno, or for stat the fingerprint of what it says

  /// Makes the call; whether the answer is still the same. `target` is NUL-terminated.
  bool holds(const char* target) const noexcept;
};

/// The calls that together say what one full look said. Room is fixed: what does not fit makes
/// the set incomplete.
class Probes {
 public:
  explicit Probes(std::string_view target) : target_(target) {}

  /// The kernel was asked for `wanted` of `path` and answered `error`. What may be executed
  /// beside the target (its interpreter, that one's loader) is also remembered by stat(2), since
  /// its contents count.
  void record_access(const std::string& path, Permissions wanted, int error) noexcept;

  /// The look needed more than these calls.
  void give_up() noexcept { complete_ = false; }

  std::span<const Probe> all() const noexcept { return {probes_.data(), count_}; }
  bool complete() const noexcept { return complete_ && count_ > 0; }

  static constexpr std::size_t kMost = 12;

 private:
  void record_status(const std::string& path) noexcept;
  void add(std::string_view path, Permissions wanted, std::uint64_t answer) noexcept;

  std::string_view target_;
  std::array<Probe, kMost> probes_{};
  std::size_t count_ = 0;
  bool complete_ = true;
};

/// Asks like AccessKernel and records what it asked.
class RecordingKernel : public AccessKernel {
 public:
  explicit RecordingKernel(Probes& probes) : probes_(probes) {}
  KernelAnswer may_access(const std::string& path, Permissions wanted) const override;

 private:
  Probes& probes_;
};

}  // namespace permguard
