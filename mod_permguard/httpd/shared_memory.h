// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "httpd/apache.h"
#include "incidents/store.h"

namespace permguard {

// Which data flows where. The parent, which is root, maps the segment and neither reads nor writes
// it: no bytes at all are the empty state, and what has to be done for a new configuration is done
// by a child. Children, and what httpd forks beside them, inherit the mapping and may write to it
// whatever they like: some of them run other people's code. Address, size and number of incidents
// stand in each process's own memory.

/// post_config: maps a new segment, or goes on with that of an earlier generation of this server
/// where it has the same layout. Where the machine gives no shared memory, each child counts for
/// itself.
void open_shared_state(apr_pool_t* pconf, server_rec* server);

/// The state; valid in every process forked after post_config.
SharedState& shared_state() noexcept;

/// When the server was started (not restarted), seconds since the epoch.
std::int64_t server_started() noexcept;

}  // namespace permguard
