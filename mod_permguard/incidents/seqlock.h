// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace permguard::shared {

// Whoever can write to the memory may have put any number into any word. So a word is read once,
// checked, then used: no index, no length, no number of turns comes from one unchecked.

/// One word of shared memory. A plain integer that is only ever touched atomically: raw zeroed
/// memory may be used as words without constructing anything, so that untouched pages stay
/// uncommitted. Lock-free atomics are address-free: they work across processes.
class Word {
 public:
  std::uint64_t load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    return ref().load(order);
  }
  void store(std::uint64_t value) noexcept { ref().store(value, std::memory_order_release); }
  std::uint64_t add(std::uint64_t value) noexcept {
    return ref().fetch_add(value, std::memory_order_relaxed);
  }
  /// Sequentially consistent: the protocol of the incident table relies on it.
  bool replace(std::uint64_t& expected, std::uint64_t desired) noexcept {
    return ref().compare_exchange_strong(expected, desired);
  }
  /// Raises the word to `value`; the difference, 0 where it was there already, or where others
  /// changed it all the time.
  std::uint64_t raise(std::uint64_t value) noexcept;

 private:
  std::atomic_ref<std::uint64_t> ref() const noexcept {
    return std::atomic_ref<std::uint64_t>(value_);
  }
  mutable std::uint64_t value_;
};
static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic_ref<std::uint64_t>::required_alignment == sizeof(Word));

/// How often a step is tried again that another process's step has overtaken.
inline constexpr int kOvertaken = 64;

/// The time kept in a word, seconds since the epoch; 0 for what no clock of ours has ever said, so
/// that differences of times cannot overflow. Times end with the year 9999, as RFC 3339 does.
inline constexpr std::int64_t kLastTime = 253'402'300'799;
inline std::int64_t to_time(std::uint64_t word) {
  return word <= std::uint64_t{kLastTime} ? static_cast<std::int64_t>(word) : 0;
}
inline std::uint64_t to_word(std::int64_t time) {
  return static_cast<std::uint64_t>(time);
}

/// Whether `interval` seconds lie between `then` and `now`. A clock set back by more than an
/// interval counts too: it must not silence a log for as long as it went back.
inline bool interval_over(std::int64_t then, std::int64_t now, std::int64_t interval) {
  const std::int64_t elapsed = now - then;
  return elapsed >= interval || elapsed < -interval;
}

/// FNV-1a, 64 bit. The state after a prefix is the hash of that prefix.
inline constexpr std::uint64_t kHashSeed = 0xcbf29ce484222325ULL;
constexpr std::uint64_t hash_byte(std::uint64_t hash, char byte) {
  return (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
}
constexpr std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t hash = kHashSeed) {
  for (const char byte : bytes) hash = hash_byte(hash, byte);
  return hash;
}
/// Spreads a hash over all 64 bits (FNV's upper bits are weak for short input); never 0.
constexpr std::uint64_t spread(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33;
  return hash != 0 ? hash : 1;
}

/// Guards one record. `claim` is 0 or the time since which one writer holds it; `sequence` is
/// odd while the record's words are being written.
struct Latch {
  Word claim;
  Word sequence;

  /// Whether a writer holds it who has not been at it for too long to be alive.
  bool busy() const noexcept;
};

/// The right to write one record. Never waits. A claim older than two seconds belongs to a
/// process that was killed and is taken over. Should its holder only have slept, readers find
/// what both wrote by the record's checksum, and see an unreadable record.
class Claim {
 public:
  explicit Claim(Latch& latch) noexcept;
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  explicit operator bool() const { return mine_ != 0; }

 private:
  Latch& latch_;
  std::uint64_t mine_ = 0;
};

/// Words of a record that are not its bytes: length and checksum.
inline constexpr std::size_t kRecordHead = 2;
constexpr std::size_t words_for(std::size_t bytes) {
  return kRecordHead + (bytes + 7) / 8;
}

/// Writes a record of at most the area's size; the caller holds the claim.
void write_record(Latch& latch, std::span<Word> area, std::string_view bytes) noexcept;

/// Reads a record whole, or false after a bounded number of attempts: being written, left half
/// by a killed process, damaged, or never written. Throws std::bad_alloc.
bool read_record(const Latch& latch, std::span<const Word> area, std::string& bytes);

}  // namespace permguard::shared
