// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checker.h"
#include "httpd/apache.h"
#include "httpd/engine.h"

namespace permguard {

/// Asks the open incidents again that `answer`, the fresh diagnosis of this request's target,
/// touches, and closes those whose finding is gone. `moment` is when the answer was got: what
/// only AT_EXECVE_CHECK sees is not disproved before dispatch.
void reconsider_incidents(const request_rec* r, const Diagnosis& answer, Moment moment);

/// The same before dispatch for what the server's own user was kept from on the way to a target
/// that suexec runs as somebody else.
void reconsider_server_incidents(const request_rec* r, Diagnosis answer);

/// A request that went well disproves what it could not ask before dispatch, if that was seen
/// before it began.
void close_disproved_by_success(const request_rec* r, const Question& question);

}  // namespace permguard
