// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>

namespace permguard {

/// What `work` returns (0 to 255), done in a child, so that a file system that never answers holds
/// up nobody; none where it takes longer than `limit`, is killed, or throws (said on standard
/// error). For httpd's parent before it serves, and for configuration tests: it forks.
std::optional<int> in_bounded_child(const std::function<int()>& work,
                                    std::chrono::milliseconds limit);

}  // namespace permguard
