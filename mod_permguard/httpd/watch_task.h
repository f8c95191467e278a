// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

/// post_config: finds the places of the configuration and has mod_watchdog's singleton audit
/// them in one child process, in a thread of its own, as the server's user: a few seconds after the
/// start, then PermGuardWatchInterval after each run's end, also over graceful restarts. Without
/// mod_watchdog a warning is logged.
void start_watch(apr_pool_t* pconf, server_rec* main_server);

}  // namespace permguard
