// SPDX-License-Identifier: Apache-2.0
#include "httpd/shared_state.h"

#include <memory>

#include "httpd/shared_layout.h"

namespace permguard {
namespace shared {
namespace {

constexpr std::uint64_t kMagic = 0x6472617567726570ULL;  // "permguard", as far as it fits
constexpr std::uint64_t kVersion = 2;

// Sizes and the catalogue's names: a module built from other tables must not read these bytes.
constexpr std::uint64_t geometry() {
  std::uint64_t hash = kHashSeed;
#define PERMGUARD_CODE(enumerator, name, severity, cause, action) \
  hash = hash_bytes(name "\n", hash);
#include "core/catalogue.inc"
  for (const std::size_t size : {sizeof(Region), sizeof(Slot), sizeof(IncidentRecord),
                                 sizeof(WatchRecord), kRoleCount, kHandlerCount}) {
    hash = (hash ^ size) * 0x100000001b3ULL;
  }
  return hash;
}

constexpr std::size_t aligned(std::size_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}
constexpr std::size_t kSlotsAt = aligned(sizeof(Region));
constexpr std::size_t records_at(std::size_t incidents) {
  return aligned(kSlotsAt + incidents * sizeof(Slot));
}
constexpr std::size_t watch_at(std::size_t incidents) {
  return aligned(records_at(incidents) + incidents * sizeof(IncidentRecord));
}
constexpr std::size_t end_of(std::size_t incidents) {
  return watch_at(incidents) + kWatchDirectories * sizeof(WatchRecord);
}

// The aligned start of a state within `memory`, or null where it would not fit.
char* base_of(void* memory, std::size_t size, unsigned incidents) {
  if (memory == nullptr || incidents == 0) return nullptr;
  void* start = memory;
  return static_cast<char*>(std::align(kAlignment, end_of(incidents), start, size));
}

template <class T>
std::span<T> part(Region& region, std::size_t offset, std::size_t count) {
  char* begin = reinterpret_cast<char*>(&region) + offset;
  return {reinterpret_cast<T*>(begin), count};
}

}  // namespace

// The const of the state is that of its interface: a reader's words are loaded, never stored.
Layout::Layout(const SharedState* state) noexcept
    : region(*reinterpret_cast<Region*>(const_cast<SharedState*>(state))) {
  const std::size_t incidents = region.header.incidents.load(std::memory_order_relaxed);
  slots = part<Slot>(region, kSlotsAt, incidents);
  records = part<IncidentRecord>(region, records_at(incidents), incidents);
  watch_records = part<WatchRecord>(region, watch_at(incidents), kWatchDirectories);
}

}  // namespace shared

std::size_t SharedState::size_for(unsigned incidents) noexcept {
  return shared::end_of(incidents) + shared::kAlignment;
}

SharedState* SharedState::create(void* memory, std::size_t size, unsigned incidents) noexcept {
  char* base = shared::base_of(memory, size, incidents);
  if (base == nullptr) return nullptr;
  shared::Header& header = reinterpret_cast<shared::Region*>(base)->header;
  header.version.store(shared::kVersion);
  header.size.store(size);
  header.incidents.store(incidents);
  header.geometry.store(shared::geometry());
  header.magic.store(shared::kMagic);
  return reinterpret_cast<SharedState*>(base);
}

SharedState* SharedState::adopt(void* memory, std::size_t size, unsigned incidents) noexcept {
  char* base = shared::base_of(memory, size, incidents);
  if (base == nullptr) return nullptr;
  const shared::Header& header = reinterpret_cast<const shared::Region*>(base)->header;
  const bool same = header.magic.load() == shared::kMagic &&
                    header.version.load() == shared::kVersion && header.size.load() == size &&
                    header.incidents.load() == incidents &&
                    header.geometry.load() == shared::geometry();
  return same ? reinterpret_cast<SharedState*>(base) : nullptr;
}

bool SharedState::exoneration_due(std::string_view target, std::int64_t now,
                                  std::int64_t interval) noexcept {
  const std::uint64_t hash = shared::spread(shared::hash_bytes(target));
  return shared::Layout(this).region.exonerations.pass(hash, now, interval);
}

void SharedState::fill(StatusSnapshot& snapshot) const noexcept {
  const shared::Layout layout(this);
  snapshot.counters = counters();
  try {
    shared::fill_incidents(layout, snapshot);
    shared::fill_watch(layout, snapshot);
  } catch (...) {
    // Out of memory: what was read so far is shown.
  }
}

}  // namespace permguard
