// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "incidents/status.h"

/// The parts of the HTML page. Each returns markup in which every byte from outside is escaped.
namespace permguard::page {

/// `<name attributes>content</name>`. `attributes` and `content` are markup already.
std::string element(std::string_view name, std::string_view content,
                    std::string_view attributes = {});

/// A path or command for people, isolated from the text around it: a right-to-left name cannot
/// turn its surroundings.
std::string path(std::string_view bytes);

/// A number with its thousands set apart: "1,022,084".
std::string number(std::uint64_t value);
/// "1 incident", "3 incidents".
std::string counted(std::uint64_t value, const std::string& noun);

/// "2023-11-05 09:58:12 UTC, 1m48s ago", machine-readable too.
std::string moment(std::int64_t seconds, std::int64_t now);

/// One table; on a narrow screen each of its rows becomes a card, so cells carry their labels.
class Table {
 public:
  /// `columns`: headings; a heading that begins with "#" is of a column of numbers.
  Table(std::string caption, std::vector<std::string> columns);
  /// Cells are markup, or numbers.
  Table& cell(const std::string& markup);
  Table& cell(std::uint64_t value);
  std::string html() const;

 private:
  void add(const std::string& markup, const char* zero);

  std::string caption_;
  std::vector<std::string> columns_;
  std::string rows_;
  std::size_t at_ = 0;
};

/// A finding that can be unfolded: cause, fix with its button, facts. `incident` may be null.
std::string finding_case(const Finding& finding, const Identity& who, const IncidentView* incident,
                         std::int64_t now, bool unfolded);

/// What stands, each thing once: the watch's findings are mostly incidents too.
struct Standing {
  std::uint64_t open_errors = 0;
  std::uint64_t open_warnings = 0;
  std::uint64_t watch_errors = 0;    ///< that are no open incident
  std::uint64_t watch_warnings = 0;  ///< risk and drift, likewise

  std::uint64_t errors() const { return open_errors + watch_errors; }
  std::uint64_t warnings() const { return open_warnings + watch_warnings; }
};
Standing standing_of(const StatusSnapshot& snapshot);

std::string verdict(const StatusSnapshot& snapshot, const Standing& standing);
std::string open_incidents(const StatusSnapshot& snapshot);
std::string recovered_incidents(const StatusSnapshot& snapshot);
std::string watched_directories(const StatusSnapshot& snapshot);
std::string counters(const StatusSnapshot& snapshot);
std::string server(const StatusSnapshot& snapshot);

}  // namespace permguard::page
