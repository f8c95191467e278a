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
#include "report/status_snapshot.h"

namespace permguard {

/// What all processes of one server share: counters, the incident table, the log limiter of
/// exonerations and the results of the watch. Lies in raw shared memory, holds no pointer,
/// takes no lock, and is never destroyed. Readers never block writers; a process killed in the
/// middle of a write leaves one record unreadable until it is written again, and nothing else.
/// No APR here: tests use plain memory.
///
/// Every member is noexcept: a record that cannot be kept is counted as evicted.
class SharedState {
 public:
  /// Bytes needed for `incidents` incidents, slack for alignment included.
  static std::size_t size_for(unsigned incidents) noexcept;
  /// Lays the state out in `memory` (any alignment, all bytes 0). Null: too small.
  static SharedState* create(void* memory, std::size_t size, unsigned incidents) noexcept;
  /// The state another generation of the server created in `memory`, or null where magic,
  /// layout version, size or number of incidents differ.
  static SharedState* adopt(void* memory, std::size_t size, unsigned incidents) noexcept;

  // --- counters: wait-free ---
  void count_check(Handler handler, CheckResult result, std::uint64_t nanoseconds) noexcept;
  void count_exonerated(Handler handler) noexcept;
  void count_finding(Code code, Role role) noexcept;
  void count_event_dropped() noexcept;
  /// Whether the error log shall say that events are dropped: true for one caller in `interval`
  /// seconds, and anew after forget_drop(). `now` in seconds.
  bool drop_is_due(std::int64_t now, std::int64_t interval) noexcept;
  void forget_drop() noexcept;
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
  /// heavier than the newcomer with all its sightings that were turned away before. Given up
  /// while open, and turned away, count as evicted.
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
  /// same target; or its culprit is a leading part of `target`; or (culprit reached through a
  /// link or an interpreter) both targets share a directory. No allocation; a false alarm is
  /// allowed, a miss is not.
  bool concerns(std::string_view target, uid_t uid) const noexcept;
  /// The open incidents that `concerns` means; all where `target` is empty.
  std::vector<Open> open_incidents(std::string_view target, uid_t uid) const noexcept;
  /// Marks that incident `id` was asked again at `now`; true for one caller a second.
  bool claim_question(std::uint64_t id, std::int64_t now) noexcept;

  struct Closed {
    std::int64_t after_seconds = 0;
    std::uint64_t requests = 0;
  };
  /// Closes incident `id`; a value for exactly one caller, who logs `recovered`.
  std::optional<Closed> close(std::uint64_t id, std::int64_t now) noexcept;
  /// Forgets open incidents that were neither sighted nor asked for 24 h.
  void expire(std::int64_t now) noexcept;

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

  /// Shows a directory that no run has reached yet: last_run 0. Keeps what is known of it.
  void announce_watch(const std::vector<std::string>& directories) noexcept;

  /// Fills counters, incidents and watch.
  void fill(StatusSnapshot& snapshot) const noexcept;

 private:
  SharedState() = default;
};

}  // namespace permguard
