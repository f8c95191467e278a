// SPDX-License-Identifier: Apache-2.0
#include "httpd/status_query.h"

#include <charconv>
#include <system_error>

namespace permguard {
namespace {

constexpr int kDefaultRefresh = 10;
constexpr int kLongestRefresh = 86'400;

/// A form or a Prometheus scrape configuration writes a name without value as "openmetrics=".
std::optional<StatusView> view_named(std::string_view word) noexcept {
  if (word.ends_with('=')) word.remove_suffix(1);
  if (word == "json") return StatusView::json;
  if (word == "auto") return StatusView::automatic;
  if (word == "openmetrics") return StatusView::metrics;
  if (word == "health") return StatusView::health;
  return std::nullopt;
}

std::optional<int> refresh_in(std::string_view word) noexcept {
  constexpr std::string_view kName = "refresh";
  if (word == kName) return kDefaultRefresh;
  if (!word.starts_with(kName) || word[kName.size()] != '=') return std::nullopt;
  word.remove_prefix(kName.size() + 1);
  int seconds = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), seconds);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return seconds >= 1 && seconds <= kLongestRefresh ? std::optional<int>(seconds) : std::nullopt;
}

/// Takes one argument in; false where it is unknown or does not go with those before.
bool take(std::string_view word, StatusQuery& query) noexcept {
  if (const auto view = view_named(word); view && query.view == StatusView::page) {
    query.view = *view;
    return true;
  }
  const auto refresh = refresh_in(word);
  if (!refresh || query.refresh) return false;
  query.refresh = refresh;
  return true;
}

}  // namespace

std::optional<StatusQuery> parse_status_query(std::string_view query) noexcept {
  StatusQuery parsed;
  if (query.empty()) return parsed;
  while (true) {
    const std::size_t end = query.find('&');
    if (!take(query.substr(0, end), parsed)) return std::nullopt;
    if (end == std::string_view::npos) return parsed;
    query.remove_prefix(end + 1);
  }
}

}  // namespace permguard
