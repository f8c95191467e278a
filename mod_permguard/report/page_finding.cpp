// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>

#include "report/html_text.h"
#include "report/log_text.h"
#include "report/page_parts.h"
#include "report/sentence.h"

namespace permguard::page {
namespace {

// A folded case shows this much of a path; unfolded it shows all.
constexpr std::size_t kSummaryPath = 160;

std::string joined(const std::vector<std::string>& commands) {
  std::string line;
  for (const std::string& command : commands) line += (line.empty() ? "" : " && ") + command;
  return line;
}

std::string fix(const Finding& finding) {
  const std::string command = joined(exact_commands(finding.remedy));
  if (command.empty()) {
    const std::string& advice = finding.remedy.advice;
    return element(
        "div",
        "<p class=\"label\">What to do</p>" +
            element("p", html_visible(advice.empty() ? info(finding.code).action : advice)),
        "class=\"fix\"");
  }
  return element("div",
                 "<p class=\"label\">Fix</p><div class=\"row\"><pre><code><bdi>" +
                     html_visible(command) +
                     "</bdi></code></pre><button type=\"button\" hidden data-enhance data-copy=\"" +
                     html_exact(command) + "\">Copy</button></div>",
                 "class=\"fix\"");
}

std::string fact(const char* name, const std::string& markup, bool broad = false) {
  return element("div", element("dt", name) + element("dd", markup),
                 broad ? "class=\"broad\"" : "");
}

std::string mode_and_owner(const Finding& finding) {
  std::array<char, 16> octal{};
  std::snprintf(octal.data(), octal.size(), "%04o", finding.file->mode & 07777U);
  return element("code", octal.data() + (" (" + symbolic_mode(*finding.file)) + ") ") + "<bdi>" +
         html_visible(finding.owner + ':' + finding.group) + "</bdi>";
}

std::string user(const Identity& who) {
  return "<bdi>" + html_visible(who.name) + "</bdi> " +
         element("span", "uid " + std::to_string(who.uid), "class=\"muted nowrap\"");
}

std::string facts(const Finding& finding, const Identity& who, const IncidentView* incident,
                  std::int64_t now) {
  std::string list = fact("Target", path(finding.target), true);
  if (finding.path != finding.target) list += fact("Culprit", path(finding.path), true);
  if (finding.file) list += fact("Mode and owner", mode_and_owner(finding));
  list += fact("User", user(who));
  if (finding.file) list += fact("File last changed", moment(finding.file->changed, now));
  if (incident != nullptr) {
    list += fact("First seen", moment(incident->first_seen, now)) +
            fact("Last seen", moment(incident->last_seen, now)) +
            fact("Requests", number(incident->count)) +
            fact("Virtual host", "<bdi>" + html_visible(incident->vhost) + "</bdi>") +
            fact("Incident", "#" + std::to_string(incident->id));
  }
  return element("dl", list, "class=\"facts\"");
}

std::string why(const Finding& finding, const Identity& who) {
  const std::string cause = "<bdi>" + html_visible(reason(finding, who)) + "</bdi>";
  if (finding.severity != Severity::error) return element("p", cause, "class=\"why\"");
  return element(
      "p",
      "<bdi>" + html_visible(who.name) + "</bdi> cannot " + name_of(finding.need) + " it: " + cause,
      "class=\"why\"");
}

std::string summary(const Finding& finding, const IncidentView* incident, std::int64_t now) {
  const char* look = finding.severity == Severity::error ? "fail" : "warn";
  std::string html =
      element("span", tag(finding), std::string("class=\"tag ") + look + '"') +
      (finding.certainty == Certainty::modelled ? " <span class=\"muted\">modelled</span>" : "") +
      ' ' + path(cut_in_the_middle(finding.target, kSummaryPath));
  if (incident != nullptr) {
    const std::string age = "for " + age_words(now - incident->first_seen);
    html += ' ' + element("span",
                          counted(incident->count, "request") + ' ' +
                              element("span", age, "class=\"muted\""),
                          "class=\"nowrap meta\"");
  }
  return element("summary", html);
}

// Errors before the rest, then what hit most requests: what the page begins with.
std::string sort_keys(const Finding& finding, const IncidentView& incident) {
  const std::uint64_t error = finding.severity == Severity::error ? 1'000'000'000'000 : 0;
  return " id=\"incident-" + std::to_string(incident.id) + "\" data-rank=\"" +
         std::to_string(error + incident.count) + "\" data-count=\"" +
         std::to_string(incident.count) + "\" data-first=\"" + std::to_string(incident.first_seen) +
         "\" data-last=\"" + std::to_string(incident.last_seen) + "\" data-path=\"" +
         html_exact(cut_in_the_middle(finding.target, kSummaryPath)) + '"';
}

}  // namespace

std::string finding_case(const Finding& finding, const Identity& who, const IncidentView* incident,
                         std::int64_t now, bool unfolded) {
  const std::string body = why(finding, who) + fix(finding) + facts(finding, who, incident, now);
  return element("details",
                 summary(finding, incident, now) + element("div", body, "class=\"body\""),
                 std::string("class=\"case ") + name_of(finding.severity) + '"' +
                     (incident != nullptr ? sort_keys(finding, *incident) : "") +
                     (unfolded ? " open" : "")) +
         '\n';
}

}  // namespace permguard::page
