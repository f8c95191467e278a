// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/identity.h"
#include "incidents/status.h"

namespace permguard {
namespace shared {
struct Layout;
struct Region;
}  // namespace shared

/// What all processes of one server share: counters, the incident table, the log limiter of
/// exonerations and the results of the watch. They lie in raw shared memory, without a pointer and
/// without a lock, and are never destroyed. Readers never block writers; a process killed in the
/// middle of a write leaves one record unreadable until it is written again, and nothing else.
/// No APR here: tests use plain memory.
///
/// This object is a process's own view of that memory: where it lies and how big it is, which the
/// memory itself is never asked. Any process may have written anything there (it runs other
/// people's code): then counts, times and texts are wrong, or an incident is lost, but nothing
/// outside is read or written, no call takes long, and what is not well formed is dropped.
///
/// Every member is noexcept: a record that cannot be kept is counted as evicted.
class SharedState {
 public:
  /// Bytes needed for `incidents` incidents (1 to 65,536), slack for alignment included.
  static std::size_t size_for(unsigned incidents) noexcept;
  /// Equal for two states only where the bytes of one can be read as the other.
  static std::uint64_t geometry(unsigned incidents) noexcept;
  /// The state in `memory` (any alignment): a new one where all bytes are 0, which takes no
  /// writing, or one left by another generation of the server. nullopt: `size` bytes are too few.
  static std::optional<SharedState> in(void* memory, std::size_t size, unsigned incidents) noexcept;

  // --- counters: wait-free ---
  void count_check(Handler handler, CheckResult result, std::uint64_t nanoseconds) noexcept;
  void count_exonerated(Handler handler) noexcept;
  void count_finding(Code code, Role role) noexcept;
  void count_event_dropped() noexcept;
  /// Whether the error log shall say that events are dropped: true for one caller in `interval`
  /// seconds, and anew for an event log opened at `since`. All in seconds; `now` and `since` since
  /// the epoch.
  bool drop_is_due(std::int64_t now, std::int64_t interval, std::int64_t since) noexcept;
  CounterValues counters() const noexcept;

  // --- incidents ---
  /// What is due in the log for one sighting.
  enum class Due : std::uint8_t { nothing, whole, repeat };
  struct Recorded {
    Due due = Due::whole;      ///< whole, once an interval, also where the table had no place
    std::uint64_t id = 0;      ///< 0: not kept
    std::uint64_t more = 0;    ///< repeat: sightings since the last line
    std::int64_t seconds = 0;  ///< repeat: since the last line
    bool opened = false;       ///< a new incident, leading or not
  };
  /// One sighting at `now` (seconds). The key is role, code, culprit path, user, need, and the
  /// target only where finding.target_seen. `leads`: the finding is the line's first; a finding
  /// that so far was only mentioned after "; also" is due whole when it first leads. `interval`:
  /// PermGuardLogInterval; 0: always whole. `sighted` false registers without counting a
  /// request (the watch): due whole if new, repeat only where requests were counted since the
  /// last line. The heaviest incidents stay: a full table gives up the one closed longest ago,
  /// else the open one with the lowest count and oldest last sighting, provided that it is not
  /// heavier than the newcomer with all its sightings that were turned away before. Of more than
  /// 256 places, 256 are looked at for that. Given up while open, and turned away, count as
  /// evicted.
  Recorded record(const Finding& finding, const Identity& who, std::string_view vhost, bool leads,
                  std::int64_t now, std::int64_t interval, bool sighted = true) noexcept;

  /// Whether recording this finding would put no other open incident out.
  bool has_room_for(const Finding& finding, const Identity& who) const noexcept;

  /// Whether any incident is open: one relaxed load, for the hot path.
  bool any_open() const noexcept;

  /// An open incident as the asker needs it.
  struct Open {
    std::uint64_t id = 0;
    Finding finding;
    Identity who;
    std::string vhost;
    std::int64_t first_seen = 0;
    std::int64_t last_seen = 0;
    std::int64_t last_asked = 0;
  };
  /// Whether an open incident's question may be answered by a request of `uid` for `target`:
  /// its culprit is a leading part of `target`; or (culprit reached through a link or an
  /// interpreter) it is the same target, or one in the same directory. No allocation, and no
  /// longer for a big table than for a small one.
  bool concerns(std::string_view target, uid_t uid) const noexcept;
  /// The open incidents that `concerns` means, of one culprit or directory at most 16 (the watch
  /// and requests for their own targets ask the others); all where `target` is empty.
  std::vector<Open> open_incidents(std::string_view target, uid_t uid) const noexcept;
  /// Marks that incident `id` was asked again at `now`; true for one caller a second.
  bool claim_question(std::uint64_t id, std::int64_t now) noexcept;

  struct Closed {
    std::int64_t after_seconds = 0;
    std::uint64_t requests = 0;
  };
  /// Closes incident `id`; a value for exactly one caller, who logs `recovered`.
  std::optional<Closed> close(std::uint64_t id, std::int64_t now) noexcept;
  /// Forgets open incidents that were neither sighted nor asked for 24 h. Looks at the whole table:
  /// for the watch and the page, and for requests once a minute.
  void expire(std::int64_t now) noexcept;
  /// Forgets open incidents whose record is not well formed, as a process leaves it that was killed
  /// while writing, or that writes what it should not; how many. Reads all records: for the watch.
  std::size_t drop_damaged() noexcept;

  // --- exoneration: at most one line a target and interval, outside the incident table ---
  bool exoneration_due(std::string_view target, std::int64_t now, std::int64_t interval) noexcept;

  // --- watch ---
  /// How many directories' results there is room for; others are counted as evicted.
  static const std::size_t kMostWatched;
  /// Stores what the watch found in one directory.
  void store_watch(const WatchView& view) noexcept;
  /// Drops results of directories that are not in `directories` (a new configuration). Returns
  /// those directories.
  std::vector<std::string> retain_watch(const std::vector<std::string>& directories) noexcept;
  /// When the watch last ended with the one of `directories` it has waited for longest; 0 where
  /// one has no result yet.
  std::int64_t oldest_watch(const std::vector<std::string>& directories) const noexcept;

  /// Fills counters, incidents and watch.
  void fill(StatusSnapshot& snapshot) const noexcept;

 private:
  SharedState(char* base, unsigned incidents) noexcept : base_(base), incidents_(incidents) {}
  shared::Layout layout() const noexcept;
  shared::Region& region() const noexcept;

  char* base_;
  unsigned incidents_;
};

}  // namespace permguard
