// SPDX-License-Identifier: Apache-2.0
//
// How an Inspection turns what it saw, and what the kernel says, into findings.

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <string_view>

#include "core/inspection.h"
#include "core/remedy.h"
#include "core/surroundings.h"

namespace permguard {
namespace {

/// Codes that say what one identity may not do; all others follow from bytes and metadata.
bool depends_on_identity(Code code) {
  return code == Code::search_denied || code == Code::execute_denied || code == Code::read_denied ||
         code == Code::connect_denied || code == Code::lsm_denied || code == Code::not_listable;
}

/// Codes that a positive answer of the kernel refutes; type and format are not part of it.
bool is_about_access(Code code) {
  return (code <= Code::noexec_mount && code != Code::not_regular_file) ||
         code == Code::connect_denied || code == Code::not_listable || code == Code::lsm_denied;
}

/// Interpreters, commands and loaders: what another file of the chain names.
bool is_named_by_a_file(Role role) {
  return role != Role::script && role != Role::wrapper && role != Role::socket &&
         role != Role::htaccess && role != Role::directory;
}

/// What a refusal stands for where mode, ACL, mount and the walk tell nothing. Other errors mean
/// that the tree changed between two looks, or that a file system is out of order for the moment.
std::optional<Code> code_of_refusal(int error) {
  switch (error) {
    case EACCES:
      return Code::lsm_denied;
    case ETXTBSY:
      return Code::text_busy;
    case ELOOP:
      return Code::symlink_loop;
    default:
      return std::nullopt;
  }
}

const Step* step_at(const Walk& walk, const std::string& path) {
  const auto found = std::find_if(walk.steps.rbegin(), walk.steps.rend(),
                                  [&](const Step& step) { return step.path == path; });
  return found == walk.steps.rend() ? nullptr : &*found;
}

/// File systems whose modes come from mount options or the kernel: they keep no ACL.
bool keeps_acls(const Mount& mount) {
  static constexpr std::string_view kWithout[] = {"vfat", "exfat", "iso9660", "squashfs",
                                                  "proc", "sysfs", "msdos",   "udf"};
  return mount.acls &&
         std::find(std::begin(kWithout), std::end(kWithout), mount.fstype) == std::end(kWithout);
}

}  // namespace

Certainty Inspection::certainty_of(Code code) const {
  const bool guessed = diagnosis_.question.certainty == Certainty::modelled;
  return depends_on_identity(code) && (guessed || examiner_.kernel == nullptr) ? Certainty::modelled
                                                                               : Certainty::certain;
}

Finding& Inspection::add(Code code, const Link& link) {
  Finding finding;
  finding.code = code;
  finding.role = link.role;
  finding.severity = info(code).severity;
  finding.certainty = certainty_of(code);
  finding.need = diagnosis_.question.need;
  finding.target = diagnosis_.question.target;
  finding.path = link.path;
  return diagnosis_.findings.emplace_back(std::move(finding));
}

void Inspection::place(Finding& finding, const FileStatus& file) {
  finding.file = file;
  finding.owner = examiner_.names.user(file.uid);
  finding.group = examiner_.names.group(file.gid);
}

/// `nearest`: the culprit, or, where it is missing, the directory that should hold it.
void Inspection::add_hint(Finding& finding, const std::string& nearest,
                          const FileStatus& file) const {
  if (!examiner_.surroundings.private_mounts) return;
  const Result<Mount> mount = examiner_.filesystem.mount(nearest);
  if (!mount) return;
  finding.hint =
      sandbox_hint(examiner_.surroundings, finding.code, finding.path, mount.value, file);
  if (finding.hint.empty()) return;
  finding.remedy = {.steps = {},
                    .advice = std::string("change that setting in the service's unit, or ") +
                              info(finding.code).action};
}

void Inspection::remedy_denial(Finding& finding, const Step& step, Permissions wanted,
                               const Identity& who) {
  if (finding.decision.by == DecidedBy::named_user ||
      finding.decision.masked == DecidedBy::named_user) {
    finding.entry_name = examiner_.names.user(finding.decision.entry_id);
  } else if (finding.decision.by == DecidedBy::named_group ||
             finding.decision.masked == DecidedBy::named_group) {
    finding.entry_name = examiner_.names.group(finding.decision.entry_id);
  }
  const Mount mount = examiner_.filesystem.mount(step.path).value;
  finding.remedy = least_grant(step.path, step.status, step.acl, who, wanted, keeps_acls(mount));
  // A service's own read-only view of a mount does not bind the operator's shell.
  const Surroundings& around = examiner_.surroundings;
  if (mount.read_only && (!around.private_mounts || around.asker_shares_mounts)) {
    finding.remedy = {.steps = {},
                      .advice = "the mount '" + mount.point +
                                "' is read-only: remount it for writing, or change what it is made "
                                "of; then " +
                                info(finding.code).action};
  }
}

/// A named ACL entry for reading replaces what the classes give, so the x that the same file lacks
/// must be granted with it: both findings get the one remedy that cures both.
void Inspection::join_remedies(const Link& link, Finding& read) {
  for (Finding& finding : diagnosis_.findings) {
    const bool lacks_x =
        finding.code == Code::not_executable || finding.code == Code::execute_denied;
    // A hidden file is not repaired by commands.
    if (lacks_x && finding.path == read.path && finding.hint.empty()) {
      remedy_denial(read, *link.walk.end(), kRead | kExecute, diagnosis_.question.who);
      finding.remedy = read.remedy;
      return;
    }
  }
}

void Inspection::add_walk_faults(const Link& link, const Identity& who) {
  for (const WalkFault& fault : link.walk.faults) {
    Finding& finding = add(fault.code, link);
    finding.path = fault.path;
    finding.detail = fault.detail;
    // The culprit alone would not tell which interpreter or command lies behind it.
    if (finding.detail.empty() && link.role != Role::script && fault.path != link.path) {
      finding.detail = link.path;
    }
    finding.error = fault.error;
    finding.decision = fault.decision;
    finding.decided_by = fault.code == Code::search_denied ? fault.decision.by
                         : fault.code == Code::lsm_denied  ? DecidedBy::lsm
                         : is_named_by_a_file(link.role)   ? DecidedBy::interpreter
                                                           : DecidedBy::none;
    if (fault.file) {
      place(finding, *fault.file);
    }
    const Step* step = step_at(link.walk, fault.path);
    if (fault.code == Code::search_denied && step != nullptr) {
      remedy_denial(finding, *step, kExecute, who);
    } else {
      finding.remedy = general_remedy(finding);
    }
    const std::string nearest = step != nullptr ? fault.path : directory_of(fault.path);
    add_hint(finding, nearest, step != nullptr ? step->status : FileStatus{});
  }
}

void Inspection::ask_kernel(const Link& link, std::size_t first, Permissions wanted,
                            bool execution) {
  if (examiner_.kernel == nullptr) {
    return;
  }
  auto& findings = diagnosis_.findings;
  const KernelAnswer access = examiner_.kernel->may_access(link.path, wanted);
  if (access.allowed()) {
    const auto begin = findings.begin() + static_cast<std::ptrdiff_t>(first);
    findings.erase(std::remove_if(begin, findings.end(),
                                  [](const Finding& f) { return is_about_access(f.code); }),
                   findings.end());
  }
  const KernelAnswer answer =
      execution && !access.refused() ? examiner_.kernel->may_execute(link.path) : access;
  if (answer.refused() && findings.size() == first) {
    add_refusal(link, answer);
  }
}

/// The kernel refuses and nothing visible explains it.
void Inspection::add_refusal(const Link& link, const KernelAnswer& answer) {
  const std::optional<Code> code = code_of_refusal(answer.error);
  if (!code) return;
  const bool busy = *code == Code::text_busy;
  // One refusal for reading and executing, and none beyond a directory that lets nobody pass.
  const bool said = std::any_of(
      diagnosis_.findings.begin(), diagnosis_.findings.end(), [&](const Finding& finding) {
        const bool same = finding.error == answer.error && answer.error != EACCES;
        return finding.decided_by == DecidedBy::lsm ||
               (finding.role == link.role && (finding.code == Code::search_denied || same));
      });
  if (said && !busy) {
    return;
  }
  Finding& finding = add(*code, link);
  const Step* end = link.walk.end();
  const FileStatus file = end != nullptr ? end->status : FileStatus{};
  if (end != nullptr) {
    place(finding, file);
    finding.path = end->path;
  }
  finding.error = answer.error;
  finding.certainty = Certainty::certain;
  if (*code == Code::lsm_denied) {
    finding.decided_by = DecidedBy::lsm;
    finding.detail = visible_reason(examiner_, finding.path, file);
  }
  finding.remedy = general_remedy(finding);
}

}  // namespace permguard
