// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "incidents/seqlock.h"

namespace permguard::shared {

/// Lets each thing through once an interval. 128 buckets of 8 cells; a cell holds 28 bits of
/// the thing's hash and the time of its last passage. A bucket full of recent things forgets
/// the oldest, which may then pass early. Two things that agree in 35 bits of hash share a
/// cell, so that one may be held back for the other's interval: with 1,000 things in the table
/// the odds for a new one are 1 in 34 million.
class Limiter {
 public:
  /// Whether the thing with this (spread) hash may pass at `now`, in seconds; true for exactly
  /// one caller an interval. An `interval` of 0 lets everything pass.
  bool pass(std::uint64_t hash, std::int64_t now, std::int64_t interval) noexcept;

  /// When the thing last passed, as far as that is still known.
  std::optional<std::int64_t> last(std::uint64_t hash) const noexcept;

 private:
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kBuckets = 128;
  using Bucket = std::array<Word, kWays>;

  Word& candidate(Bucket& bucket, std::uint64_t tag, std::int64_t now, std::int64_t interval,
                  std::uint64_t& content) noexcept;

  std::array<Bucket, kBuckets> buckets_;
};

}  // namespace permguard::shared
