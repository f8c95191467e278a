// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/checker.h"

namespace permguard {

/// Whether somebody accepts connections at an address.
enum class Listener : std::uint8_t {
  present,  ///< a connection was made, or would have to wait in the queue
  absent,   ///< refused with ECONNREFUSED
  unknown   ///< not asked, or refused for another reason
};

/// Connects to the unix socket `path`, without waiting, and closes at once. A full queue is
/// EAGAIN (unix(7)), which proves a listener. Never throws.
Listener unix_listener(const std::string& path) noexcept;

/// The same for a TCP port of this machine, in at most 200 ms. `host` is a name or number that
/// is_loopback() knows; all else is `unknown`, because asking might take long. Never throws.
Listener tcp_listener(const std::string& host, std::uint16_t port) noexcept;

/// Whether `host` names this machine without a look-up: localhost, 127.x.y.z, ::1, or the
/// addresses of all interfaces, to which connect(2) goes by loopback.
bool is_loopback(const std::string& host) noexcept;

/// The finding connect-refused for a question whose address nobody listens on.
Finding refused_connection(const Diagnosis& diagnosis);

}  // namespace permguard
