// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "incidents/finding_record.h"
#include "incidents/index.h"
#include "incidents/slot_tally.h"
#include "incidents/store_layout.h"

namespace permguard::shared {

/// One sighting on its way into the table.
struct Sighting {
  const Finding& finding;
  const FindingRecord& record;
  std::uint64_t key;
  uid_t uid;
  std::int64_t now;
  bool leads;
  bool sighted;
};

/// Lock-free table of incidents; no two open ones have the same key.
///
/// An incident is opened so: claim a slot, reserve it, write the record, put it into the index,
/// make it tentative, look at all others that the index has for the key. Of two tentative ones with
/// the same key the one in the lower slot goes on and ends the other, whose writer starts again; an
/// open one ends both. As both have published before they look, at least one sees the other. A
/// killed process leaves at most a reserved or tentative slot behind: nobody waits for it, and it
/// is used again as soon as its claim is two seconds old. Every loop ends after a fixed number of
/// turns, whatever the words say: who gives up has not kept the sighting, and says so.
class IncidentTable {
 public:
  explicit IncidentTable(const Layout& layout) : layout_(layout), index_(layout) {}

  struct Placed {
    std::optional<SlotRef> place;  ///< nullopt: no place for it
    bool opened = false;           ///< by this call
    bool returned = false;         ///< opened, and has been turned away or evicted before
  };
  /// Counts the sighting at its incident, opening one if need be.
  Placed place(const Sighting& sighting) noexcept;
  /// The number by which an incident is known: the first ones of a server have 1, 2, 3.
  std::uint64_t id_of(const SlotRef& incident) const noexcept;
  /// The open incident with that number.
  std::optional<SlotRef> find_id(std::uint64_t id) const noexcept;
  /// Takes an open incident out of that state; its tally then, or nullopt where another was
  /// quicker.
  std::optional<SlotTally> finish(const SlotRef& place, State state) noexcept;
  /// Writes the record anew where the sighting tells something else than it does.
  void refresh(const SlotRef& place, const Sighting& sighting) noexcept;
  /// Corrects the number of open incidents, which a killed process may leave wrong: when called a
  /// second time and nothing has moved for some seconds.
  void recount(std::int64_t now) noexcept;

  /// The incident of that key, open or on its way.
  std::optional<SlotRef> find(std::uint64_t key) const noexcept;

 private:
  enum class Outcome : std::uint8_t { opened, again, no_place };
  struct Victim {
    std::optional<SlotRef> place;
    bool busy = false;  ///< a slot could not be judged: somebody is at it
  };

  bool count(SlotRef& place, std::uint64_t sightings) noexcept;
  Victim choose(std::uint64_t weight) const noexcept;
  Outcome open(const Sighting& sighting, Placed& placed) noexcept;
  bool reserve(const SlotRef& victim) noexcept;
  void evict(const SlotRef& victim) noexcept;
  void write(const SlotRef& place, const Sighting& sighting) noexcept;
  void describe(const SlotRef& place, const Sighting& sighting) noexcept;
  void make_findable(const SlotRef& place, Word& word, std::uint64_t hash) noexcept;
  bool alone(const SlotRef& place, std::uint64_t key) noexcept;
  bool bars(const SlotRef& other, const SlotRef& place, std::uint64_t key) noexcept;
  bool admit(SlotRef& place, const Sighting& sighting) noexcept;

  const Layout& layout_;
  IncidentIndex index_;
};

}  // namespace permguard::shared
