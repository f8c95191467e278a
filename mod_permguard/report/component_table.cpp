// SPDX-License-Identifier: Apache-2.0
#include "report/component_table.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "report/sentence.h"

namespace permguard {
namespace {

/// One line before its columns are aligned.
struct Row {
  std::string mode, owner, name, answer;
  bool denied = false;
};

/// Characters, not bytes, so that columns stand below each other.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t columns) {
  return text + std::string(columns - std::min(columns, width(text)), ' ');
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string rwx(Permissions perms) {
  return {(perms & kRead) != 0 ? 'r' : '-', (perms & kWrite) != 0 ? 'w' : '-',
          (perms & kExecute) != 0 ? 'x' : '-'};
}

std::string entry_words(DecidedBy kind, const AccessDecision& decision, const FileStatus& file,
                        const Names& names) {
  const std::string perms = rwx(decision.entry_perms);
  switch (kind) {
    case DecidedBy::owner:
      return "owner " + perms;
    case DecidedBy::named_user:
      return "user:" + names.user(decision.entry_id) + ":" + perms;
    case DecidedBy::owning_group:
      return "group " + names.group(file.gid) + " " + perms;
    case DecidedBy::named_group:
      return "group:" + names.group(decision.entry_id) + ":" + perms;
    default:
      return "other " + perms;
  }
}

/// What the end of the chain's walk must allow: the kernel's x, and r where an interpreter
/// reads the file.
Permissions wanted_at_end(const Link& link, const Question& question) {
  const bool first = link.role == question.role;
  if (first && question.need == Need::connect) return kWrite;
  if (first && question.need == Need::read) return kRead;
  return link.head_read && link.head.shebang ? kRead | kExecute : kExecute;
}

const char* verb_of(Permissions wanted) {
  switch (wanted) {
    case kWrite:
      return "connect";
    case kRead:
      return "read";
    case kRead | kExecute:
      return "read and execute";
    default:
      return "execute";
  }
}

/// Of two rights that are refused together, the one that is missing; execution where both are.
Permissions culprit_of(Permissions wanted, const Step& step, const Identity& who) {
  for (const Permissions bit : {kExecute, kRead}) {
    const bool asked = (wanted & bit) != 0;
    if (asked && !decide_access(step.status, step.acl, who, bit).allowed) return bit;
  }
  return wanted;
}

std::string answer_words(const char* verb, const AccessDecision& decision, const FileStatus& file,
                         const Identity& who, const Names& names) {
  return std::string(decision.allowed ? "may " : "MAY NOT ") + verb + ": " +
         decision_summary(decision, file, who, names);
}

void answer(Row& row, const Step& step, const Link& link, const Question& question,
            const Names& names) {
  if (step.status.type == FileType::symlink) return;
  if (step.status.type == FileType::directory) {
    row.answer = answer_words("search", step.search, step.status, question.who, names);
    row.denied = !step.search.allowed;
    return;
  }
  const Permissions wanted = wanted_at_end(link, question);
  const Permissions told = culprit_of(wanted, step, question.who);
  const AccessDecision decision = decide_access(step.status, step.acl, question.who, told);
  row.answer = answer_words(verb_of(told), decision, step.status, question.who, names);
  row.denied = !decision.allowed;
}

/// The whole path where a line does not simply go on from the directory before it.
std::string shown_name(const Step& step, const std::string& directory) {
  const bool goes_on = step.path != "/" && parent_of(step.path) == directory;
  std::string name = goes_on ? step.path.substr(step.path.rfind('/') + 1) : step.path;
  if (step.status.type == FileType::symlink) name += " -> " + step.link_target;
  return printable(name);
}

std::vector<Row> rows_of(const Link& link, const Question& question, const Names& names) {
  std::vector<Row> rows;
  std::string directory;
  for (const Step& step : link.walk.steps) {
    Row row;
    row.mode = symbolic_mode(step.status) + (step.acl ? "+" : " ");
    row.owner =
        printable(names.user(step.status.uid)) + ":" + printable(names.group(step.status.gid));
    row.name = shown_name(step, directory);
    answer(row, step, link, question, names);
    if (step.status.type == FileType::directory) directory = step.path;
    rows.push_back(std::move(row));
  }
  return rows;
}

/// The culprit that has no step of its own because there is nothing to look at.
void add_missing(std::vector<Row>& rows, const Walk& walk) {
  for (const WalkFault& fault : walk.faults) {
    if (fault.code != Code::not_found) continue;
    Row row;
    row.mode = "?";
    row.name = printable(fault.path.substr(fault.path.rfind('/') + 1));
    row.answer = "does not exist";
    row.denied = true;
    rows.push_back(std::move(row));
  }
  if (walk.blocked == 0) return;
  Row row;
  row.mode = "?";
  row.answer = std::string("cannot be looked at from here: ") + std::strerror(walk.blocked);
  rows.push_back(std::move(row));
}

}  // namespace

std::string coloured(std::string text, Colour colour, const TextStyle& style) {
  if (!style.colour) return text;
  static constexpr const char* kCodes[] = {"31", "32", "33", "1"};
  return std::string("\x1b[") + kCodes[static_cast<int>(colour)] + "m" + text + "\x1b[0m";
}

std::string decision_summary(const AccessDecision& decision, const FileStatus& file,
                             const Identity& who, const Names& names) {
  if (decision.by_capability) return "capability of " + who.name;
  if (decision.by == DecidedBy::no_execute_bit) return "no x for anybody";
  if (decision.by != DecidedBy::mask) return entry_words(decision.by, decision, file, names);
  return "mask " + rwx(decision.mask) + " cuts " +
         entry_words(decision.masked, decision, file, names);
}

bool is_open(const Link& link, const Question& question) {
  const Step* end = link.walk.end();
  return end != nullptr && link.walk.faults.empty() &&
         decide_access(end->status, end->acl, question.who, wanted_at_end(link, question)).allowed;
}

std::string component_table(const Link& link, const Question& question, const Names& names,
                            const TextStyle& style) {
  std::vector<Row> rows = rows_of(link, question, names);
  add_missing(rows, link.walk);
  std::size_t owner = 0, name = 0;
  for (const Row& row : rows) {
    owner = std::max(owner, width(row.owner));
    if (!row.answer.empty()) name = std::max(name, width(row.name));
  }
  std::string text;
  for (const Row& row : rows) {
    text += "  " + padded(row.mode, 11) + " " + padded(row.owner, owner) + "  ";
    text += row.answer.empty() ? row.name : padded(row.name, name) + "  ";
    text += row.denied ? coloured(row.answer, Colour::red, style) : row.answer;
    text += '\n';
  }
  return text;
}

}  // namespace permguard
