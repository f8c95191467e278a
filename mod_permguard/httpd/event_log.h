// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "httpd/apache.h"
#include "httpd/shared_state.h"
#include "report/event.h"

namespace permguard {

/// post_config, as root: opens what PermGuardEventLog names, anew at every restart, so that a
/// rotated file is left for the new one. False, with a line in the error log that names it, where
/// it cannot be opened.
bool open_event_log(apr_pool_t* pconf, const server_rec* main_server);

/// Whether there is an event log: without one no event need be made.
bool has_event_log() noexcept;

/// Writes one line at once, or drops it: a full pipe or disk never blocks a request. What is
/// dropped is counted, and said once a process in the error log.
void write_event(const std::string& line) noexcept;

/// The event of a closed incident.
std::string recovered_event(const SharedState::Open& incident, const SharedState::Closed& closed,
                            EventContext context);

/// The context of an event that a request brought up; null: the watch did.
EventContext event_context(const request_rec* r);

}  // namespace permguard
