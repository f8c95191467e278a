// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

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
  std::uint64_t generation() const { return word_ >> kGenerationShift; }
  /// A word that none of ours has written counts as empty.
  State state() const {
    const auto state = static_cast<State>((word_ >> kCountBits) & 7);
    return state <= State::closed ? state : State::empty;
  }
  std::uint64_t count() const { return word_ & kCountMask; }
  bool same_incident(SlotTally other) const { return generation() == other.generation(); }
  /// Whether an incident is there, or on its way in.
  bool taken() const { return state() != State::empty && state() != State::closed; }

  SlotTally as(State state) const {
    return SlotTally((generation() << kGenerationShift) |
                     (std::uint64_t{static_cast<std::uint8_t>(state)} << kCountBits) | count());
  }
  SlotTally plus(std::uint64_t sightings) const {
    const std::uint64_t room = kCountMask - count();
    return SlotTally(word_ + (sightings < room ? sightings : room));
  }
  /// The slot's next incident, reserved, not yet sighted.
  SlotTally successor() const {
    return SlotTally((generation() + 1) << kGenerationShift).as(State::reserved);
  }
  /// `value` (44 bits) marked as this incident's.
  std::uint64_t stamp(std::uint64_t value) const {
    return (generation() << kGenerationShift) | (value & kStampMask);
  }
  /// What was stamped.
  static std::uint64_t stamped(std::uint64_t word) { return word & kStampMask; }

  static constexpr std::uint64_t kGenerations = std::uint64_t{1} << 20;

 private:
  static constexpr unsigned kGenerationShift = 44;
  static constexpr unsigned kCountBits = 41;
  static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
  static constexpr std::uint64_t kStampMask = (std::uint64_t{1} << kGenerationShift) - 1;
  std::uint64_t word_;
};

/// An incident: its slot, and the tally that was seen there.
struct SlotRef {
  std::size_t index = 0;
  SlotTally tally{0};
};

}  // namespace permguard::shared
