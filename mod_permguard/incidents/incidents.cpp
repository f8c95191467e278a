// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "incidents/evicted_counts.h"
#include "incidents/index.h"
#include "incidents/path_hashes.h"
#include "incidents/store.h"
#include "incidents/store_layout.h"
#include "incidents/table.h"

namespace permguard {
namespace {

using shared::FoundBy;
using shared::IncidentIndex;
using shared::IncidentTable;
using shared::Layout;
using shared::Sighting;
using shared::Slot;
using shared::SlotRef;
using shared::SlotTally;
using shared::State;

constexpr std::int64_t kForgottenAfter = std::int64_t{24} * 60 * 60;

// Two of n incidents share a key, and so a place, with odds of n²/2⁶⁵: for the default of 256
// incidents 1 in 5·10¹⁴. A path holds no NUL, so the parts cannot run into each other.
std::uint64_t key_of(const Finding& finding, uid_t uid) {
  std::uint64_t hash = shared::kHashSeed;
  const auto add_number = [&hash](auto value) {
    hash = shared::hash_bytes({reinterpret_cast<const char*>(&value), sizeof value}, hash);
  };
  add_number(finding.role);
  add_number(finding.code);
  add_number(finding.need);
  add_number(uid);
  hash = shared::hash_byte(shared::hash_bytes(finding.path, hash), '\0');
  if (finding.target_seen) hash = shared::hash_bytes(finding.target, hash);
  return shared::spread(hash);
}

// Whose turn it is to write a line for an incident that was there before.
SharedState::Recorded due(Slot& slot, const SlotRef& place, const Sighting& sighting,
                          std::int64_t interval) {
  using Due = SharedState::Due;
  const std::uint64_t count = place.tally.stamp(place.tally.count());
  const std::uint64_t now = place.tally.stamp(shared::to_word(sighting.now));
  std::uint64_t logged = slot.logged.load();
  const std::int64_t last = shared::to_time(SlotTally::stamped(logged));
  const bool gone = logged != place.tally.stamp(SlotTally::stamped(logged));
  if (gone) return {Due::nothing, 0, 0, 0};  // closed and replaced since it was counted
  // Whoever reads the log for a failed request finds its line there, client and all, though the
  // watch has told of it before.
  const bool first_request = sighting.sighted && place.tally.count() == 1;
  if (interval <= 0 || last == 0 || first_request) {
    if (!slot.logged.replace(logged, now) && interval > 0) return {Due::nothing, 0, 0, 0};
    slot.logged_count.raise(count);
    return {Due::whole, 0, 0, 0};
  }
  // A watch that saw it again has nothing to tell where no request was hurt meanwhile.
  const bool told = slot.logged_count.load() >= count;
  if (told || !shared::interval_over(last, sighting.now, interval) ||
      !slot.logged.replace(logged, now)) {
    return {Due::nothing, 0, 0, 0};
  }
  return {Due::repeat, 0, slot.logged_count.raise(count), sighting.now - last};
}

// The first line of an incident. One that comes and goes in a full table is told once an
// interval: its last line is then that of its earlier place.
SharedState::Due due_opened(shared::Region& region, Slot& slot, const IncidentTable::Placed& placed,
                            const Sighting& sighting, std::int64_t interval) {
  using Due = SharedState::Due;
  if (!sighting.leads) return Due::nothing;
  if (!placed.returned || region.unplaced.pass(sighting.key, sighting.now, interval)) {
    return Due::whole;
  }
  const SlotTally tally = placed.place->tally;
  std::uint64_t logged = tally.stamp(shared::to_word(sighting.now));
  const std::int64_t last = region.unplaced.last(sighting.key).value_or(sighting.now);
  slot.logged.replace(logged, tally.stamp(shared::to_word(last)));
  return Due::nothing;
}

SharedState::Recorded turned_away(shared::Region& region, const Sighting& sighting,
                                  std::int64_t interval) {
  using Due = SharedState::Due;
  region.counters.incidents_evicted.add(1);
  if (sighting.sighted) shared::WaitingRoom(region.waiting).add(sighting.key, 1);
  const bool whole = sighting.leads && region.unplaced.pass(sighting.key, sighting.now, interval);
  return {whole ? Due::whole : Due::nothing, 0, 0, 0};
}

// Calls `visit` with the open incidents that may have stood in the way of `uid` to `target`, some
// of them more than once, until it returns true.
template <class Visit>
bool any_concerned(const Layout& layout, std::string_view target, uid_t uid, Visit visit) {
  const IncidentIndex index(layout);
  const auto look = [&](FoundBy by, std::uint64_t path, shared::Word Slot::*own) {
    const std::uint64_t hash = shared::hash_of(by, path, uid);
    return index.any_of(hash, [&](const SlotRef& found) {
      const bool meant = (layout.slots[found.index].*own).load() == hash;
      return meant && found.tally.state() == State::open && visit(found);
    });
  };
  const std::uint64_t directory = shared::hash_bytes(shared::directory_of(target));
  return shared::any_leading(
             target,
             [&](std::uint64_t path) { return look(FoundBy::culprit, path, &Slot::culprit); }) ||
         look(FoundBy::target, shared::hash_bytes(target), &Slot::target) ||
         look(FoundBy::directory, directory, &Slot::directory);
}

// The record of the incident the tally was read of; nullopt where it is unreadable or gone.
std::optional<shared::DecodedFinding> read(const Layout& layout, const SlotRef& incident,
                                           std::string& buffer) {
  const Slot& slot = layout.slots[incident.index];
  if (!shared::read_record(slot.latch, layout.records[incident.index], buffer)) return std::nullopt;
  const SlotTally now(slot.tally.load());
  const bool same = now.same_incident(incident.tally) && now.state() != State::empty;
  return same ? shared::decode(buffer) : std::nullopt;
}

std::optional<SharedState::Open> read_open(const Layout& layout, const SlotRef& incident,
                                           std::string& buffer) {
  const Slot& slot = layout.slots[incident.index];
  const auto first_seen = shared::to_time(slot.first_seen.load());
  const auto last_seen = shared::to_time(slot.last_seen.load());
  const auto last_asked = shared::to_time(slot.last_asked.load());
  auto record = read(layout, incident, buffer);
  if (!record) return std::nullopt;
  return SharedState::Open{IncidentTable(layout).id_of(incident),
                           std::move(record->finding),
                           std::move(record->who),
                           std::move(record->vhost),
                           first_seen,
                           last_seen,
                           last_asked};
}

std::optional<SlotRef> open_in(const Layout& layout, std::size_t index) {
  const SlotRef found{index, SlotTally(layout.slots[index].tally.load())};
  return found.tally.state() == State::open ? std::optional(found) : std::nullopt;
}

std::vector<SlotRef> concerned(const Layout& layout, std::string_view target, uid_t uid) {
  std::vector<SlotRef> incidents;
  any_concerned(layout, target, uid, [&](const SlotRef& found) {
    const auto known = [&](const SlotRef& each) { return each.index == found.index; };
    if (std::none_of(incidents.begin(), incidents.end(), known)) incidents.push_back(found);
    return false;
  });
  return incidents;
}

std::vector<SlotRef> all_open(const Layout& layout) {
  std::vector<SlotRef> incidents;
  for (std::size_t i = 0; i < layout.slots.size(); ++i) {
    if (const auto found = open_in(layout, i)) incidents.push_back(*found);
  }
  return incidents;
}

// Whether the record says nothing, though nobody is writing it.
bool is_damaged(const Layout& layout, const SlotRef& incident, std::string& buffer) {
  return !layout.slots[incident.index].latch.busy() && !read(layout, incident, buffer) &&
         !layout.slots[incident.index].latch.busy();
}

IncidentView view_of(const Layout& layout, const SlotRef& incident) {
  const Slot& slot = layout.slots[incident.index];
  IncidentView view;
  view.id = IncidentTable(layout).id_of(incident);
  view.count = incident.tally.count();
  view.first_seen = shared::to_time(slot.first_seen.load());
  view.last_seen = shared::to_time(slot.last_seen.load());
  view.open = incident.tally.state() == State::open;
  view.closed = view.open ? 0 : shared::to_time(slot.closed.load());
  return view;
}

}  // namespace

void shared::fill_incidents(const Layout& layout, StatusSnapshot& snapshot) {
  std::string buffer;
  for (std::size_t i = 0; i < layout.slots.size(); ++i) {
    const SlotRef incident{i, SlotTally(layout.slots[i].tally.load())};
    const State state = incident.tally.state();
    if (state != State::open && state != State::closed) continue;
    IncidentView view = view_of(layout, incident);
    if (auto record = read(layout, incident, buffer)) {
      view.finding = std::move(record->finding);
      view.who = std::move(record->who);
      view.vhost = std::move(record->vhost);
      snapshot.incidents.push_back(std::move(view));
    }
  }
}

SharedState::Recorded SharedState::record(const Finding& finding, const Identity& who,
                                          std::string_view vhost, bool leads, std::int64_t now,
                                          std::int64_t interval, bool sighted) noexcept {
  const Layout layout = this->layout();
  shared::FindingRecord record;
  shared::encode(finding, who, vhost, record);
  const Sighting sighting{finding, record, key_of(finding, who.uid), who.uid, now, leads, sighted};
  IncidentTable table(layout);
  const IncidentTable::Placed placed = table.place(sighting);
  if (!placed.place) return turned_away(layout.region, sighting, interval);

  Slot& slot = layout.slots[placed.place->index];
  const std::uint64_t id = table.id_of(*placed.place);
  if (placed.opened) {
    return {due_opened(layout.region, slot, placed, sighting, interval), id, 0, 0,
            !placed.returned};
  }
  slot.last_seen.raise(shared::to_word(now));
  table.refresh(*placed.place, sighting);
  Recorded recorded;
  recorded.due = Due::nothing;
  if (leads) recorded = due(slot, *placed.place, sighting, interval);
  recorded.id = id;
  return recorded;
}

bool SharedState::has_room_for(const Finding& finding, const Identity& who) const noexcept {
  const Layout layout = this->layout();
  const std::uint64_t open = layout.region.open.load() & shared::kOpenMask;
  return open < incidents_ || IncidentTable(layout).find(key_of(finding, who.uid));
}

bool SharedState::any_open() const noexcept {
  const std::uint64_t open = region().open.load(std::memory_order_relaxed);
  return (open & shared::kOpenMask) != 0;
}

bool SharedState::concerns(std::string_view target, uid_t uid) const noexcept {
  return any_concerned(layout(), target, uid, [](const SlotRef&) { return true; });
}

std::vector<SharedState::Open> SharedState::open_incidents(std::string_view target,
                                                           uid_t uid) const noexcept {
  std::vector<Open> incidents;
  try {
    const Layout layout = this->layout();
    std::string buffer;
    for (const SlotRef& found :
         target.empty() ? all_open(layout) : concerned(layout, target, uid)) {
      if (auto open = read_open(layout, found, buffer)) incidents.push_back(std::move(*open));
    }
  } catch (...) {
    // Out of memory: those that are left out are asked again by the next request.
  }
  return incidents;
}

bool SharedState::claim_question(std::uint64_t id, std::int64_t now) noexcept {
  const Layout layout = this->layout();
  const std::optional<SlotRef> place = IncidentTable(layout).find_id(id);
  if (!place) return false;
  shared::Word& asked = layout.slots[place->index].last_asked;
  std::uint64_t last = asked.load();
  return shared::interval_over(shared::to_time(last), now, 1) &&
         asked.replace(last, shared::to_word(now));
}

std::optional<SharedState::Closed> SharedState::close(std::uint64_t id, std::int64_t now) noexcept {
  const Layout layout = this->layout();
  IncidentTable table(layout);
  const std::optional<SlotRef> place = table.find_id(id);
  if (!place) return std::nullopt;
  // Before the state says closed, so that no reader sees it closed at no time. Two who close
  // at once write the same second.
  Slot& slot = layout.slots[place->index];
  const std::int64_t first_seen = shared::to_time(slot.first_seen.load());
  slot.closed.store(shared::to_word(now));
  const std::optional<SlotTally> last = table.finish(*place, State::closed);
  if (!last) return std::nullopt;
  return Closed{std::max<std::int64_t>(0, now - first_seen), last->count()};
}

void SharedState::expire(std::int64_t now) noexcept {
  const Layout layout = this->layout();
  IncidentTable table(layout);
  for (std::size_t i = 0; i < layout.slots.size(); ++i) {
    const std::optional<SlotRef> open = open_in(layout, i);
    if (!open) continue;
    const Slot& slot = layout.slots[i];
    const auto last =
        std::max(shared::to_time(slot.last_seen.load()), shared::to_time(slot.last_asked.load()));
    if (now - last > kForgottenAfter) table.finish(*open, State::empty);
  }
  table.recount(now);
}

std::size_t SharedState::drop_damaged() noexcept {
  std::size_t dropped = 0;
  try {
    const Layout layout = this->layout();
    IncidentTable table(layout);
    std::string buffer;
    for (const SlotRef& open : all_open(layout)) {
      if (is_damaged(layout, open, buffer) && table.finish(open, State::empty)) ++dropped;
    }
  } catch (...) {
    // Out of memory: they are looked at again by the next run.
  }
  return dropped;
}

}  // namespace permguard
