// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "incidents/store.h"
#include "incidents/store_layout.h"

namespace permguard {
namespace {

using shared::Word;

// Bounds are given in seconds; a check takes whole nanoseconds.
std::size_t bucket_of(std::uint64_t nanoseconds) {
  std::size_t bucket = 0;
  for (const double bound : kDurationBounds) {
    if (nanoseconds <= static_cast<std::uint64_t>(std::llround(bound * 1e9))) break;
    ++bucket;
  }
  return bucket;
}

template <class E>
std::size_t index(E value) {
  return static_cast<std::size_t>(value);
}

template <std::size_t N>
void read_row(const std::array<Word, N>& words, std::array<std::uint64_t, N>& values) {
  for (std::size_t i = 0; i < N; ++i) values[i] = words[i].load(std::memory_order_relaxed);
}

template <std::size_t N, std::size_t M>
void read_table(const std::array<std::array<Word, M>, N>& words,
                std::array<std::array<std::uint64_t, M>, N>& values) {
  for (std::size_t i = 0; i < N; ++i) read_row(words[i], values[i]);
}

}  // namespace

void SharedState::count_check(Handler handler, CheckResult result,
                              std::uint64_t nanoseconds) noexcept {
  shared::Counters& counters = region().counters;
  counters.checks[index(handler)][index(result)].add(1);
  counters.duration_buckets[bucket_of(nanoseconds)].add(1);
  counters.duration_ns.add(nanoseconds);
}

void SharedState::count_exonerated(Handler handler) noexcept {
  region().counters.exonerated[index(handler)].add(1);
}

void SharedState::count_finding(Code code, Role role) noexcept {
  region().counters.findings[index(code)][index(role)].add(1);
}

void SharedState::count_event_dropped() noexcept {
  region().counters.events_dropped.add(1);
}

bool SharedState::drop_is_due(std::int64_t now, std::int64_t interval,
                              std::int64_t since) noexcept {
  Word& said = region().counters.drop_said;
  std::uint64_t last = said.load();
  const std::int64_t then = shared::to_time(last);
  if (then >= since && !shared::interval_over(then, now, interval)) return false;
  return said.replace(last, shared::to_word(now));
}

CounterValues SharedState::counters() const noexcept {
  const shared::Counters& words = region().counters;
  CounterValues values;
  read_table(words.checks, values.checks);
  read_row(words.exonerated, values.exonerated);
  read_table(words.findings, values.findings);
  read_row(words.duration_buckets, values.duration_buckets);
  values.incidents_evicted = words.incidents_evicted.load(std::memory_order_relaxed);
  values.events_dropped = words.events_dropped.load(std::memory_order_relaxed);
  values.duration_ns = words.duration_ns.load(std::memory_order_relaxed);
  return values;
}

}  // namespace permguard
