// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "incidents/slot_tally.h"
#include "incidents/store_layout.h"

namespace permguard::shared {

/// What an incident is found by, beside its key: each with the user whom it concerns.
enum class FoundBy : std::uint8_t { culprit = 1, target, directory };

/// `path`: hash_bytes() of it. Never 0.
std::uint64_t hash_of(FoundBy by, std::uint64_t path, uid_t uid);

/// Leads from a hash to the slots of incidents, at a cost that does not grow with their number: a
/// hash has two buckets of eight words, a word names a slot and the slot's generation. Words are
/// only ever added; one whose incident is over is free for the next. So a process killed between
/// slot and index leaves nothing to mend, and a damaged word leads at worst to a slot that was not
/// meant, whose own words then tell.
class IncidentIndex {
 public:
  explicit IncidentIndex(const Layout& layout) : layout_(layout) {}

  /// Makes the incident findable by its key. False: both buckets are full of other keys.
  bool add_key(std::uint64_t key, const SlotRef& incident) noexcept;
  /// Likewise by another hash. Where both buckets are full it stays as it is: a directory of a
  /// thousand broken scripts then shows 16 of them.
  void add(std::uint64_t hash, const SlotRef& incident) noexcept;

  /// Calls `visit` with each slot that stands under the hash and still holds the incident meant;
  /// what else the hash says of it, the slot's own words must tell. Ends where `visit` returns
  /// true; whether it did.
  template <class Visit>
  bool any_of(std::uint64_t hash, Visit visit) const {
    for (const std::size_t bucket : {first(hash), second(hash)}) {
      for (const Word& word : layout_.index[bucket]) {
        const std::uint64_t entry = word.load();
        if (tag_of(entry) != tag_of_hash(hash)) continue;
        const SlotRef incident = read(entry);
        if (incident.index < layout_.slots.size() && visit(incident)) return true;
      }
    }
    return false;
  }

 private:
  // A word: 23 bits of the hash, whether it is a key, 20 bits of generation, 20 bits of slot + 1.
  static constexpr unsigned kSlotBits = 20;
  static constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;
  static constexpr std::uint64_t kKeyFlag = std::uint64_t{1} << 40;
  static constexpr unsigned kTagShift = 41;

  static std::uint64_t tag_of(std::uint64_t entry) { return entry >> kTagShift; }
  static std::uint64_t tag_of_hash(std::uint64_t hash) { return hash >> kTagShift; }
  std::size_t first(std::uint64_t hash) const { return hash & (layout_.index.size() - 1); }
  std::size_t second(std::uint64_t hash) const { return (hash >> 20) & (layout_.index.size() - 1); }
  /// The slot that an entry names, with the tally found there; an index that is none: nothing.
  SlotRef read(std::uint64_t entry) const noexcept;
  bool is_over(std::uint64_t entry) const noexcept;
  bool put(std::uint64_t hash, std::uint64_t entry) noexcept;

  const Layout& layout_;
};

}  // namespace permguard::shared
