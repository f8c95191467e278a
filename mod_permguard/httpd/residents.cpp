// SPDX-License-Identifier: Apache-2.0
#include "httpd/residents.h"

#include <atomic>
#include <cstdint>

#include "httpd/verdict_cache.h"

namespace permguard {
namespace {

constexpr std::size_t kBits = std::size_t{1} << 18;
constexpr std::size_t kBitsOfWord = 64;

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free);

/// Of kBits bits, all zero at first; null before post_config or where there is no memory.
constinit Word* bits = nullptr;

struct Place {
  Word& word;
  std::uint64_t bit;
};

Place place_of(const char* path) noexcept {
  const std::uint64_t number = Fingerprint().add(path).value() % kBits;
  return {bits[number / kBitsOfWord], std::uint64_t{1} << number % kBitsOfWord};
}

}  // namespace

void open_residents(apr_pool_t* pconf) {
  bits = nullptr;
  apr_shm_t* memory = nullptr;
  if (apr_shm_create(&memory, kBits / 8, nullptr, pconf) != APR_SUCCESS) return;
  // An anonymous mapping is zero, and so is an atomic that nobody has written.
  bits = static_cast<Word*>(apr_shm_baseaddr_get(memory));
}

void remember_resident(const char* path) noexcept {
  if (!bits) return;
  const Place place = place_of(path);
  if (place.word.load(std::memory_order_relaxed) & place.bit) return;
  place.word.fetch_or(place.bit, std::memory_order_relaxed);
}

bool may_be_resident(const char* path) noexcept {
  if (!bits) return true;
  const Place place = place_of(path);
  return place.word.load(std::memory_order_relaxed) & place.bit;
}

}  // namespace permguard
