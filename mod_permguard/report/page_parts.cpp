// SPDX-License-Identifier: Apache-2.0
#include "report/page_parts.h"

#include "incidents/standing.h"
#include "report/html_text.h"
#include "report/sentence.h"

namespace permguard::page {
namespace {

bool holds_numbers(const std::string& heading) {
  return heading.starts_with('#');
}

std::string plain(const std::string& heading) {
  return holds_numbers(heading) ? heading.substr(1) : heading;
}

}  // namespace

std::string element(std::string_view name, std::string_view content, std::string_view attributes) {
  std::string html = "<";
  html += name;
  if (!attributes.empty()) html.append(" ").append(attributes);
  html.append(">").append(content).append("</").append(name).append(">");
  return html;
}

std::string path(std::string_view bytes) {
  return element("bdi", html_visible(bytes), "class=\"path\"");
}

std::string number(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string counted(std::uint64_t value, const std::string& noun) {
  return number(value) + ' ' + noun + (value == 1 ? "" : "s");
}

std::string moment(std::int64_t seconds, std::int64_t now) {
  const std::string time = rfc3339(seconds);
  const std::string words = time.substr(0, 10) + ' ' + time.substr(11, 8) + " UTC";
  return element("time", words, "datetime=\"" + time + "\" class=\"nowrap\"") + ", " +
         element("span", age_words(now - seconds) + " ago", "class=\"nowrap\"");
}

Standing standing_of(const StatusSnapshot& snapshot) {
  const Tally tally = tally_of(snapshot);
  Standing standing{tally.open_errors, tally.open_warnings, 0, 0};
  for (const auto& place : beyond_incidents(snapshot)) {
    for (const WatchFinding* found : place) {
      ++(found->finding.severity == Severity::error ? standing.watch_errors
                                                    : standing.watch_warnings);
    }
  }
  for (const WatchView& watch : snapshot.watch) {
    standing.watch_errors += left_out_beyond(snapshot, watch, true);
    standing.watch_warnings += left_out_beyond(snapshot, watch, false);
  }
  return standing;
}

Table::Table(std::string caption, std::vector<std::string> columns)
    : caption_(std::move(caption)), columns_(std::move(columns)) {}

Table& Table::cell(const std::string& markup) {
  add(markup, "");
  return *this;
}

Table& Table::cell(std::uint64_t value) {
  add(number(value), value == 0 ? " zero" : "");
  return *this;
}

void Table::add(const std::string& markup, const char* zero) {
  if (at_ == 0) {
    rows_ += "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">" + markup + "</th>";
  } else {
    const std::string& heading = columns_[at_];
    rows_ += "<td role=\"cell\" class=\"" +
             std::string(holds_numbers(heading) ? "number" : "text") + zero + "\" data-label=\"" +
             plain(heading) + "\">" + element("span", markup) + "</td>";
  }
  if (++at_ == columns_.size()) {
    rows_ += "</tr>\n";
    at_ = 0;
  }
}

std::string Table::html() const {
  std::string head;
  for (const std::string& heading : columns_) {
    head += element("th", plain(heading),
                    std::string("role=\"columnheader\" scope=\"col\"") +
                        (holds_numbers(heading) ? " class=\"number\"" : ""));
  }
  return "<div class=\"scroll\"><table role=\"table\">" + element("caption", caption_) +
         "<thead role=\"rowgroup\">" + element("tr", head, "role=\"row\"") + "</thead>\n" +
         element("tbody", rows_, "role=\"rowgroup\"") + "</table></div>\n";
}

}  // namespace permguard::page
