// SPDX-License-Identifier: Apache-2.0
#include "report/explain_text.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/unexamined.h"
#include "report/component_table.h"
#include "report/reason.h"
#include "report/sentence.h"

namespace permguard {
namespace {

std::string shown_path(const std::string& path) {
  return "'" + printable(path) + "'";
}

std::string link_heading(const Link& link) {
  std::string text = std::string(name_of(link.role)) + " " + shown_path(link.path);
  if (!link.walk.resolved.empty() && link.walk.resolved != link.path) {
    text += ", which is " + shown_path(link.walk.resolved);
  }
  return text;
}

std::string format_words(const Link& link) {
  if (!link.head_read) return {};
  if (link.head.shebang && !link.quotable) {
    return "  first line: not shown, since this user may not read the file\n";
  }
  if (link.head.shebang) {
    const Shebang& line = *link.head.shebang;
    return "  first line: #!" + printable(line.interpreter) +
           (line.has_argument ? " " + printable(line.argument) : "") + "\n";
  }
  return {};
}

std::string finding_line(const Finding& finding, const Identity& who, const TextStyle& style) {
  const Colour colour = finding.severity == Severity::error ? Colour::red : Colour::yellow;
  std::string text = "  " + coloured(tag(finding), colour, style);
  if (finding.certainty == Certainty::modelled) text += " (modelled)";
  text += ": " + printable(reason(finding, who)) + changed_words(finding, style.now);
  return text + "\n";
}

std::string fix_of(const Finding& finding) {
  const Remedy& remedy = finding.remedy;
  if (!remedy.steps.empty()) return pasteable_fix(remedy);
  return printable(remedy.advice.empty() ? info(finding.code).action : remedy.advice);
}

/// Each command once, in the order of the findings.
std::string fix_lines(std::span<const Finding> findings, const TextStyle& style) {
  std::vector<std::string> fixes;
  for (const Finding& finding : findings) {
    std::string fix = fix_of(finding);
    if (std::find(fixes.begin(), fixes.end(), fix) == fixes.end()) fixes.push_back(std::move(fix));
  }
  std::string text = "fix\n";
  for (const auto& fix : fixes) text += "  " + coloured(fix, Colour::bold, style) + "\n";
  return text;
}

bool is_blamed(const Link& link, const Diagnosis& diagnosis) {
  return std::any_of(diagnosis.findings.begin(), diagnosis.findings.end(),
                     [&](const Finding& finding) { return finding.path == link.walk.resolved; });
}

/// The target and whatever is in the way in full, the rest of the chain in one line.
std::string link_text(const Link& link, const Diagnosis& diagnosis, const Names& names,
                      const TextStyle& style) {
  const std::string heading = coloured(link_heading(link), Colour::bold, style);
  const bool target = &link == &diagnosis.chain.front();
  if (!target && is_open(link, diagnosis.question) && !is_blamed(link, diagnosis)) {
    return heading + ": open to " + printable(diagnosis.question.who.name) + "\n" +
           format_words(link);
  }
  return heading + "\n" + component_table(link, diagnosis.question, names, style) +
         format_words(link);
}

/// "healthy: ann can read '/srv/a'", and its like.
std::string verdict_line(const Diagnosis& diagnosis, const TextStyle& style) {
  const Question& question = diagnosis.question;
  const std::string who = printable(question.who.name);
  const std::string what = std::string(name_of(question.need)) + " " + shown_path(question.target);
  if (const int error = unexamined(diagnosis); error != 0) {
    return coloured("undecided", Colour::yellow, style) + ": whether " + who + " can " + what +
           " cannot be seen from here: " + unexamined_words(error) + "\n";
  }
  if (diagnosis.healthy()) {
    return coloured("healthy", Colour::green, style) + ": " + who + " can " + what + "\n";
  }
  if (diagnosis.lead() != nullptr) {
    return coloured("broken", Colour::red, style) + ": " + who + " cannot " + what + "\n";
  }
  return coloured("risk", Colour::yellow, style) + ": " + shown_path(question.target) + "\n";
}

}  // namespace

std::string identity_words(const Identity& who) {
  std::string text =
      printable(who.name) + " (uid " + std::to_string(who.uid) + ", gid " + std::to_string(who.gid);
  if (!who.groups.empty()) text += ", groups";
  for (const auto group : who.groups) text += " " + std::to_string(group);
  if (who.dac_override) text += ", CAP_DAC_OVERRIDE";
  if (who.dac_read_search) text += ", CAP_DAC_READ_SEARCH";
  return text + ")";
}

std::string explain_text(const Diagnosis& diagnosis, const Names& names, const TextStyle& style) {
  std::string text;
  std::vector<std::string> said;
  for (const Link& link : diagnosis.chain) {
    std::string part = link_text(link, diagnosis, names, style);
    if (std::find(said.begin(), said.end(), part) != said.end()) continue;
    text += part;
    said.push_back(std::move(part));
  }
  text += verdict_line(diagnosis, style);
  if (diagnosis.findings.empty()) return text;
  for (const Finding& finding : diagnosis.findings) {
    text += finding_line(finding, diagnosis.question.who, style);
  }
  return text + fix_lines(diagnosis.findings, style);
}

}  // namespace permguard
