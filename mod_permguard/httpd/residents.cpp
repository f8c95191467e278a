// SPDX-License-Identifier: Apache-2.0
#include "httpd/residents.h"

#include <array>
#include <atomic>
#include <cstdint>

#include "incidents/verdict_cache.h"

namespace permguard {
namespace {

constexpr std::size_t kBits = std::size_t{1} << 18;
constexpr std::size_t kBitsOfWord = 64;

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free);

constexpr std::size_t kHolders = 2;
/// As the retained data of httpd holds it, which must not point into the DSO.
constexpr char kRetainedKey[] = "mod_permguard-residents-1";

/// By Holder, of kBits bits, all zero at first; null before post_config or without memory.
constinit std::array<Word*, kHolders> bits{};

struct Place {
  Word& word;
  std::uint64_t bit;
};

Place place_of(Word* words, const char* path) noexcept {
  const std::uint64_t number = Fingerprint().add(path).value() % kBits;
  return {words[number / kBitsOfWord], std::uint64_t{1} << number % kBitsOfWord};
}

Word*& bits_of(Holder holder) noexcept {
  return bits[static_cast<std::size_t>(holder)];
}

Word* make_bits(apr_pool_t* pool) noexcept {
  apr_shm_t* memory = nullptr;
  if (apr_shm_create(&memory, kBits / 8, nullptr, pool) != APR_SUCCESS) return nullptr;
  // An anonymous mapping is zero, and so is an atomic that nobody has written.
  return static_cast<Word*>(apr_shm_baseaddr_get(memory));
}

Word* kept_bits(server_rec* server) noexcept {
  auto** kept = static_cast<Word**>(ap_retained_data_get(kRetainedKey));
  if (!kept) kept = static_cast<Word**>(ap_retained_data_create(kRetainedKey, sizeof(Word*)));
  if (!*kept) *kept = make_bits(server->process->pool);
  return *kept;
}

}  // namespace

void open_residents(apr_pool_t* pconf, server_rec* server) {
  bits_of(Holder::httpd) = make_bits(pconf);
  bits_of(Holder::backend) = kept_bits(server);
}

void remember_resident(Holder holder, const char* path) noexcept {
  Word* words = bits_of(holder);
  if (!words) return;
  const Place place = place_of(words, path);
  if (place.word.load(std::memory_order_relaxed) & place.bit) return;
  place.word.fetch_or(place.bit, std::memory_order_relaxed);
}

bool may_be_resident(Holder holder, const char* path) noexcept {
  Word* words = bits_of(holder);
  if (!words) return true;
  const Place place = place_of(words, path);
  return place.word.load(std::memory_order_relaxed) & place.bit;
}

}  // namespace permguard
