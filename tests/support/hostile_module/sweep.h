// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httpd.h>
// httpd.h comes first.
#include <http_config.h>

namespace hostile {

/// For each line "ADDRESS VALUE KIND" (hexadecimal) of rt/sweep: stores the value there and lets a
/// copy of this process, root and all, run what mod_permguard does at a restart. KIND: the value
/// "stays", or the word "switches" to it at some moment of the run. What became of the copy goes to
/// rt/sweep.result, the same line with: "ok", "signal 11", "hooks" or "code" where those have
/// changed, "gone" where this process has no such shared memory.
void sweep(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* server);

}  // namespace hostile
