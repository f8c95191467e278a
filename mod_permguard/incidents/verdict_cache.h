// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "incidents/probes.h"

namespace permguard {

/// The positive verdicts of one process. A verdict is good for a second after the look that
/// gave it. Each request that uses it repeats one of the look's probes; when all have been
/// repeated, in turn, that was a look in instalments, and the second begins anew. So a target
/// that is asked for often costs one system call a request, and what does not show in httpd's
/// own stat of the target (the interpreter, the directories before it, a remount) is still seen
/// within a second. Negative verdicts have no place here: a repair counts at once.
///
/// Nobody waits for anybody: who finds a slot in another thread's hands looks for himself.
class VerdictCache {
 public:
  /// In microseconds of a monotonic clock, as every `now` here.
  static constexpr std::uint64_t kValid = 1'000'000;

  struct Turn {
    Probe probe;
    std::size_t index = 0;
  };
  /// The probe that is to be repeated for using the verdict, or nothing: look.
  std::optional<Turn> find(std::uint64_t fingerprint, std::uint64_t now) noexcept;
  /// The probe of `turn` was repeated, by a request that began at `now`, and still holds.
  void confirm(std::uint64_t fingerprint, const Turn& turn, std::uint64_t now) noexcept;
  /// A look that began at `now` passed. `renewable`: the probes (at least one) are all it rests
  /// on. Else the first one is repeated by each request, and the verdict ends after its second.
  void store(std::uint64_t fingerprint, std::uint64_t now, std::span<const Probe> probes,
             bool renewable) noexcept;

 private:
  struct Slot {
    std::atomic<bool> taken{false};
    bool renewable = false;
    std::uint64_t fingerprint = 0;  ///< 0: empty
    std::uint64_t looked = 0;       ///< when the last whole look began
    std::uint64_t began = 0;        ///< when the look in instalments began
    std::size_t count = 0;
    std::size_t next = 0;
    std::array<Probe, Probes::kMost> probes{};
  };
  /// The slot while it is ours; leaves it at the end.
  class Hold;

  static constexpr std::size_t kSlots = 256;

  std::array<Slot, kSlots> slots_{};
};

}  // namespace permguard
