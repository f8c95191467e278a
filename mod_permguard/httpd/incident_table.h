// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "httpd/finding_record.h"
#include "httpd/shared_layout.h"

namespace permguard::shared {

/// Where a slot stands in its life:
/// empty or closed or (evicted) open → reserved → tentative → open → closed.
/// A slot is reserved while its new record is written, and tentative while its writer looks
/// whether another has opened the same incident.
enum class State : std::uint8_t { empty, reserved, tentative, open, closed };

/// A slot's tally word: which incident of many that used the slot, its state, its count. They
/// share a word so that no sighting is counted for the slot's next incident, and none after
/// an incident has closed. The generation comes round after a million uses of one slot.
class SlotTally {
 public:
  explicit SlotTally(std::uint64_t word) : word_(word) {}
  std::uint64_t word() const { return word_; }
  std::uint64_t generation() const { return word_ >> 44; }
  State state() const { return static_cast<State>((word_ >> kCountBits) & 7); }
  std::uint64_t count() const { return word_ & kCountMask; }
  bool same_incident(SlotTally other) const { return generation() == other.generation(); }

  SlotTally as(State state) const {
    return SlotTally((generation() << 44) |
                     (std::uint64_t{static_cast<std::uint8_t>(state)} << kCountBits) | count());
  }
  SlotTally plus(std::uint64_t sightings) const {
    const std::uint64_t room = kCountMask - count();
    return SlotTally(word_ + (sightings < room ? sightings : room));
  }
  /// The slot's next incident, reserved, not yet sighted.
  SlotTally successor() const { return SlotTally((generation() + 1) << 44).as(State::reserved); }
  /// `value` (44 bits) marked as this incident's.
  std::uint64_t stamp(std::uint64_t value) const {
    return (generation() << 44) | (value & kStampMask);
  }
  /// What was stamped.
  static std::uint64_t stamped(std::uint64_t word) { return word & kStampMask; }

 private:
  static constexpr unsigned kCountBits = 41;
  static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
  static constexpr std::uint64_t kStampMask = (std::uint64_t{1} << 44) - 1;
  std::uint64_t word_;
};

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

/// An incident found: its slot and the tally that was seen there.
struct Place {
  std::size_t index = 0;
  SlotTally tally{0};
};

/// Lock-free table of incidents; no two open ones have the same key.
///
/// An incident is opened so: claim a slot, reserve it, write the record, make it tentative,
/// look at all other slots. Of two tentative ones with the same key the one in the lower slot
/// goes on and ends the other, whose writer starts again; an open one ends both. As both have
/// published before they look, at least one sees the other. A killed process leaves at most a
/// reserved or tentative slot behind: nobody waits for it, and it is used again as soon as its
/// claim is two seconds old.
class IncidentTable {
 public:
  explicit IncidentTable(const Layout& layout) : layout_(layout) {}

  struct Placed {
    std::optional<Place> place;  ///< nullopt: no place for it
    bool opened = false;         ///< by this call
    bool returned = false;       ///< opened, and has been turned away or evicted before
  };
  /// Counts the sighting at its incident, opening one if need be.
  Placed place(const Sighting& sighting) noexcept;
  /// The open incident with that id.
  std::optional<Place> find_id(std::uint64_t id) const noexcept;
  /// Takes an open incident out of that state; its tally then, or nullopt where another was
  /// quicker.
  std::optional<SlotTally> finish(const Place& place, State state) noexcept;
  /// Writes the record anew where the sighting tells something else than it does.
  void refresh(const Place& place, const Sighting& sighting) noexcept;
  /// Corrects the number of open incidents, which a killed process may leave too high: when
  /// called a second time and nothing has moved for some seconds.
  void recount(std::int64_t now) noexcept;

 private:
  enum class Outcome : std::uint8_t { opened, again, no_place };
  struct Victim {
    std::optional<Place> place;
    bool busy = false;  ///< a slot could not be judged: somebody is at it
  };

  std::optional<Place> find(std::uint64_t key) const noexcept;
  bool count(Place& place, std::uint64_t sightings) noexcept;
  Victim choose(std::uint64_t weight) const noexcept;
  Outcome open(const Sighting& sighting, Placed& placed) noexcept;
  bool reserve(const Place& victim) noexcept;
  void evict(const Place& victim) noexcept;
  void write(const Place& place, const Sighting& sighting) noexcept;
  void describe(const Place& place, const Sighting& sighting) noexcept;
  bool alone(const Place& place, std::uint64_t key) noexcept;
  bool admit(Place& place, const Sighting& sighting) noexcept;

  const Layout& layout_;
};

}  // namespace permguard::shared
