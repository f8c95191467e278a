// SPDX-License-Identifier: Apache-2.0
#include "report/sentence.h"

#include <algorithm>
#include <array>

#include "core/drift.h"
#include "report/log_text.h"
#include "report/reason.h"

namespace permguard {
namespace {

/// How much of a sentence is said; tightened until it fits.
struct Limits {
  std::size_t path;     ///< bytes of one path
  std::size_t further;  ///< findings after "; also"
  bool commands;        ///< a command that is left out is replaced by words, never cut
};

constexpr std::array kTightening = {
    Limits{kMaxSentence, 32, true}, Limits{1024, 32, true}, Limits{768, 32, true},
    Limits{512, 16, true},          Limits{256, 16, true},  Limits{128, 16, true},
    Limits{512, 16, false},         Limits{256, 8, false},  Limits{128, 4, false},
    Limits{64, 1, false},           Limits{32, 0, false},
};

constexpr const char* kCommandTooLong =
    "the command is too long for one log line, see permguard explain";

bool tells_change(const Finding& finding) {
  return finding.file && finding.code != Code::not_found && finding.code != Code::noexec_mount &&
         finding.code != Code::nosuid;
}

/// All steps of all findings, each once: what is broken together is repaired together, but for what
/// would undo the desired state.
Remedy joint_remedy(std::span<const Finding> findings) {
  Remedy joint;
  for (const Finding& finding : findings) {
    for (const FixStep& step : finding.remedy.steps) {
      if (waits_for_drift(finding, step, findings)) continue;
      if (std::find(joint.steps.begin(), joint.steps.end(), step) == joint.steps.end()) {
        joint.steps.push_back(step);
      }
    }
  }
  return joint;
}

std::string advice_of(const Finding& finding, std::size_t limit) {
  const std::string& advice = finding.remedy.advice;
  return advice.empty() ? info(finding.code).action
                        : cut_in_the_middle(advice, std::max<std::size_t>(limit, 256));
}

std::string fix_words(std::span<const Finding> findings, const Limits& limits) {
  const Remedy joint = joint_remedy(findings);
  const Remedy& lead = findings.front().remedy;
  const bool waits = lead.advice == kDesiredStateFirst && !joint.steps.empty();
  const bool lead_has_command = !lead.steps.empty() || waits;
  std::string words = lead_has_command ? "" : advice_of(findings.front(), limits.path);
  if (joint.steps.empty()) return "; fix: " + words;
  if (!lead_has_command) words += ", then ";
  return "; fix: " + words + (limits.commands ? pasteable_fix(joint) : kCommandTooLong);
}

std::string opening(const Finding& lead, const Identity& who, std::size_t limit) {
  const std::string target = quoted(lead.target, limit);
  if (lead.severity != Severity::error) return tag(lead) + ": " + target;
  return tag(lead) + (lead.certainty == Certainty::modelled ? " (modelled): " : ": ") +
         cut_in_the_middle(who.name, limit) + " cannot " + name_of(lead.need) + ' ' + target;
}

/// Why the place in `findings` gets no command, where that was not said for one before: the line
/// ends in the commands of the others, and must say what they leave.
std::string withheld_words(std::span<const Finding> findings, std::size_t place,
                           const Limits& limits) {
  const Remedy& remedy = findings[place].remedy;
  const bool said =
      std::any_of(findings.begin(), findings.begin() + static_cast<std::ptrdiff_t>(place),
                  [&](const Finding& each) { return each.remedy == remedy; });
  return remedy.withheld && !said ? " (" + advice_of(findings[place], limits.path) + ')' : "";
}

std::string further_words(std::span<const Finding> findings, const Identity& who,
                          const Limits& limits) {
  const std::span<const Finding> further = findings.subspan(1);
  std::string words;
  const std::size_t shown = std::min(further.size(), limits.further);
  for (std::size_t i = 1; i <= shown; ++i) {
    words.append("; also ").append(tag(findings[i])).append(": ");
    words += reason_within(findings[i], who, limits.path) + withheld_words(findings, i, limits);
  }
  if (shown < further.size()) {
    words += "; also " + std::to_string(further.size() - shown) + " more";
  }
  return words;
}

std::string sentence_within(std::span<const Finding> findings, const Identity& who,
                            std::int64_t now, const Limits& limits) {
  const Finding& lead = findings.front();
  std::string sentence = opening(lead, who, limits.path) + ": " +
                         reason_within(lead, who, limits.path) +
                         further_words(findings, who, limits);
  if (lead.severity == Severity::error) sentence += changed_words(lead, now);
  return sentence + fix_words(findings, limits);
}

/// `before`, the target as long as fits, `after`.
std::string around_target(const std::string& before, std::string_view target,
                          const std::string& after) {
  const std::size_t room = kMaxSentence - logged_size(before) - logged_size(after);
  std::string sentence;
  for (std::size_t limit = room - 2; limit >= 16; limit = limit * 3 / 4) {
    sentence = before;
    sentence.append(quoted(target, limit)).append(after);
    if (logged_size(sentence) <= kMaxSentence) break;
  }
  return sentence;
}

}  // namespace

std::string changed_words(const Finding& finding, std::int64_t now) {
  if (!tells_change(finding)) return {};
  const bool directory = finding.file->type == FileType::directory;
  return std::string("; ") + (directory ? "entries or mode changed " : "changed ") +
         rfc3339(finding.file->changed) + " (" + age_words(now - finding.file->changed) + " ago)";
}

std::string log_sentence(std::span<const Finding> findings, const Identity& who, std::int64_t now) {
  if (findings.empty()) return {};
  std::string sentence;
  for (const Limits& limits : kTightening) {
    sentence = sentence_within(findings, who, now, limits);
    if (logged_size(sentence) <= kMaxSentence) return sentence;
  }
  return cut_in_the_middle(sentence, kMaxSentence);
}

std::string recovered_sentence(const Finding& finding, std::int64_t after_seconds,
                               std::uint64_t requests) {
  return around_target("recovered: " + tag(finding) + ' ', finding.target,
                       " after " + age_words(after_seconds) + ", " + std::to_string(requests) +
                           " requests affected");
}

std::string repeat_sentence(const Finding& finding, std::uint64_t requests,
                            std::int64_t in_seconds) {
  return around_target(tag(finding) + ": ", finding.target,
                       " still failing, " + std::to_string(requests) + " more requests in " +
                           std::to_string(in_seconds) + " s");
}

std::string exonerated_sentence(std::string_view user, Need need, std::string_view target,
                                int status, FailureCause cause) {
  return around_target(
      "exonerated: " + cut_in_the_middle(user, 256) + " can " + name_of(need) + ' ', target,
      "; the request failed with status " + std::to_string(status) + ": " + name_of(cause));
}

}  // namespace permguard
