// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/file_status.h"

namespace permguard {

/// 64 bits of hash over everything a positive verdict depends on and httpd knows for nothing.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view bytes) noexcept;
  Fingerprint& add(std::uint64_t number) noexcept;
  std::uint64_t value() const noexcept { return hash_ ? hash_ : 1; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
};

/// The positive verdicts of one process: which targets passed a full look within the last
/// second, and what the kernel must still grant in one call. Negative verdicts have no place
/// here: a repair counts at once. Lock-free; a slot torn by two writers reads as empty.
class VerdictCache {
 public:
  /// How long a full look counts; what it saw beyond the target itself (the interpreter, the
  /// directories, mount options) may have changed after that.
  static constexpr std::uint64_t kValidMicroseconds = 1'000'000;

  /// What to ask the kernel for instead of a full look, or nothing: look. `now` is a monotonic
  /// clock's time in microseconds, not 0.
  std::optional<Permissions> find(std::uint64_t fingerprint, std::uint64_t now) const noexcept;
  void store(std::uint64_t fingerprint, std::uint64_t now, Permissions wanted) noexcept;

 private:
  struct Slot {
    std::atomic<std::uint64_t> key{0};    ///< fingerprint ^ value, so that halves must match
    std::atomic<std::uint64_t> value{0};  ///< time << 3 | permissions; 0: empty
  };
  static constexpr std::size_t kSlots = 1024;

  std::array<Slot, kSlots> slots_{};
};

}  // namespace permguard
