// SPDX-License-Identifier: Apache-2.0
// The Accept header of a scrape: RFC 9110, section 12.5.1.
#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "report/pages.h"

namespace permguard {
namespace {

/// Splits off what stands before `separator`, without blanks around it.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
  while (!part.empty() && (part.back() == ' ' || part.back() == '\t')) part.remove_suffix(1);
  return part;
}

bool same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

/// One element of the header. Parameters but `q` and `version` do not matter.
struct MediaRange {
  std::string_view type;
  std::string_view version;
  double quality = 1;
};

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

MediaRange parse_range(std::string_view element) {
  MediaRange range;
  range.type = next_part(element, ';');
  while (!element.empty()) {
    std::string_view value = next_part(element, ';');
    const std::string_view name = next_part(value, '=');
    if (same_word(name, "version")) range.version = unquoted(value);
    if (same_word(name, "q") &&
        std::from_chars(value.data(), value.data() + value.size(), range.quality).ec !=
            std::errc()) {
      range.quality = 0;
    }
  }
  return range;
}

/// How exactly a range names the plain text format; 0: not at all.
int names_text(const MediaRange& range) {
  if (same_word(range.type, "text/plain")) {
    if (range.version.empty()) return 3;
    return range.version == "0.0.4" ? 4 : 0;
  }
  if (same_word(range.type, "text/*")) return 2;
  return range.type == "*/*" ? 1 : 0;
}

bool names_openmetrics(const MediaRange& range) {
  return same_word(range.type, "application/openmetrics-text") &&
         (range.version.empty() || range.version == "1.0.0");
}

}  // namespace

MetricsFormat negotiate_metrics(const char* accept) {
  std::string_view rest = accept == nullptr ? "" : accept;
  double openmetrics = 0;
  double text = 0;
  int exactness = 0;
  while (!rest.empty()) {
    const MediaRange range = parse_range(next_part(rest, ','));
    if (names_openmetrics(range)) openmetrics = std::max(openmetrics, range.quality);
    if (names_text(range) > exactness) {
      exactness = names_text(range);
      text = range.quality;
    }
  }
  return openmetrics > 0 && openmetrics >= text ? MetricsFormat::openmetrics
                                                : MetricsFormat::prometheus;
}

const char* content_type(MetricsFormat format) {
  return format == MetricsFormat::openmetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace permguard
