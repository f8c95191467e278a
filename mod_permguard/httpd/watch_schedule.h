// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace permguard {

/// How long after httpd's start, or a child's, the watch first runs. `age`: since the last run
/// ended, over restarts; very long where a place has had none. Soon after a start, but not in its
/// way: 5 s, or half of a shorter `pause`. Otherwise the runs go on as before, so that many
/// graceful restarts do not mean many runs.
std::chrono::milliseconds first_pause(std::chrono::seconds age, std::chrono::seconds pause);

}  // namespace permguard
