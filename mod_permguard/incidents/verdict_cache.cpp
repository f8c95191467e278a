// SPDX-License-Identifier: Apache-2.0
#include "incidents/verdict_cache.h"

#include <algorithm>

namespace permguard {

class VerdictCache::Hold {
 public:
  Hold(std::array<Slot, kSlots>& slots, std::uint64_t fingerprint) noexcept
      : slot_(slots[fingerprint % kSlots]),
        ours_(!slot_.taken.exchange(true, std::memory_order_acquire)) {}
  ~Hold() {
    if (ours_) slot_.taken.store(false, std::memory_order_release);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  /// The slot, or null where another thread has it.
  Slot* get() noexcept { return ours_ ? &slot_ : nullptr; }

 private:
  Slot& slot_;
  bool ours_;
};

std::optional<VerdictCache::Turn> VerdictCache::find(std::uint64_t fingerprint,
                                                     std::uint64_t now) noexcept {
  Hold hold(slots_, fingerprint);
  const Slot* slot = hold.get();
  if (!slot || slot->fingerprint != fingerprint) return std::nullopt;
  if (now < slot->looked || now - slot->looked > kValid) return std::nullopt;
  return Turn{slot->probes[slot->next], slot->next};
}

void VerdictCache::confirm(std::uint64_t fingerprint, const Turn& turn,
                           std::uint64_t now) noexcept {
  Hold hold(slots_, fingerprint);
  Slot* slot = hold.get();
  if (!slot || slot->fingerprint != fingerprint || slot->next != turn.index) return;
  if (!slot->renewable || ++slot->next < slot->count) return;
  slot->next = 0;
  slot->looked = slot->began;
  slot->began = now;
}

void VerdictCache::store(std::uint64_t fingerprint, std::uint64_t now,
                         std::span<const Probe> probes, bool renewable) noexcept {
  Hold hold(slots_, fingerprint);
  Slot* slot = hold.get();
  if (!slot || probes.empty()) return;
  slot->fingerprint = fingerprint;
  slot->looked = slot->began = now;
  slot->renewable = renewable;
  slot->next = 0;
  slot->count = std::min(probes.size(), Probes::kMost);
  std::copy_n(probes.begin(), slot->count, slot->probes.begin());
}

}  // namespace permguard
