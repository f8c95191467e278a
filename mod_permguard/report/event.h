// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/finding.h"
#include "core/identity.h"
#include "incidents/status.h"
#include "report/sentence.h"

namespace permguard {

/// A line of the event log is at most this many bytes, its newline included. It is also PIPE_BUF:
/// writes of that size to a pipe are never mixed with those of other processes (pipe(7)).
inline constexpr std::size_t kMaxEventLine = 4096;

/// `event.action`.
enum class EventAction : std::uint8_t { finding, repeat, recovered, exonerated, audit };
const char* name_of(EventAction action);

/// When, by whom and for which request. Strings may hold any bytes.
struct EventContext {
  std::int64_t now = 0;               ///< seconds since the epoch
  pid_t process = 0;                  ///< who writes
  std::string_view url_path{};        ///< empty: no request
  std::string_view client_address{};  ///< empty: no request
  std::uint64_t incident = 0;         ///< its id; 0: none
  std::uint64_t count = 0;   ///< repeat: requests since the last line; recovered: all affected
  std::int64_t seconds = 0;  ///< repeat: since the last line; recovered: how long it stood
};

/// One event as a line of the event log (contract, section 6): a JSON object with the names of
/// the Elastic Common Schema, the finding object under `permguard`, then a newline. Always valid
/// JSON and UTF-8. `message` is what the error log says. Where the object would be too long,
/// long text is cut in its middle with "...", long lists are emptied, and what would be wrong
/// when cut (a command, base64) is left out; then `permguard.truncated` is true.
///
/// `action`: finding, repeat or recovered; audit for a finding of the watch.
std::string event_line(EventAction action, const Finding& finding, const Identity& who,
                       const EventContext& context);

/// A request that failed although its script passed; `permguard` holds target, need, user, the
/// status and the cause.
std::string exonerated_event_line(const Identity& who, Need need, const std::string& target,
                                  int status, FailureCause cause, const EventContext& context);

/// One run of the watch over one directory; `permguard` holds directory, files, the number of
/// findings, and whether the run was complete.
std::string audit_event_line(const WatchView& watch, const EventContext& context);

}  // namespace permguard
