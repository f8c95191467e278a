// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "httpd/asked_path.h"
#include "httpd/incident_table.h"
#include "httpd/shared_layout.h"
#include "httpd/shared_state.h"
#include "httpd/waiting_room.h"

namespace permguard {
namespace {

using shared::AskedPath;
using shared::IncidentTable;
using shared::Layout;
using shared::Place;
using shared::Sighting;
using shared::Slot;
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
SharedState::Recorded due(Slot& slot, const Place& place, const Sighting& sighting,
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

// The incident's number; 0 where its place has just gone to another.
std::uint64_t id_of(const Slot& slot, SlotTally tally) {
  const std::uint64_t id = slot.id.load();
  return SlotTally(slot.tally.load()).same_incident(tally) ? id : 0;
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

bool concerned(const Slot& slot, const AskedPath& asked, uid_t uid) {
  if (slot.uid.load() != uid) return false;
  if (slot.target.load() == asked.whole()) return true;
  const std::uint64_t directory = slot.directory.load();
  if (directory != 0 && directory == asked.directory()) return true;
  return asked.may_descend_from(slot.culprit.load(), slot.culprit_length.load());
}

// The record of the incident the tally was read of; nullopt where it is unreadable or gone.
std::optional<shared::DecodedFinding> read(const Layout& layout, std::size_t index, SlotTally tally,
                                           std::string& buffer) {
  const Slot& slot = layout.slots[index];
  if (!shared::read_record(slot.latch, layout.records[index], buffer)) return std::nullopt;
  const SlotTally now(slot.tally.load());
  const bool same = now.same_incident(tally) && now.state() != State::empty;
  return same ? shared::decode(buffer) : std::nullopt;
}

std::vector<SharedState::Open> read_open(const Layout& layout, std::string_view target, uid_t uid) {
  std::vector<SharedState::Open> incidents;
  std::string buffer;
  const AskedPath asked(target);
  for (std::size_t i = 0; i < layout.slots.size(); ++i) {
    const Slot& slot = layout.slots[i];
    const SlotTally tally(slot.tally.load());
    if (tally.state() != State::open) continue;
    if (!target.empty() && !concerned(slot, asked, uid)) continue;
    const std::uint64_t id = slot.id.load();
    const auto first_seen = shared::to_time(slot.first_seen.load());
    const auto last_seen = shared::to_time(slot.last_seen.load());
    const auto last_asked = shared::to_time(slot.last_asked.load());
    if (auto record = read(layout, i, tally, buffer)) {
      incidents.push_back({id, std::move(record->finding), std::move(record->who),
                           std::move(record->vhost), first_seen, last_seen, last_asked});
    }
  }
  return incidents;
}

IncidentView view_of(const Slot& slot, SlotTally tally) {
  IncidentView view;
  view.id = slot.id.load();
  view.count = tally.count();
  view.first_seen = shared::to_time(slot.first_seen.load());
  view.last_seen = shared::to_time(slot.last_seen.load());
  view.open = tally.state() == State::open;
  view.closed = view.open ? 0 : shared::to_time(slot.closed.load());
  return view;
}

}  // namespace

void shared::fill_incidents(const Layout& layout, StatusSnapshot& snapshot) {
  std::string buffer;
  for (std::size_t i = 0; i < layout.slots.size(); ++i) {
    const Slot& slot = layout.slots[i];
    const SlotTally tally(slot.tally.load());
    if (tally.state() != State::open && tally.state() != State::closed) continue;
    IncidentView view = view_of(slot, tally);
    if (auto record = read(layout, i, tally, buffer)) {
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
  const Layout layout(this);
  shared::FindingRecord record;
  shared::encode(finding, who, vhost, record);
  const Sighting sighting{finding, record, key_of(finding, who.uid), who.uid, now, leads, sighted};
  IncidentTable table(layout);
  const IncidentTable::Placed placed = table.place(sighting);
  if (!placed.place) return turned_away(layout.region, sighting, interval);

  Slot& slot = layout.slots[placed.place->index];
  const std::uint64_t id = id_of(slot, placed.place->tally);
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
  const Layout layout(this);
  const std::uint64_t key = key_of(finding, who.uid);
  return std::any_of(layout.slots.begin(), layout.slots.end(), [&](const Slot& slot) {
    return SlotTally(slot.tally.load()).state() != State::open || slot.key.load() == key;
  });
}

bool SharedState::any_open() const noexcept {
  const std::uint64_t open = Layout(this).region.open.load(std::memory_order_relaxed);
  return static_cast<std::uint32_t>(open) != 0;
}

bool SharedState::concerns(std::string_view target, uid_t uid) const noexcept {
  const Layout layout(this);
  const AskedPath asked(target);
  return std::any_of(layout.slots.begin(), layout.slots.end(), [&](const Slot& slot) {
    return SlotTally(slot.tally.load()).state() == State::open && concerned(slot, asked, uid);
  });
}

std::vector<SharedState::Open> SharedState::open_incidents(std::string_view target,
                                                           uid_t uid) const noexcept {
  try {
    return read_open(Layout(this), target, uid);
  } catch (...) {
    return {};  // out of memory: asked again by the next request
  }
}

bool SharedState::claim_question(std::uint64_t id, std::int64_t now) noexcept {
  const Layout layout(this);
  const std::optional<Place> place = IncidentTable(layout).find_id(id);
  if (!place) return false;
  shared::Word& asked = layout.slots[place->index].last_asked;
  std::uint64_t last = asked.load();
  return shared::interval_over(shared::to_time(last), now, 1) &&
         asked.replace(last, shared::to_word(now));
}

std::optional<SharedState::Closed> SharedState::close(std::uint64_t id, std::int64_t now) noexcept {
  const Layout layout(this);
  IncidentTable table(layout);
  const std::optional<Place> place = table.find_id(id);
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
  const Layout layout(this);
  IncidentTable table(layout);
  for (std::size_t i = 0; i < layout.slots.size(); ++i) {
    const Slot& slot = layout.slots[i];
    const SlotTally tally(slot.tally.load());
    if (tally.state() != State::open) continue;
    const auto last =
        std::max(shared::to_time(slot.last_seen.load()), shared::to_time(slot.last_asked.load()));
    if (now - last > kForgottenAfter) table.finish({i, tally}, State::empty);
  }
  table.recount(now);
}

}  // namespace permguard
