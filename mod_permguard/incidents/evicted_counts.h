// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "incidents/seqlock.h"

namespace permguard::shared {

/// Sightings of incidents that found the table full of heavier ones or lost their place to one:
/// what they weigh when they come again. Without this memory a newcomer would weigh 1 for ever.
/// Heavy hitters keep their cell: a lighter key that meets one only lightens it (after Misra and
/// Gries, 1982).
class WaitingRoom {
 public:
  explicit WaitingRoom(std::span<Word> cells) : cells_(cells) {}

  std::uint64_t weight(std::uint64_t key) const noexcept;
  void add(std::uint64_t key, std::uint64_t sightings) noexcept;
  /// Forgets the key; what it weighed.
  std::uint64_t take(std::uint64_t key) noexcept;

 private:
  Word& cell_of(std::uint64_t key) const noexcept { return cells_[key % cells_.size()]; }

  std::span<Word> cells_;
};

}  // namespace permguard::shared
