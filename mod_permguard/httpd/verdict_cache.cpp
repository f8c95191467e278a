// SPDX-License-Identifier: Apache-2.0
#include "httpd/verdict_cache.h"

namespace permguard {

Fingerprint& Fingerprint::add(std::string_view bytes) noexcept {
  for (const char byte : bytes) {
    hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return add(bytes.size());
}

Fingerprint& Fingerprint::add(std::uint64_t number) noexcept {
  hash_ ^= number;
  // The finaliser of MurmurHash3: each bit of the number reaches each bit of the hash.
  hash_ = (hash_ ^ (hash_ >> 33)) * 0xff51afd7ed558ccd;
  hash_ = (hash_ ^ (hash_ >> 33)) * 0xc4ceb9fe1a85ec53;
  hash_ ^= hash_ >> 33;
  return *this;
}

std::optional<Permissions> VerdictCache::find(std::uint64_t fingerprint,
                                              std::uint64_t now) const noexcept {
  const Slot& slot = slots_[fingerprint % kSlots];
  const std::uint64_t value = slot.value.load(std::memory_order_relaxed);
  const std::uint64_t key = slot.key.load(std::memory_order_relaxed);
  if (value == 0 || (key ^ value) != fingerprint) return std::nullopt;
  const std::uint64_t looked = value >> 3;
  if (now < looked || now - looked > kValidMicroseconds) return std::nullopt;
  return static_cast<Permissions>(value & 7);
}

void VerdictCache::store(std::uint64_t fingerprint, std::uint64_t now,
                         Permissions wanted) noexcept {
  Slot& slot = slots_[fingerprint % kSlots];
  const std::uint64_t value = now << 3 | (wanted & 7);
  slot.key.store(fingerprint ^ value, std::memory_order_relaxed);
  slot.value.store(value, std::memory_order_relaxed);
}

}  // namespace permguard
