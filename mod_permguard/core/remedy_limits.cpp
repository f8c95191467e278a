// SPDX-License-Identifier: Apache-2.0
#include "core/remedy_limits.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/chain.h"
#include "core/remedy.h"
#include "core/shell_word.h"

namespace permguard {
namespace {

constexpr unsigned kSetId = 06000;

constexpr const char* kRootsOwnAdvice =
    "what lies below /root is root's own and is opened to nobody: put it elsewhere";
constexpr const char* kEtcAdvice =
    "files below /etc are the system's own and may hold secrets: put it elsewhere, or bring back "
    "the mode its package gave it by installing that again";
constexpr const char* kProgramAdvice =
    "it belongs to the system: bring back the mode its package gave it by installing that again "
    "(with RPM, rpm --restore PACKAGE), or let another program be named";
constexpr const char* kSetIdAdvice =
    "it is a setuid or setgid program, which gives its rights to whoever may run it: decide by "
    "hand who that shall be, or take that bit from it first";
constexpr const char* kNoProgramAdvice =
    "it is no program, so an x bit alone would not help: write the interpreter into its first "
    "line, or, if it is not meant to run, keep its handler from it; only then may it need the bit";

/// Codes whose remedies give nobody anything.
bool takes_away(Code code) {
  switch (code) {
    case Code::world_writable:
    case Code::group_writable:
    case Code::server_writable:
    case Code::setuid:
    case Code::setgid:
    case Code::dir_world_writable:
    case Code::writable:
    case Code::dir_writable:
    case Code::setid:
      return true;
    default:
      return false;
  }
}

std::string name_of_lead(const Lead& lead, const std::string& path) {
  switch (lead.kind) {
    case Lead::Kind::link:
      return "the link " + path;
    case Lead::Kind::first_line:
      return "the #! line of " + path;
    case Lead::Kind::program:
      return "the program " + path;
    case Lead::Kind::setting:
      break;
  }
  return path;
}

const char* end_of_lead(const Lead& lead) {
  return lead.kind == Lead::Kind::link         ? "remove the link"
         : lead.kind == Lead::Kind::first_line ? "correct that line"
         : lead.kind == Lead::Kind::program    ? "remove the program"
                                               : "correct that file";
}

/// Whose lead goes where, and what to do about it.
std::string stranger_words(const Names& names, const WayThere& way, const Lead& lead,
                           const std::string& stranger, const Finding& finding) {
  const auto quoted = [&](const std::string& path) { return shell_quote(way.outside + path); };
  const bool by_httpd = lead.kind == Lead::Kind::setting;  // which is not in the jail
  std::string words = name_of_lead(lead, by_httpd ? shell_quote(lead.path) : quoted(lead.path));
  const std::string owner = lead.file ? names.user(lead.file->uid) : std::string();
  if (!owner.empty()) words += " of " + owner;
  if (owner != stranger) {
    words += std::string(", which ") + stranger + " may " +
             (lead.kind == Lead::Kind::link ? "replace," : "change,");
  }
  words += " leads to " + quoted(way.goal);
  if (way.goal != finding.path) words += " by way of " + quoted(finding.path);
  if (finding.file) words += " of " + finding.owner;
  return words + ", so no command is told: " + end_of_lead(lead) +
         " if that is not meant; if it is, its owner has to decide, see permguard explain " +
         quoted(way.goal);
}

const char* advice_for_place(const Finding& finding, bool program) {
  const std::string& path = finding.path;
  if (lies_in(path, "/root")) return kRootsOwnAdvice;
  // A directory's search bit shows no file.
  if (lies_in(path, "/etc") && finding.code != Code::search_denied) return kEtcAdvice;
  return program && is_of_the_system(path) ? kProgramAdvice : nullptr;
}

bool is_set_id_program(const Finding& finding) {
  return finding.file && finding.file->type == FileType::regular &&
         (finding.file->mode & kSetId) != 0;
}

bool lacks_execute(const Finding& finding) {
  return finding.code == Code::not_executable || finding.code == Code::execute_denied;
}

bool is_no_program(const Finding& finding) {
  return finding.code == Code::no_shebang || finding.code == Code::empty_file;
}

}  // namespace

void withhold(Finding& finding, std::string advice) {
  finding.remedy = {.steps = {}, .advice = std::move(advice), .withheld = true};
}

void heed_leads(const Names& names, const WayThere& way, Finding& finding) {
  if (finding.remedy.steps.empty()) return;
  const uid_t owner = finding.file ? finding.file->uid : 0;
  for (const Lead& lead : way.leads) {
    const std::string stranger = stranger_to(lead, owner, names);
    if (stranger.empty()) continue;
    return withhold(finding, stranger_words(names, way, lead, stranger, finding));
  }
}

void heed_links(const Names& names, const Walk& walk, const std::string& named, Finding& finding) {
  if (finding.remedy.steps.empty()) return;
  heed_leads(names, {links_before(walk, finding.path), goal_of(walk, named)}, finding);
}

bool is_of_the_system(const std::string& path) {
  static constexpr std::array kTops = {"/usr", "/etc",  "/boot",      "/root",
                                       "/bin", "/sbin", "/nix/store", "/gnu/store"};
  if (lies_in(path, "/usr/local")) return false;
  return path.starts_with("/lib") || std::any_of(kTops.begin(), kTops.end(), [&](const char* top) {
           return lies_in(path, top);
         });
}

void heed_place(Finding& finding, bool program) {
  if (finding.remedy.steps.empty() || takes_away(finding.code)) return;
  if (const char* advice = advice_for_place(finding, program)) withhold(finding, advice);
}

void heed_set_id(Finding& finding) {
  if (finding.remedy.steps.empty() || takes_away(finding.code)) return;
  if (is_set_id_program(finding)) withhold(finding, kSetIdAdvice);
}

void heed_refusals(const Filesystem& filesystem, const Surroundings& around, Finding& finding) {
  if (finding.remedy.steps.empty()) return;
  const bool unmapped = finding.file && !(around.users.hold(finding.file->uid) &&
                                          around.groups.hold(finding.file->gid));
  if (unmapped) {
    // capable_wrt_inode_uidgid(), kernel/capability.c: root's powers end at the ids of his
    // namespace.
    return withhold(finding,
                    "its owner or group is not mapped in the user namespace of the process, where "
                    "nobody can change it: change it from outside of that");
  }
  heed_immutability(filesystem, finding);
}

void heed_mount(const Mount& mount, const Surroundings& around, Finding& finding) {
  // A service's own read-only view of a mount does not bind the operator's shell.
  const bool binds = !around.private_mounts || around.asker_shares_mounts;
  if (finding.remedy.steps.empty() || !mount.read_only || !binds) return;
  withhold(finding, "the mount '" + mount.point +
                        "' is read-only: remount it for writing, or change what it is made of; "
                        "then " +
                        info(finding.code).action);
}

void heed_format(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (!lacks_execute(finding) || finding.remedy.steps.empty()) continue;
    const bool useless = std::any_of(findings.begin(), findings.end(), [&](const Finding& other) {
      return is_no_program(other) && other.path == finding.path;
    });
    if (useless) withhold(finding, kNoProgramAdvice);
  }
}

}  // namespace permguard
