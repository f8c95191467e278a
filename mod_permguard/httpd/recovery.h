// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checker.h"
#include "httpd/apache.h"

namespace permguard {

/// Asks the open incidents again that `answer`, the fresh diagnosis of this request's target,
/// touches, and closes those whose finding is gone. `after_success`: the request itself went
/// well, which is the only proof against findings that faccessat2 cannot see.
void reconsider_incidents(const request_rec* r, const Diagnosis& answer, bool after_success);

}  // namespace permguard
