// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "httpd/apache.h"
#include "incidents/store.h"
#include "report/event.h"

namespace permguard {

/// Whether what PermGuardEventLog names can be opened; a file is created. False, with a line in
/// the error log that names it. Asked before httpd leaves the terminal, so that the command that
/// starts it fails.
bool event_log_can_be_opened(apr_pool_t* ptemp, const server_rec* main_server);

/// post_config, as root: opens what PermGuardEventLog names, anew at every restart, so that a
/// rotated file is left for the new one. A program of the old generation goes on until the last
/// child that writes to it has ended. False as above.
bool open_event_log(apr_pool_t* pconf, const server_rec* main_server);

/// Whether there is an event log: without one no event need be made.
bool has_event_log() noexcept;

/// Writes one whole line at once, or drops it: a full pipe or disk never blocks a request. What is
/// dropped is counted, and said in the error log by one process, once an hour.
void write_event(const std::string& line) noexcept;

/// The events of one line of the error log: one for each finding where the line is whole or the
/// incident is new, one for a repetition. `recorded` has one element for each finding, the leading
/// one first; `whole` is their action.
void write_events(EventAction whole, std::span<const Finding> findings, const Identity& who,
                  std::span<const SharedState::Recorded> recorded, EventContext context);

/// The event of a closed incident.
std::string recovered_event(const SharedState::Open& incident, const SharedState::Closed& closed,
                            EventContext context);

/// The context of an event that a request brought up; null: the watch did.
EventContext event_context(const request_rec* r);

}  // namespace permguard
