// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/identity.h"

namespace permguard {

/// Label values of the metric permguard_checks_total.
enum class Handler : std::uint8_t { cgi, fcgid, wsgi, php, proxy, ssi, other };
inline constexpr std::size_t kHandlerCount = 7;
enum class CheckResult : std::uint8_t { healthy, reported, blocked };
inline constexpr std::size_t kCheckResultCount = 3;
const char* name_of(Handler handler);
const char* name_of(CheckResult result);

/// Upper bounds, in seconds, of the buckets of permguard_check_duration_seconds; +Inf follows.
inline constexpr std::array<double, 10> kDurationBounds = {
    0.000001, 0.000005, 0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.1};

/// All counters, read once. Monotonic while the server lives.
struct CounterValues {
  std::array<std::array<std::uint64_t, kCheckResultCount>, kHandlerCount> checks{};
  std::array<std::uint64_t, kHandlerCount> exonerated{};
  std::array<std::array<std::uint64_t, kRoleCount>, kCodeCount> findings{};
  std::uint64_t incidents_evicted = 0;
  std::uint64_t events_dropped = 0;
  std::array<std::uint64_t, kDurationBounds.size() + 1> duration_buckets{};  ///< not cumulative
  std::uint64_t duration_ns = 0;                                             ///< sum
};

/// One row of the incident table. Times are seconds since the epoch.
struct IncidentView {
  std::uint64_t id = 0;
  Finding finding;
  Identity who;
  std::uint64_t count = 0;  ///< requests (or watch runs) that met it
  std::int64_t first_seen = 0;
  std::int64_t last_seen = 0;
  std::int64_t closed = 0;  ///< when it recovered; 0 while open
  bool open = true;
  std::string vhost;
};

struct WatchFinding {
  Finding finding;
  Identity who;
};

/// What the background audit last said of one directory.
struct WatchView {
  std::string directory;
  std::uint64_t files = 0;
  bool truncated = false;
  std::vector<WatchFinding> findings;
  std::int64_t last_run = 0;
  double duration_seconds = 0;
  FindingCounts left_out{};  ///< findings that stand, and that there was no room for
};

struct VhostView {
  std::string name;        ///< ServerName and port, or "main server"
  std::string mode;        ///< "report", "enforce strict", …
  std::string defined_at;  ///< file:line of the configuration
};

/// Everything the status handler shows, read once.
struct StatusSnapshot {
  std::string version;
  std::int64_t now = 0;
  std::int64_t started = 0;
  std::uint64_t generation = 0;  ///< httpd's configuration generation, 0 after start
  bool health_fails = false;     ///< PermGuardHealth fail
  std::vector<VhostView> vhosts;
  CounterValues counters;
  std::vector<IncidentView> incidents;  ///< any order
  std::vector<WatchView> watch;
};

enum class Health : std::uint8_t { pass, warn, fail };
const char* name_of(Health health);

/// What a snapshot adds up to.
struct Tally {
  std::uint64_t open_incidents = 0;
  std::uint64_t open_errors = 0;    ///< incidents of severity error
  std::uint64_t open_warnings = 0;  ///< incidents of risk and drift
  std::uint64_t watch_files = 0;
  std::uint64_t watch_errors = 0;    ///< watch findings of severity error
  std::uint64_t watch_warnings = 0;  ///< watch findings of risk and drift
  std::int64_t watch_last_run = 0;   ///< of the directory that waits longest; 0: none has run
  double watch_seconds = 0;          ///< the last runs together
  std::array<std::array<std::uint64_t, kRoleCount>, kCodeCount> watch_findings{};
};
Tally tally_of(const StatusSnapshot& snapshot);

/// fail while an open incident or watch finding of severity error stands, warn for risk and
/// drift, else pass.
Health health_of(const StatusSnapshot& snapshot);
Health health_of(const Tally& tally);

}  // namespace permguard
