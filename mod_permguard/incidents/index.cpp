// SPDX-License-Identifier: Apache-2.0
#include "incidents/index.h"

namespace permguard::shared {

std::uint64_t hash_of(FoundBy by, std::uint64_t path, uid_t uid) {
  const std::uint64_t mixed = path ^ (std::uint64_t{static_cast<std::uint8_t>(by)} << 56);
  return spread(spread(mixed) ^ uid);
}

SlotRef IncidentIndex::read(std::uint64_t entry) const noexcept {
  const std::uint64_t slot = entry & kSlotMask;
  const SlotRef nothing{layout_.slots.size(), SlotTally(0)};
  if (slot == 0 || slot > layout_.slots.size()) return nothing;
  const SlotTally tally(layout_.slots[slot - 1].tally.load());
  const bool same = tally.generation() == ((entry >> kSlotBits) & (SlotTally::kGenerations - 1));
  return same && tally.taken() ? SlotRef{slot - 1, tally} : nothing;
}

// A slot never comes back to a generation it has left, so this stays true.
bool IncidentIndex::is_over(std::uint64_t entry) const noexcept {
  return read(entry).index == layout_.slots.size();
}

bool IncidentIndex::put(std::uint64_t hash, std::uint64_t entry) noexcept {
  for (const std::size_t bucket : {first(hash), second(hash)}) {
    for (Word& word : layout_.index[bucket]) {
      std::uint64_t seen = word.load();
      if (seen == entry) return true;
      if (is_over(seen) && word.replace(seen, entry)) return true;
    }
  }
  return false;
}

bool IncidentIndex::add_key(std::uint64_t key, const SlotRef& incident) noexcept {
  const std::uint64_t entry = tag_of_hash(key) << kTagShift | kKeyFlag |
                              incident.tally.generation() << kSlotBits | (incident.index + 1);
  if (put(key, entry)) return true;
  // Other hashes only help to find an incident again; without its key it would be opened twice.
  for (const std::size_t bucket : {first(key), second(key)}) {
    for (Word& word : layout_.index[bucket]) {
      std::uint64_t seen = word.load();
      if ((seen & kKeyFlag) == 0 && word.replace(seen, entry)) return true;
    }
  }
  return false;
}

void IncidentIndex::add(std::uint64_t hash, const SlotRef& incident) noexcept {
  put(hash, tag_of_hash(hash) << kTagShift | incident.tally.generation() << kSlotBits |
                (incident.index + 1));
}

}  // namespace permguard::shared
