// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

/// test_config, which runs for `apachectl configtest` (and before a graceful restart). With
/// `-D DUMP_PERMGUARD` prints the places found with identity, mode and findings to standard
/// output; with `-D DUMP_PERMGUARD_JSON` the places as one JSON document for programs. Else does
/// what PermGuardConfigTest says: audits the places for at most kConfigTestSeconds, writes errors
/// to standard error, and with `fail` ends the process with exit status 1 where there are any. All
/// this in a child, which is killed where a file system does not answer.
void test_config(apr_pool_t* pconf, server_rec* main_server);

inline constexpr int kConfigTestSeconds = 5;

}  // namespace permguard
