// SPDX-License-Identifier: Apache-2.0
#include "report/reason.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/path_walk.h"
#include "report/log_text.h"
#include "report/sentence.h"

namespace permguard {
namespace {

/// How a code's `detail` is put into words; a code without a row says its catalogue cause, with
/// the detail in brackets.
struct Clause {
  Code code;
  const char* before;
  const char* after;
  bool quote;
};

constexpr std::array kClauses = {
    Clause{Code::dangling_symlink, "the link points to ", ", which does not exist", true},
    Clause{Code::noexec_mount, "it lies on ", ", which is mounted noexec", true},
    Clause{Code::nosuid, "it lies on ", ", which is mounted nosuid: its setuid bit is void", true},
    Clause{Code::lsm_denied, "the kernel refuses what mode, ACL and mount allow: ", "", false},
    Clause{Code::shebang_too_long, "", "", false},
    Clause{Code::outside_docroot, "it is not below suexec's document root ", "", true},
    Clause{Code::owner_mismatch, "suexec wants ", "", false},
    Clause{Code::uid_too_low, "the user's id is below suexec's minimum ", "", false},
    Clause{Code::gid_too_low, "the group's id is below suexec's minimum ", "", false},
    Clause{Code::mode_drift, "desired is mode ", "", false},
    Clause{Code::owner_drift, "desired is owner ", "", false},
    Clause{Code::group_drift, "desired is group ", "", false},
    Clause{Code::acl_drift, "desired is the ACL ", "", false},
};

const char* what_it_is(FileType type) {
  switch (type) {
    case FileType::regular:
      return "it is a regular file";
    case FileType::directory:
      return "it is a directory";
    case FileType::symlink:
      return "it is a symbolic link";
    case FileType::fifo:
      return "it is a FIFO";
    case FileType::socket:
      return "it is a socket";
    case FileType::character_device:
    case FileType::block_device:
      return "it is a device";
    case FileType::unknown:
      break;
  }
  return "it is of an unknown type";
}

std::string clause(const Finding& finding, std::size_t limit) {
  if (finding.file && finding.code == Code::not_regular_file) {
    return std::string(what_it_is(finding.file->type)) + ", not a regular file";
  }
  if (finding.file && finding.code == Code::not_a_socket) {
    return std::string(what_it_is(finding.file->type)) + ", not a socket";
  }
  if (finding.file && finding.code == Code::missing && !finding.detail.empty()) {
    return std::string(what_it_is(finding.file->type)) + " now, not " + finding.detail +
           " of the desired state";
  }
  const char* cause = info(finding.code).cause;
  if (finding.detail.empty()) {
    return finding.code == Code::lsm_denied ? std::string(cause) + ": no visible reason" : cause;
  }
  const std::string detail = cut_in_the_middle(finding.detail, limit);
  const auto* row = std::find_if(kClauses.begin(), kClauses.end(),
                                 [&](const Clause& each) { return each.code == finding.code; });
  if (row == kClauses.end()) return std::string(cause) + " (" + detail + ')';
  return row->before + (row->quote ? shell_quote(detail) : detail) + row->after;
}

const char* role_noun(Role role) {
  switch (role) {
    case Role::interpreter:
    case Role::wrapper_interpreter:
      return "interpreter ";
    case Role::command:
    case Role::wrapper_command:
      return "command ";
    case Role::loader:
    case Role::wrapper_loader:
      return "loader ";
    case Role::socket:
      return "socket ";
    case Role::wrapper:
      return "wrapper ";
    default:
      return "";
  }
}

/// What the culprit is called; empty where there is no better word than its path.
std::string noun(const Finding& finding) {
  if (finding.file && finding.file->type == FileType::directory) return "directory ";
  if (finding.file && finding.file->type == FileType::symlink) return "link ";
  const std::string word = role_noun(finding.role);
  return word.empty() && finding.file ? "file " : word;
}

std::string culprit(const Finding& finding, std::size_t limit) {
  if (finding.path == finding.target) return {};
  return noun(finding) + quoted(finding.path, limit);
}

std::string ownership(const Finding& finding, std::size_t limit) {
  std::array<char, 16> octal{};
  std::snprintf(octal.data(), octal.size(), "%04o", finding.file->mode & 07777U);
  return std::string("mode ") + octal.data() + " (" + symbolic_mode(*finding.file) + ") " +
         cut_in_the_middle(finding.owner, limit) + ':' + cut_in_the_middle(finding.group, limit);
}

bool is_missing_command(const Finding& finding) {
  return finding.code == Code::not_found &&
         (finding.role == Role::command || finding.role == Role::wrapper_command);
}

// A command that env did not find is known by its name only.
bool is_search_path_miss(const Finding& finding) {
  return is_missing_command(finding) && finding.path.find('/') == std::string::npos;
}

// env's own words, where it does not even look for a command.
bool is_complaint_of_env(const Finding& finding) {
  return is_missing_command(finding) && !finding.detail.empty() && finding.detail.front() != '/';
}

std::string missing_command(const Finding& finding, std::size_t limit) {
  return "command " + quoted(finding.path, limit) +
         (finding.detail.empty() ? " is not found: PATH is empty"
                                 : " is not in PATH " + quoted(finding.detail, limit));
}

// The way by which a part was named, where a component of that way is the culprit.
std::string on_the_way(const Finding& finding, std::size_t limit) {
  const bool named = !finding.detail.empty() && finding.detail.front() == '/';
  if (finding.role == Role::script || !named || finding.detail == finding.path) return {};
  return std::string(", on the way to ") + role_noun(finding.role) + quoted(finding.detail, limit);
}

bool is_named_in_a_file(Role role) {
  const std::string_view noun = role_noun(role);
  return noun == "interpreter " || noun == "command " || noun == "loader ";
}

// The name stands in a file that the asked user may not read: only that file is named.
std::string withheld_name(const Finding& finding, std::size_t limit) {
  const std::string subject = culprit(finding, limit);
  return (subject.empty() ? "it" : subject) + " names " +
         (role_noun(finding.role)[0] == 'i' ? "an " : "a ") + role_noun(finding.role) +
         "that is not there; the name is not told, since this user may not read the file";
}

std::string missing_file(const Finding& finding, std::size_t limit) {
  if (is_named_in_a_file(finding.role) && finding.file) return withheld_name(finding, limit);
  if (is_search_path_miss(finding)) return missing_command(finding, limit);
  if (is_complaint_of_env(finding)) {
    return "env runs no command: " + cut_in_the_middle(finding.detail, limit);
  }
  const std::string way = on_the_way(finding, limit);
  if (!way.empty()) return quoted(finding.path, limit) + " does not exist" + way;
  const std::string subject = culprit(finding, limit);
  return subject.empty() ? info(Code::not_found).cause : subject + " does not exist";
}

// What is wrong with a file that is there.
std::string fault(const Finding& finding, const Identity& who, std::size_t limit) {
  std::string text = culprit(finding, limit);
  if (finding.file) text += (text.empty() ? "" : " ") + ownership(finding, limit);
  const std::string decision = decision_words(finding, who, limit);
  if (!decision.empty()) {
    return text + decision +
           (finding.code == Code::search_denied ? on_the_way(finding, limit) : "");
  }
  if (!text.empty()) text += finding.file ? ", " : ": ";
  return text + clause(finding, limit);
}

}  // namespace

std::string reason_within(const Finding& finding, const Identity& who, std::size_t limit) {
  std::string text =
      finding.code == Code::not_found ? missing_file(finding, limit) : fault(finding, who, limit);
  const bool by_own_links = finding.hint == kSeenFromHere;
  if (finding.conditional && !by_own_links) text += ", which matters if it is a #! script";
  if (!finding.hint.empty()) text += ", " + cut_in_the_middle(finding.hint, limit);
  return text;
}

std::string reason(const Finding& finding, const Identity& who) {
  return reason_within(finding, who, kMaxSentence);
}

}  // namespace permguard
