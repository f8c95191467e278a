// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace permguard::cli {

/// What a program may take and tell.
struct OutputLimits {
  std::chrono::seconds time{10};
  std::size_t bytes = std::size_t{1} << 20;
  bool shows_errors = false;  ///< its standard error is this process's, else nobody's
};

/// Whether it ended by itself, in time and within the bounds, and what it wrote to its standard
/// output. Nullopt where it could not be started or had to be killed.
std::optional<std::string> output_of(const std::vector<std::string>& command,
                                     const OutputLimits& limits);

}  // namespace permguard::cli
