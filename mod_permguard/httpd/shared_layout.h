// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes behind SharedState: private to its implementation.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/finding.h"
#include "httpd/finding_record.h"
#include "httpd/limiter.h"
#include "httpd/shared_words.h"
#include "report/status_snapshot.h"

namespace permguard {
class SharedState;
}

namespace permguard::shared {

inline constexpr std::size_t kAlignment = 64;
inline constexpr std::size_t kWaitingRoom = 1024;
inline constexpr std::size_t kWatchDirectories = 256;  // 32 MiB, untouched until used
inline constexpr std::size_t kWatchFindings = 64;      ///< kept for each directory
inline constexpr std::size_t kWatchBytes = std::size_t{128} * 1024;

inline constexpr std::size_t kIncidentWords = words_for(kRecordBytes);
inline constexpr std::size_t kWatchWords = words_for(kWatchBytes);

/// Written last by create(): who finds the magic finds the rest.
struct Header {
  Word magic, version, size, incidents, geometry;
};

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
  Word tally;   ///< generation, state and count in one word, see incidents.cpp
  Word key, id;
  Word fingerprint;  ///< of the record; 0 while it is not whole
  Word first_seen, last_seen, last_asked, closed;
  Word logged;        ///< generation and time of the last line in the log; time 0: none yet
  Word logged_count;  ///< generation and count told by that line
  Word uid, target;   ///< target: hash
  Word directory;     ///< hash of the target's directory where the culprit lies elsewhere, else 0
  Word culprit, culprit_length;  ///< hash and length
};

struct WatchSlot {
  Latch latch;
  Word directory;  ///< hash; 0: free
};

/// The part of fixed size. Behind it lie the slots, their records, the watch's records.
struct Region {
  Header header;
  Counters counters;
  Word open;  ///< how many incidents are open (low half), and how often that changed
  Word doubted_open, doubted_since;  ///< a value of `open` found too high, and when
  Word next_id;
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

/// Where the parts are.
struct Layout {
  explicit Layout(const SharedState* state) noexcept;

  Region& region;
  std::span<Slot> slots;
  std::span<IncidentRecord> records;
  std::span<WatchRecord> watch_records;
};

void fill_incidents(const Layout& layout, StatusSnapshot& snapshot);
void fill_watch(const Layout& layout, StatusSnapshot& snapshot);

}  // namespace permguard::shared
