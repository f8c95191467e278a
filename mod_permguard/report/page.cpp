// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "page_assets.h"
#include "report/html_text.h"
#include "report/page_parts.h"
#include "report/pages.h"
#include "report/sentence.h"
#include "report/utf8.h"

namespace permguard {
namespace {

using page::element;

struct Section {
  const char* id;
  std::string title;
  std::string content;
};

// The base64 of a digest in hexadecimal, as CSP level 3 writes a hash.
std::string hash_source(std::string_view hexadecimal) {
  std::string digest;
  for (std::size_t at = 0; at + 1 < hexadecimal.size(); at += 2) {
    unsigned byte = 0;
    std::from_chars(hexadecimal.data() + at, hexadecimal.data() + at + 2, byte, 16);
    digest += static_cast<char>(byte);
  }
  return "'sha256-" + base64(digest) + '\'';
}

std::string policy() {
  return "default-src 'none'; style-src " + hash_source(kPageStyleSha256) + "; script-src " +
         hash_source(kPageScriptSha256) +
         "; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

// A tab shows the state by a dot of its colour.
std::string icon(Health health) {
  const char* colour = health == Health::fail   ? "a8201a"
                       : health == Health::warn ? "b97a00"
                                                : "1c8043";
  return "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' "
         "viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%23" +
         std::string(colour) + "'/%3E%3C/svg%3E\">\n";
}

std::string title(const page::Standing& standing) {
  std::string words = "pass";
  if (standing.warnings() > 0) words = page::counted(standing.warnings(), "warning");
  if (standing.errors() > 0) words = page::counted(standing.errors(), "error");
  return words + " \u2013 permguard";
}

std::string head(const page::Standing& standing, Health health) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
         element("title", title(standing)) +
         "\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"robots\" content=\"noindex\">\n" +
         icon(health) + element("style", kPageStyle) + "\n</head>\n";
}

std::string refresh_words(std::optional<int> refresh, const std::string& self) {
  if (!refresh) {
    return "<a href=\"" + html_exact(self) + "?refresh=10\">Refresh every 10 s</a>";
  }
  return "Refreshes every " + std::to_string(*refresh) + " s, <a href=\"" + html_exact(self) +
         "\">stop</a>";
}

std::string bar(const StatusSnapshot& snapshot, std::optional<int> refresh,
                const std::string& self) {
  const std::string time = rfc3339(snapshot.now);
  return "<header class=\"bar\"><p class=\"brand\">permguard status</p><p class=\"muted\">as of " +
         element("time", time.substr(0, 10) + ' ' + time.substr(11, 8) + " UTC",
                 "datetime=\"" + time + '"') +
         "</p>" + element("p", refresh_words(refresh, self), "class=\"right\"") + "</header>\n";
}

std::string contents(const std::vector<Section>& sections) {
  std::string items;
  for (const Section& section : sections) {
    items += "<li><a href=\"#" + std::string(section.id) + "\">" + section.title + "</a></li>";
  }
  return "<nav class=\"contents\" aria-label=\"On this page\">" + element("ul", items) + "</nav>\n";
}

std::string section_html(const Section& section) {
  const std::string id = section.id;
  return element("section",
                 element("h2", section.title, "id=\"" + id + "-title\"") + '\n' + section.content,
                 "id=\"" + id + "\" aria-labelledby=\"" + id + "-title\"") +
         '\n';
}

std::string with_count(const char* title, std::uint64_t count) {
  return std::string(title) + " (" + page::number(count) + ')';
}

std::vector<Section> sections_of(const StatusSnapshot& snapshot, const Tally& tally) {
  return {
      {"open", with_count("Open incidents", tally.open_incidents), page::open_incidents(snapshot)},
      {"recovered", with_count("Recovered", snapshot.incidents.size() - tally.open_incidents),
       page::recovered_incidents(snapshot)},
      {"watch", with_count("Watched directories", snapshot.watch.size()),
       page::watched_directories(snapshot)},
      {"counters", "Counters", page::counters(snapshot)},
      {"server", "Server", page::server(snapshot)}};
}

std::string formats(const std::string& self) {
  std::string links;
  for (const char* format : {"json", "auto", "openmetrics", "health"}) {
    links += std::string(links.empty() ? "" : ", ") + "<a href=\"" + html_exact(self) + '?' +
             format + "\">" + format + "</a>";
  }
  return "<footer><p>For programs: " + links + "</p></footer>\n";
}

}  // namespace

HtmlPage status_page(const StatusSnapshot& snapshot, std::optional<int> refresh,
                     const std::string& self) {
  const Tally tally = tally_of(snapshot);
  const std::vector<Section> sections = sections_of(snapshot, tally);
  const page::Standing standing = page::standing_of(snapshot);
  std::string body = head(standing, health_of(tally)) +
                     "<body>\n<a class=\"skip\" href=\"#main\">Skip to the verdict</a>\n"
                     "<div class=\"page\">\n" +
                     bar(snapshot, refresh, self) + "<main id=\"main\" tabindex=\"-1\">\n" +
                     page::verdict(snapshot, standing) + contents(sections);
  for (const Section& section : sections) body += section_html(section);
  body += "</main>\n" + formats(self) +
          "</div>\n<p id=\"said\" class=\"skip\" role=\"status\"></p>\n" +
          element("script", kPageScript) + "\n</body>\n</html>\n";
  return {std::move(body), policy()};
}

}  // namespace permguard
