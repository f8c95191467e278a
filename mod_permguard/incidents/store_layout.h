// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes behind SharedState: private to its implementation.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/finding.h"
#include "incidents/finding_record.h"
#include "incidents/rate_limiter.h"
#include "incidents/seqlock.h"
#include "incidents/status.h"

namespace permguard::shared {

inline constexpr std::size_t kAlignment = 64;
inline constexpr std::size_t kWaitingRoom = 1024;
inline constexpr std::size_t kWatchDirectories = 256;  // 32 MiB, untouched until used
inline constexpr std::size_t kWatchFindings = 64;      ///< kept for each directory
inline constexpr std::size_t kWatchBytes = std::size_t{128} * 1024;

inline constexpr std::size_t kIncidentWords = words_for(kRecordBytes);
inline constexpr std::size_t kWatchWords = words_for(kWatchBytes);

struct Counters {
  std::array<std::array<Word, kCheckResultCount>, kHandlerCount> checks;
  std::array<Word, kHandlerCount> exonerated;
  std::array<std::array<Word, kRoleCount>, kCodeCount> findings;
  Word incidents_evicted, events_dropped, duration_ns;
  Word drop_said;  ///< when the error log last said that events are dropped; 0: never
  std::array<Word, kDurationBounds.size() + 1> duration_buckets;
};

/// One incident but for its record. What is needed to count, to find and to evict lies here,
/// outside the sequence lock, each word valid on its own.
struct Slot {
  Latch latch;  ///< of the record, and the right to give the slot to another incident
  Word tally;   ///< generation, state and count in one word, see incident_table.h
  Word key;
  Word fingerprint;  ///< of the record; 0 while it is not whole
  Word first_seen, last_seen, last_asked, closed;
  Word logged;        ///< generation and time of the last line in the log; time 0: none yet
  Word logged_count;  ///< generation and count told by that line
  Word culprit;       ///< hash of the culprit and the user, see incident_index.h
  Word target;        ///< likewise of the target, where the culprit is no part of its way, else 0
  Word directory;     ///< likewise of the target's directory
};

struct WatchSlot {
  Latch latch;
  Word directory;  ///< hash; 0: free
};

/// The words that lead from a hash to slots: one line of the processor's cache.
using IndexBucket = std::array<Word, 8>;

/// Of Region::open: the number of open incidents.
inline constexpr std::uint64_t kOpenMask = 0xffffffffULL;

/// The part of fixed size. Behind it lie the slots, their index, their records, the watch's
/// records. All bytes zero is an empty one, so that laying it out writes nothing.
struct Region {
  Counters counters;
  Word open;  ///< how many incidents are open (low half), and how often that changed
  Word doubted_open, doubted_since;        ///< a value of `open` found wrong, and when
  Word next_victim;                        ///< where a big table looks first for a free slot
  std::array<Word, kWaitingRoom> waiting;  ///< sightings of incidents that found no place
  Limiter unplaced;                        ///< log lines of those
  Limiter exonerations;
  std::array<WatchSlot, kWatchDirectories> watch;
};
// Raw zeroed memory is a Region without anything being constructed or touched.
static_assert(std::is_trivially_default_constructible_v<Region>);
static_assert(std::is_trivially_destructible_v<Region>);

using IncidentRecord = std::array<Word, kIncidentWords>;
using WatchRecord = std::array<Word, kWatchWords>;

/// Where the parts are in this process. Made of what the process knows by itself, the address that
/// it mapped and the number of incidents that it read in its configuration, and kept in its own
/// memory: what the segment says of itself is not asked.
struct Layout {
  /// `base`: aligned to kAlignment, of at least bytes_for(incidents).
  Layout(char* base, std::size_t incidents) noexcept;

  Region& region;
  std::span<Slot> slots;
  std::span<IndexBucket> index;  ///< their number is a power of two
  std::span<IncidentRecord> records;
  std::span<WatchRecord> watch_records;
};

/// Bytes of a state for that many incidents.
std::size_t bytes_for(std::size_t incidents) noexcept;

void fill_incidents(const Layout& layout, StatusSnapshot& snapshot);
void fill_watch(const Layout& layout, StatusSnapshot& snapshot);

}  // namespace permguard::shared
