// SPDX-License-Identifier: Apache-2.0
#include "incidents/seqlock.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

namespace permguard::shared {
namespace {

constexpr std::uint64_t kClaimLife = 2000;  // milliseconds
constexpr int kReadAttempts = 8;

// Monotonic milliseconds, never 0. All processes of one machine share this clock.
std::uint64_t milliseconds() {
  using std::chrono::duration_cast;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return 1 + static_cast<std::uint64_t>(duration_cast<std::chrono::milliseconds>(now).count());
}

// A claim of the future is nobody's: it would bar the record for ever.
bool alive(std::uint64_t claim) {
  if (claim == 0) return false;
  const std::uint64_t now = milliseconds();
  return claim <= now && now - claim < kClaimLife;
}

std::uint64_t mix_word(std::uint64_t sum, std::uint64_t word) {
  sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
  return sum ^ (sum >> 29);
}

std::uint64_t word_at(std::string_view bytes, std::size_t index) {
  std::uint64_t word = 0;
  const std::size_t offset = index * sizeof word;
  std::memcpy(&word, bytes.data() + offset, std::min(sizeof word, bytes.size() - offset));
  return word;
}

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t sum = bytes.size();
  for (std::size_t i = 0; i < (bytes.size() + 7) / 8; ++i) sum = mix_word(sum, word_at(bytes, i));
  return sum;
}

// Acquire loads keep the later look at the sequence behind them, without a fence.
bool copy_out(std::span<const Word> area, std::string& bytes) {
  const std::uint64_t length = area[0].load(std::memory_order_acquire);
  if (length == 0 || length > (area.size() - kRecordHead) * 8) return false;
  bytes.resize(length);
  const std::uint64_t sum = area[1].load(std::memory_order_acquire);
  for (std::size_t offset = 0, i = kRecordHead; offset < length; offset += 8, ++i) {
    const std::uint64_t word = area[i].load(std::memory_order_acquire);
    std::memcpy(bytes.data() + offset, &word, std::min<std::size_t>(8, length - offset));
  }
  return checksum(bytes) == sum;
}

}  // namespace

std::uint64_t Word::raise(std::uint64_t value) noexcept {
  std::uint64_t old = load();
  for (int turn = 0; old < value && turn < kOvertaken; ++turn) {
    if (replace(old, value)) return value - old;
  }
  return 0;
}

bool Latch::busy() const noexcept {
  return alive(claim.load());
}

Claim::Claim(Latch& latch) noexcept : latch_(latch) {
  std::uint64_t held = latch_.claim.load();
  if (alive(held)) return;
  const std::uint64_t mine = milliseconds();
  if (latch_.claim.replace(held, mine)) mine_ = mine;
}

Claim::~Claim() {
  // Fails, as it should, where another writer has taken the claim over.
  std::uint64_t mine = mine_;
  if (mine != 0) latch_.claim.replace(mine, 0);
}

void write_record(Latch& latch, std::span<Word> area, std::string_view bytes) noexcept {
  // Release stores keep the odd sequence before them, without a fence.
  const std::uint64_t odd = (latch.sequence.load() + 1) | 1;
  latch.sequence.store(odd);
  area[0].store(bytes.size());
  area[1].store(checksum(bytes));
  for (std::size_t i = 0; i < (bytes.size() + 7) / 8; ++i) {
    area[kRecordHead + i].store(word_at(bytes, i));
  }
  latch.sequence.store(odd + 1);
}

bool read_record(const Latch& latch, std::span<const Word> area, std::string& bytes) {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    const std::uint64_t before = latch.sequence.load();
    const bool whole = before % 2 == 0 && copy_out(area, bytes);
    const bool still = latch.sequence.load() == before;
    if (whole && still) return true;
    if (still && before % 2 == 0) return false;  // nobody is writing: it is damaged
    std::this_thread::yield();
  }
  return false;
}

}  // namespace permguard::shared
