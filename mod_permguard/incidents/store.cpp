// SPDX-License-Identifier: Apache-2.0
#include "incidents/store.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "incidents/store_layout.h"

namespace permguard {
namespace shared {
namespace {

constexpr std::uint64_t kVersion = 3;

constexpr std::size_t aligned(std::size_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

// An incident has up to four words in the index. At an eighth of what there is room for, the odds
// that two buckets of eight are full for it are 1 in 10⁹.
constexpr std::size_t buckets_for(std::size_t incidents) {
  return std::bit_ceil(std::max<std::size_t>(incidents * 4, 16));
}

// Offsets of the parts, in the order in which they lie.
struct Offsets {
  explicit constexpr Offsets(std::size_t incidents)
      : slots(aligned(sizeof(Region))),
        index(aligned(slots + incidents * sizeof(Slot))),
        records(aligned(index + buckets_for(incidents) * sizeof(IndexBucket))),
        watch(aligned(records + incidents * sizeof(IncidentRecord))),
        end(watch + kWatchDirectories * sizeof(WatchRecord)) {}
  std::size_t slots, index, records, watch, end;
};

template <class T>
std::span<T> part(char* base, std::size_t offset, std::size_t count) {
  return {reinterpret_cast<T*>(base + offset), count};
}

}  // namespace

Layout::Layout(char* base, std::size_t incidents) noexcept
    : region(*reinterpret_cast<Region*>(base)) {
  const Offsets at(incidents);
  slots = part<Slot>(base, at.slots, incidents);
  index = part<IndexBucket>(base, at.index, buckets_for(incidents));
  records = part<IncidentRecord>(base, at.records, incidents);
  watch_records = part<WatchRecord>(base, at.watch, kWatchDirectories);
}

std::size_t bytes_for(std::size_t incidents) noexcept {
  return Offsets(incidents).end;
}

}  // namespace shared

std::size_t SharedState::size_for(unsigned incidents) noexcept {
  return shared::bytes_for(incidents) + shared::kAlignment;
}

// Sizes and the catalogue's names: a module built from other tables must not read these bytes.
std::uint64_t SharedState::geometry(unsigned incidents) noexcept {
  std::uint64_t hash = shared::kHashSeed;
#define PERMGUARD_CODE(enumerator, name, severity, cause, action) \
  hash = shared::hash_bytes(name "\n", hash);
#include "core/catalogue.inc"
  for (const std::uint64_t number :
       {shared::kVersion, std::uint64_t{shared::bytes_for(incidents)}, std::uint64_t{incidents},
        std::uint64_t{sizeof(shared::Region)}, std::uint64_t{kRoleCount},
        std::uint64_t{kHandlerCount}}) {
    hash = shared::spread(hash ^ number);
  }
  return hash;
}

std::optional<SharedState> SharedState::in(void* memory, std::size_t size,
                                           unsigned incidents) noexcept {
  if (memory == nullptr || incidents == 0) return std::nullopt;
  void* base = std::align(shared::kAlignment, shared::bytes_for(incidents), memory, size);
  if (base == nullptr) return std::nullopt;
  return SharedState(static_cast<char*>(base), incidents);
}

shared::Layout SharedState::layout() const noexcept {
  return {base_, incidents_};
}

shared::Region& SharedState::region() const noexcept {
  return *reinterpret_cast<shared::Region*>(base_);
}

bool SharedState::exoneration_due(std::string_view target, std::int64_t now,
                                  std::int64_t interval) noexcept {
  const std::uint64_t hash = shared::spread(shared::hash_bytes(target));
  return region().exonerations.pass(hash, now, interval);
}

void SharedState::fill(StatusSnapshot& snapshot) const noexcept {
  const shared::Layout layout = this->layout();
  snapshot.counters = counters();
  try {
    shared::fill_incidents(layout, snapshot);
    shared::fill_watch(layout, snapshot);
  } catch (...) {
    // Out of memory: what was read so far is shown.
  }
}

}  // namespace permguard
