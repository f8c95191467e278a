// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "httpd/apache.h"
#include "incidents/status.h"

namespace permguard {

/// post_config: finds the places of the configuration and has mod_watchdog's singleton audit
/// them in one child process, in a thread of its own, as the server's user: a few seconds after the
/// start, then PermGuardWatchInterval after each run's end, also over graceful restarts. Without
/// mod_watchdog a warning is logged.
void start_watch(apr_pool_t* pconf, server_rec* main_server);

/// Leaves of `views` what this configuration watches, in its order, and adds what no run has
/// reached yet (last_run 0): what is watched is for the configuration to say, not for the memory in
/// which results are kept.
void keep_to_configuration(std::vector<WatchView>& views);

}  // namespace permguard
