// SPDX-License-Identifier: Apache-2.0
#include "incidents/table.h"

#include <algorithm>
#include <thread>
#include <tuple>

#include "incidents/evicted_counts.h"
#include "incidents/path_hashes.h"

namespace permguard::shared {
namespace {

// How often one sighting starts again when it meets others, and after how many meetings a
// tentative incident that does not get on is ended by those who wait for it.
constexpr int kAttempts = 1000;
constexpr int kPatience = 200;

// The word of open incidents: its upper half counts changes, so that recount() can tell.
constexpr std::uint64_t kOneMore = (std::uint64_t{1} << 32) + 1;
constexpr std::uint64_t kOneLess = (std::uint64_t{1} << 32) - 1;
constexpr std::int64_t kSettled = 10;  // seconds

// How many slots a newcomer looks at for one that is free or worth less.
constexpr std::size_t kLooks = 256;

// What a slot is worth: whoever has least gives up the place. Closed incidents go by when they
// closed, open ones by count, then by when they were last seen.
using Worth = std::tuple<int, std::uint64_t, std::uint64_t>;

Worth worth_of(const Slot& slot, SlotTally tally) {
  switch (tally.state()) {
    case State::closed:
      return {1, slot.closed.load(), 0};
    case State::open:
      return {2, tally.count(), slot.last_seen.load()};
    default:
      return {0, 0, 0};
  }
}

}  // namespace

std::optional<SlotRef> IncidentTable::find(std::uint64_t key) const noexcept {
  std::optional<SlotRef> tentative;
  std::optional<SlotRef> open;
  index_.any_of(key, [&](const SlotRef& found) {
    if (layout_.slots[found.index].key.load() != key) return false;
    if (found.tally.state() == State::tentative) tentative = found;
    if (found.tally.state() == State::open) open = found;
    return open.has_value();
  });
  return open ? open : tentative;
}

std::uint64_t IncidentTable::id_of(const SlotRef& incident) const noexcept {
  const std::uint64_t use = (incident.tally.generation() - 1) % SlotTally::kGenerations;
  return use * layout_.slots.size() + incident.index + 1;
}

std::optional<SlotRef> IncidentTable::find_id(std::uint64_t id) const noexcept {
  if (id == 0) return std::nullopt;
  const std::size_t index = (id - 1) % layout_.slots.size();
  const SlotRef found{index, SlotTally(layout_.slots[index].tally.load())};
  if (found.tally.state() != State::open || id_of(found) != id) return std::nullopt;
  return found;
}

// Adds to the count while the incident is open, and brings the place's tally up to date.
bool IncidentTable::count(SlotRef& place, std::uint64_t sightings) noexcept {
  Word& word = layout_.slots[place.index].tally;
  std::uint64_t seen = place.tally.word();
  for (int turn = 0; turn < kOvertaken; ++turn) {
    const SlotTally tally(seen);
    if (tally.state() != State::open || !tally.same_incident(place.tally)) return false;
    const SlotTally more = tally.plus(sightings);
    if (!word.replace(seen, more.word())) continue;
    place.tally = more;
    return true;
  }
  return false;
}

std::optional<SlotTally> IncidentTable::finish(const SlotRef& place, State state) noexcept {
  Word& word = layout_.slots[place.index].tally;
  std::uint64_t seen = place.tally.word();
  for (int turn = 0; turn < kOvertaken; ++turn) {
    const SlotTally tally(seen);
    if (tally.state() != State::open || !tally.same_incident(place.tally)) return std::nullopt;
    if (!word.replace(seen, tally.as(state).word())) continue;
    layout_.region.open.add(kOneLess);
    return tally;
  }
  return std::nullopt;
}

IncidentTable::Placed IncidentTable::place(const Sighting& sighting) noexcept {
  for (int attempt = 1; attempt < kAttempts; ++attempt) {
    if (std::optional<SlotRef> place = find(sighting.key)) {
      if (place->tally.state() == State::open) {
        if (count(*place, sighting.sighted ? 1 : 0)) return {place, false, false};
      } else if (attempt % kPatience == 0) {
        std::uint64_t tentative = place->tally.word();
        layout_.slots[place->index].tally.replace(tentative, place->tally.as(State::empty).word());
      } else {
        std::this_thread::yield();
      }
      continue;
    }
    Placed placed;
    const Outcome outcome = open(sighting, placed);
    if (outcome == Outcome::opened) return placed;
    if (outcome == Outcome::no_place) break;
    std::this_thread::yield();
  }
  return {};
}

IncidentTable::Victim IncidentTable::choose(std::uint64_t weight) const noexcept {
  Victim victim;
  Worth least{3, 0, 0};
  const std::size_t slots = layout_.slots.size();
  const bool small = slots <= kLooks;
  const std::size_t begin = small ? 0 : layout_.region.next_victim.add(1) % slots;
  for (std::size_t look = 0; look < std::min(slots, kLooks); ++look) {
    const std::size_t i = (begin + look) % slots;
    const Slot& slot = layout_.slots[i];
    const SlotTally tally(slot.tally.load());
    if (slot.latch.busy()) {
      victim.busy = true;
      continue;
    }
    if (tally.state() == State::empty) return {SlotRef{i, tally}, false};
    const Worth worth = worth_of(slot, tally);
    const bool too_heavy = tally.state() == State::open && tally.count() > weight;
    if (too_heavy || worth >= least) continue;
    least = worth;
    victim.place = SlotRef{i, tally};
  }
  return victim;
}

// Makes the victim's slot the next incident's; the caller holds the claim.
bool IncidentTable::reserve(const SlotRef& victim) noexcept {
  std::uint64_t seen = victim.tally.word();
  if (!layout_.slots[victim.index].tally.replace(seen, victim.tally.successor().word())) {
    return false;
  }
  if (victim.tally.state() == State::open) evict(victim);
  return true;
}

// The incident's weight and its last line outlive its place. Key and time are still its own: the
// slot is reserved and not yet described.
void IncidentTable::evict(const SlotRef& victim) noexcept {
  Region& region = layout_.region;
  const Slot& slot = layout_.slots[victim.index];
  region.open.add(kOneLess);
  region.counters.incidents_evicted.add(1);
  WaitingRoom(region.waiting).add(slot.key.load(), victim.tally.count());
  const std::uint64_t logged = SlotTally::stamped(slot.logged.load());
  if (logged != 0) region.unplaced.pass(slot.key.load(), to_time(logged), 1);
}

// Writes the record and what is known of its target; the caller holds the claim.
void IncidentTable::write(const SlotRef& place, const Sighting& sighting) noexcept {
  Slot& slot = layout_.slots[place.index];
  const std::string_view target = sighting.finding.target;
  const bool elsewhere = !leads_to(sighting.finding.path, target);
  const auto found_by = [&](FoundBy by, std::string_view path) {
    return elsewhere ? hash_of(by, hash_bytes(path), sighting.uid) : 0;
  };
  slot.fingerprint.store(0);
  make_findable(place, slot.target, found_by(FoundBy::target, target));
  make_findable(place, slot.directory, found_by(FoundBy::directory, directory_of(target)));
  write_record(slot.latch, layout_.records[place.index], sighting.record.bytes());
  slot.fingerprint.store(sighting.record.fingerprint);
}

void IncidentTable::make_findable(const SlotRef& place, Word& word, std::uint64_t hash) noexcept {
  word.store(hash);
  if (hash != 0) index_.add(hash, place);
}

// Writes all of a reserved slot.
void IncidentTable::describe(const SlotRef& place, const Sighting& sighting) noexcept {
  Slot& slot = layout_.slots[place.index];
  const std::string_view culprit = without_end_slashes(sighting.finding.path);
  slot.key.store(sighting.key);
  slot.first_seen.store(to_word(sighting.now));
  slot.last_seen.store(to_word(sighting.now));
  slot.last_asked.store(0);
  slot.closed.store(0);
  slot.logged.store(place.tally.stamp(sighting.leads ? to_word(sighting.now) : 0));
  slot.logged_count.store(place.tally.stamp(sighting.sighted ? 1 : 0));
  make_findable(place, slot.culprit, hash_of(FoundBy::culprit, hash_bytes(culprit), sighting.uid));
  write(place, sighting);
}

// Whether a tentative incident is the only one of its key that may be opened. Ends tentative
// ones in higher slots.
bool IncidentTable::alone(const SlotRef& place, std::uint64_t key) noexcept {
  return !index_.any_of(key, [&](const SlotRef& other) {
    return other.index != place.index && bars(other, place, key);
  });
}

// Whether `other` has the key and goes before `place`; one that comes behind it is ended.
bool IncidentTable::bars(const SlotRef& other, const SlotRef& place, std::uint64_t key) noexcept {
  Slot& slot = layout_.slots[other.index];
  std::uint64_t seen = slot.tally.load();
  for (int turn = 0; turn < kOvertaken && slot.key.load() == key; ++turn) {
    const SlotTally tally(seen);
    if (tally.state() == State::open) return true;
    if (tally.state() != State::tentative) return false;
    if (other.index < place.index) return true;
    if (slot.tally.replace(seen, tally.as(State::empty).word())) return false;
  }
  return false;
}

IncidentTable::Outcome IncidentTable::open(const Sighting& sighting, Placed& placed) noexcept {
  const WaitingRoom waiting(layout_.region.waiting);
  const Victim victim = choose(waiting.weight(sighting.key) + (sighting.sighted ? 1 : 0));
  if (!victim.place) return victim.busy ? Outcome::again : Outcome::no_place;
  Slot& slot = layout_.slots[victim.place->index];
  const Claim claim(slot.latch);
  if (!claim || !reserve(*victim.place)) return Outcome::again;
  SlotRef place{victim.place->index, victim.place->tally.successor()};
  describe(place, sighting);

  std::uint64_t reserved = place.tally.word();
  if (!index_.add_key(sighting.key, place)) {
    slot.tally.replace(reserved, place.tally.as(State::empty).word());
    return Outcome::no_place;
  }
  std::uint64_t tentative = place.tally.as(State::tentative).word();
  if (!slot.tally.replace(reserved, tentative)) return Outcome::again;
  layout_.region.open.add(kOneMore);
  place.tally = place.tally.as(State::open).plus(sighting.sighted ? 1 : 0);
  if (!alone(place, sighting.key)) {
    slot.tally.replace(tentative, place.tally.as(State::empty).word());
  } else if (slot.tally.replace(tentative, place.tally.word())) {
    const bool returned = admit(place, sighting);
    placed = {place, true, returned};
    return Outcome::opened;
  }
  layout_.region.open.add(kOneLess);
  return Outcome::again;
}

// Sightings from before it had this place count too; whether there were any.
bool IncidentTable::admit(SlotRef& place, const Sighting& sighting) noexcept {
  const std::uint64_t earlier = WaitingRoom(layout_.region.waiting).take(sighting.key);
  if (earlier == 0) return false;
  if (!count(place, earlier)) return true;
  layout_.slots[place.index].logged_count.raise(place.tally.stamp(place.tally.count()));
  return true;
}

void IncidentTable::refresh(const SlotRef& place, const Sighting& sighting) noexcept {
  Slot& slot = layout_.slots[place.index];
  if (slot.fingerprint.load() == sighting.record.fingerprint) return;
  const Claim claim(slot.latch);
  if (!claim || !SlotTally(slot.tally.load()).same_incident(place.tally)) return;
  write(place, sighting);
}

void IncidentTable::recount(std::int64_t now) noexcept {
  Region& region = layout_.region;
  std::uint64_t seen = region.open.load();
  std::uint64_t open = 0;
  for (const Slot& slot : layout_.slots) {
    if (SlotTally(slot.tally.load()).state() == State::open) ++open;
  }
  if (open == (seen & kOpenMask)) return;
  // Somebody may be between closing and counting; but not for seconds.
  if (region.doubted_open.load() != seen) {
    region.doubted_since.store(to_word(now));
    region.doubted_open.store(seen);
  } else if (now - to_time(region.doubted_since.load()) > kSettled) {
    region.open.replace(seen, (seen & ~kOpenMask) + open);
  }
}

}  // namespace permguard::shared
