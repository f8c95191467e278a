// SPDX-License-Identifier: Apache-2.0
#include "incidents/rate_limiter.h"

namespace permguard::shared {
namespace {

constexpr unsigned kTimeBits = 36;
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << kTimeBits) - 1;
constexpr int kAttempts = 16;

std::uint64_t tag_of(std::uint64_t cell) {
  return cell >> kTimeBits;
}
std::int64_t time_of(std::uint64_t cell) {
  return to_time(cell & kTimeMask);
}

}  // namespace

// The thing's own cell, else the first that is free or whose interval is over, else the oldest.
// The order is the same for all callers, so that two of them meet in one cell.
Word& Limiter::candidate(Bucket& bucket, std::uint64_t tag, std::int64_t now, std::int64_t interval,
                         std::uint64_t& content) noexcept {
  Word* best = nullptr;
  bool best_is_over = false;
  for (Word& cell : bucket) {
    const std::uint64_t seen = cell.load();
    const bool own = seen != 0 && tag_of(seen) == tag;
    const bool over = seen == 0 || interval_over(time_of(seen), now, interval);
    const bool better =
        best == nullptr || own || (!best_is_over && (over || time_of(seen) < time_of(content)));
    if (!better) continue;
    best = &cell;
    best_is_over = over;
    content = seen;
    if (own) break;
  }
  return *best;
}

bool Limiter::pass(std::uint64_t hash, std::int64_t now, std::int64_t interval) noexcept {
  if (interval <= 0) return true;
  Bucket& bucket = buckets_[hash % kBuckets];
  const std::uint64_t tag = hash >> kTimeBits;
  const std::uint64_t mine = (tag << kTimeBits) | (to_word(now) & kTimeMask);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::uint64_t content = 0;
    Word& cell = candidate(bucket, tag, now, interval, content);
    const bool own = content != 0 && tag_of(content) == tag;
    if (own && !interval_over(time_of(content), now, interval)) return false;
    if (cell.replace(content, mine)) return true;
  }
  return false;
}

std::optional<std::int64_t> Limiter::last(std::uint64_t hash) const noexcept {
  for (const Word& cell : buckets_[hash % kBuckets]) {
    const std::uint64_t content = cell.load();
    if (content != 0 && tag_of(content) == hash >> kTimeBits) return time_of(content);
  }
  return std::nullopt;
}

}  // namespace permguard::shared
