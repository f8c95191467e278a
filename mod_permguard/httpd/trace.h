// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/checker.h"
#include "httpd/apache.h"
#include "httpd/target.h"

namespace permguard {

/// What the handler phase leaves in a request for its end.
struct Trace {
  enum class State : std::uint8_t {
    dispatched,  ///< explain mode: nothing was asked
    passed,      ///< asked, nothing was found
    pending,     ///< found what shows only if the request fails
    told         ///< the finding's line is written
  };
  State state = State::dispatched;
  Handler handler = Handler::other;
  Need need = Need::execute;
  const ProxyTarget* proxy = nullptr;    ///< of a proxied request
  const Diagnosis* diagnosis = nullptr;  ///< of a pending one
  std::uint64_t nanoseconds = 0;         ///< what the check of a pending one took
};

/// The trace of `r`, or null where the handler phase had no target.
const Trace* trace_of(const request_rec* r) noexcept;

/// Leaves a trace without a diagnosis. Allocates nothing, but for a proxied request: a healthy
/// request leaves one.
void leave_trace(request_rec* r, Trace::State state, const Target& target) noexcept;

/// Leaves a pending trace; `diagnosis` lives as long as the request.
void leave_pending_trace(request_rec* r, const Target& target, const Diagnosis& diagnosis,
                         std::uint64_t nanoseconds);

}  // namespace permguard
