// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "incidents/status.h"

namespace permguard {

/// A repair counts at once: takes out of `snapshot.watch` what the last run found and a request has
/// seen repaired since, so that no page, metric or health waits for the next run.
void drop_repaired(StatusSnapshot& snapshot);

/// Findings of the watch that no open incident stands for: the table was full. By the places in
/// `snapshot.watch`. Pointers into `snapshot`.
std::vector<std::vector<const WatchFinding*>> beyond_incidents(const StatusSnapshot& snapshot);

/// How many findings left out of `watch` no open incident stands for either, as far as numbers
/// tell: errors, or what is none.
std::uint64_t left_out_beyond(const StatusSnapshot& snapshot, const WatchView& watch, bool errors);

}  // namespace permguard
