// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "httpd/apache.h"
#include "httpd/shared_state.h"

namespace permguard {

/// post_config: finds the state that an earlier generation of this server left, or lays out a
/// new one. Where the machine gives no shared memory, each child counts for itself.
void open_shared_state(apr_pool_t* pconf, server_rec* server);

/// The state; valid in every process forked after post_config.
SharedState& shared_state() noexcept;

/// When the server was started (not restarted), seconds since the epoch.
std::int64_t server_started() noexcept;

}  // namespace permguard
