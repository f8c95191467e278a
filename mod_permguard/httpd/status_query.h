// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace permguard {

enum class StatusView : std::uint8_t { page, json, automatic, metrics, health };

/// What the query of the status handler asks for.
struct StatusQuery {
  StatusView view = StatusView::page;
  std::optional<int> refresh;  ///< seconds
};

/// Reads `json`, `auto`, `openmetrics`, `health`, and `refresh[=N]` (without N: 10 seconds, as
/// in mod_status) beside any of them, separated by '&'. Nothing where an argument is unknown,
/// is there twice, or N is no whole number from 1 to 86400. Pure.
std::optional<StatusQuery> parse_status_query(std::string_view query) noexcept;

}  // namespace permguard
