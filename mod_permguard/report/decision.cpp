// SPDX-License-Identifier: Apache-2.0
// What decided a denial, in words.
#include <array>
#include <optional>

#include "report/log_text.h"
#include "report/reason.h"

namespace permguard {
namespace {

/// The right a code says is missing.
struct Right {
  const char* verb;
  Permissions bit;
  char letter;
};

std::optional<Right> missing_right(Code code) {
  switch (code) {
    case Code::search_denied:
      return Right{"search", kExecute, 'x'};
    case Code::not_executable:
    case Code::execute_denied:
      return Right{"execute", kExecute, 'x'};
    case Code::read_denied:
    case Code::not_listable:
      return Right{"read", kRead, 'r'};
    case Code::connect_denied:
      return Right{"connect", kWrite, 'w'};
    default:
      return std::nullopt;
  }
}

struct Classes {
  bool owner;
  bool group;
  bool other;
};

Classes classes_with(unsigned mode, Permissions bit) {
  return {(mode & (bit << 6)) != 0, (mode & (bit << 3)) != 0, (mode & bit) != 0};
}

const char* audience(const Classes& has) {
  if (has.owner) return has.group ? "its owner and group only" : "its owner only";
  return has.group ? "its group only" : "nobody";
}

std::string grants(const FileStatus& file, const Right& right, const char* to_whom) {
  const char* verb = file.type == FileType::directory ? " gives " : " grants ";
  return std::string(verb) + right.verb + " to " + to_whom;
}

std::string lacks(const char* whose, const Right& right, const char* although) {
  return std::string(", ") + whose + " has no " + right.letter + " although " + although;
}

std::string rwx(Permissions perms) {
  return {(perms & kRead) != 0 ? 'r' : '-', (perms & kWrite) != 0 ? 'w' : '-',
          (perms & kExecute) != 0 ? 'x' : '-'};
}

// The deciding entry as getfacl(1) prints it.
std::string acl_entry(const Finding& finding, const Identity& who, DecidedBy kind,
                      std::size_t limit) {
  std::string text = "ACL entry ";
  text += kind == DecidedBy::named_user ? "user:" : "group:";
  if (kind == DecidedBy::named_user && finding.entry_name.empty()) {
    text += cut_in_the_middle(who.name, limit);
  } else if (kind != DecidedBy::owning_group) {
    text += cut_in_the_middle(finding.entry_name, limit);
  }
  return text + ':' + rwx(finding.decision.entry_perms);
}

std::string named_entry_words(const Finding& finding, const Identity& who, const Right& right,
                              DecidedBy kind, std::size_t limit) {
  return ", " + acl_entry(finding, who, kind, limit) + " has no " + right.letter;
}

std::string mask_words(const Finding& finding, const Identity& who, std::size_t limit) {
  const AccessDecision& decision = finding.decision;
  return ", " + acl_entry(finding, who, decision.masked, limit) + " is cut to " +
         rwx(decision.entry_perms & decision.mask) + " by mask " + rwx(decision.mask);
}

std::string owner_words(const FileStatus& file, const Right& right, const Classes& has) {
  if (has.other) return lacks("its owner", right, "others have");
  if (has.group) return lacks("its owner", right, "its group has");
  return grants(file, right, "nobody");
}

// With an ACL the mode's group digit is the mask: then it says nothing about the owning group.
std::string owning_group_words(const Finding& finding, const Identity& who, const Right& right,
                               const Classes& has, std::size_t limit) {
  if (has.group) return named_entry_words(finding, who, right, DecidedBy::owning_group, limit);
  if (has.other) return lacks("its group", right, "others have");
  return grants(*finding.file, right, audience(has));
}

}  // namespace

std::string decision_words(const Finding& finding, const Identity& who, std::size_t limit) {
  const std::optional<Right> right = missing_right(finding.code);
  if (!right || !finding.file) return {};
  const Classes has = classes_with(finding.file->mode, right->bit);
  switch (finding.decided_by) {
    case DecidedBy::no_execute_bit:
      return grants(*finding.file, *right, "nobody");
    case DecidedBy::owner:
      return owner_words(*finding.file, *right, has);
    case DecidedBy::owning_group:
      return owning_group_words(finding, who, *right, has, limit);
    case DecidedBy::named_user:
    case DecidedBy::named_group:
      return named_entry_words(finding, who, *right, finding.decided_by, limit);
    case DecidedBy::mask:
      return mask_words(finding, who, limit);
    case DecidedBy::other:
      return has.other ? std::string() : grants(*finding.file, *right, audience(has));
    default:
      return {};
  }
}

}  // namespace permguard
