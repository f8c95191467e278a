// SPDX-License-Identifier: Apache-2.0
//
// How an Inspection turns what it saw, and what the kernel says, into findings.

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "core/inspection.h"
#include "core/remedy.h"
#include "core/remedy_limits.h"
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

void append(std::vector<Lead>& leads, std::vector<Lead> more) {
  std::move(more.begin(), more.end(), std::back_inserter(leads));
}

std::vector<Lead> found_by(const FindLeads& find) {
  return find ? find() : std::vector<Lead>();
}

bool is_run_for_others(Role role) {
  return is_named_by_a_file(role) && role != Role::suexec;
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

/// The question itself was refused, and will be again.
bool is_standing_refusal(const KernelAnswer& answer) {
  return answer.kind == KernelAnswer::Kind::not_asked &&
         (answer.error == EPERM || answer.error == ENOSYS || answer.error == EINVAL);
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

/// Nobody has confirmed what was computed.
void Inspection::doubt_denials() {
  for (Finding& finding : diagnosis_.findings) {
    if (depends_on_identity(finding.code)) finding.certainty = Certainty::modelled;
  }
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
  if (finding.hint.empty() || finding.remedy.withheld) return;
  finding.remedy = {.steps = {},
                    .advice = std::string("change that setting in the service's unit, or ") +
                              info(finding.code).action};
}

void Inspection::remedy_denial(Finding& finding, const Link& link, const Step& step,
                               Permissions wanted, const Identity& who) {
  if (finding.decision.by == DecidedBy::named_user ||
      finding.decision.masked == DecidedBy::named_user) {
    finding.entry_name = examiner_.names.user(finding.decision.entry_id);
  } else if (finding.decision.by == DecidedBy::named_group ||
             finding.decision.masked == DecidedBy::named_group) {
    finding.entry_name = examiner_.names.group(finding.decision.entry_id);
  }
  const Mount mount = examiner_.filesystem.mount(step.path).value;
  finding.remedy = least_grant(step.path, step.status, step.acl, who, wanted, keeps_acls(mount));
  if (finding.remedy.steps.empty()) return;
  const std::vector<Lead> leads = leads_to(link, finding);
  heed_leads(examiner_.names, {leads, goal_of(link.walk, link.path), diagnosis_.question.outside},
             finding);
  heed_mount(mount, examiner_.surroundings, finding);
}

/// All that led to the culprit, the nearest first. Nobody asks before there is a remedy: it takes
/// looks at more files.
std::vector<Lead> Inspection::leads_to(const Link& link, const Finding& finding) const {
  // A way's end has a right of its own to give, though the way may have come by it before.
  const bool on_the_way = finding.code == Code::search_denied;
  std::vector<Lead> leads =
      on_the_way ? links_before(link.walk, finding.path) : links_of(link.walk);
  bool by_env = false;
  Role role = link.role;
  for (std::size_t place = link.named_by; place < diagnosis_.chain.size();) {
    const Link& namer = diagnosis_.chain[place];
    const bool loader = role == Role::loader || role == Role::wrapper_loader;
    by_env = by_env || role == Role::command || role == Role::wrapper_command;
    if (namer.walk.end() != nullptr) {
      leads.push_back(
          lead_of_file(loader ? Lead::Kind::program : Lead::Kind::first_line, *namer.walk.end()));
    }
    append(leads, links_of(namer.walk));
    place = namer.named_by;
    role = namer.role;
  }
  append(leads, found_by(diagnosis_.question.named_by));
  if (by_env) append(leads, found_by(diagnosis_.question.search_path_set_by));
  return leads;
}

/// Where in the chain it stands, or will stand.
std::size_t Inspection::place_of(const Link& link) const {
  const auto& chain = diagnosis_.chain;
  const auto found = std::find_if(chain.rbegin(), chain.rend(), [&](const Link& each) {
    return each.role == link.role && each.path == link.path;
  });
  return found == chain.rend() ? Link::kNamedByQuestion
                               : static_cast<std::size_t>(chain.rend() - found) - 1;
}

/// Interpreters, commands and loaders, and a wrapper that is no script, such as php-cgi itself. The
/// way to a wrapper is that of the script that is dispatched.
bool Inspection::runs_others(const Finding& finding) const {
  if (finding.role != Role::wrapper) return is_run_for_others(finding.role);
  if (finding.code == Code::search_denied) return false;
  const auto& chain = diagnosis_.chain;
  return chain.empty() || !chain.front().head_read || !chain.front().head.shebang;
}

/// A directory that one way may open is open for the others.
void Inspection::share_remedies() {
  auto& findings = diagnosis_.findings;
  for (Finding& finding : findings) {
    if (finding.code != Code::search_denied || !finding.remedy.withheld) continue;
    const auto open = std::find_if(findings.begin(), findings.end(), [&](const Finding& other) {
      return other.code == finding.code && other.path == finding.path &&
             !other.remedy.steps.empty();
    });
    if (open != findings.end()) finding.remedy = open->remedy;
  }
}

/// What can be told only when everything has been looked at.
void Inspection::limit_remedies() {
  share_remedies();
  heed_format(diagnosis_.findings);
  for (Finding& finding : diagnosis_.findings) {
    heed_place(finding, runs_others(finding));
    heed_set_id(finding);
    heed_refusals(examiner_.filesystem, examiner_.surroundings, finding);
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
      remedy_denial(read, link, *link.walk.end(), kRead | kExecute, diagnosis_.question.who);
      finding.remedy = read.remedy;
      return;
    }
  }
}

/// Read by this process and shown to others: only what the asked user may read himself.
bool Inspection::may_quote(const Link& link) const {
  const bool is_target = diagnosis_.chain.empty();
  if (!link.head_read || (is_target && !diagnosis_.question.may_quote)) return !link.head_read;
  if (examiner_.kernel != nullptr) {
    const KernelAnswer answer = examiner_.kernel->may_access(link.path, kRead);
    if (answer.allowed() || answer.refused()) return answer.allowed();
  }
  const Step& end = *link.walk.end();
  return link.walk.faults.empty() &&
         decide_access(end.status, end.acl, diagnosis_.question.who, kRead).allowed;
}

/// What findings from `first` on say in words that stand in `link`, which the user may not read. A
/// file that is there keeps its name, since its repair needs it; a name of nothing is text.
void Inspection::withhold(const Link& link, std::size_t place, std::size_t first) {
  for (std::size_t i = first; i < diagnosis_.findings.size(); ++i) {
    Finding& finding = diagnosis_.findings[i];
    const bool names_nothing =
        finding.code == Code::not_found || finding.code == Code::name_too_long;
    const bool says_name = names_nothing || finding.path == link.walk.resolved ||
                           finding.code == Code::search_denied ||
                           finding.code == Code::not_a_directory;
    if (!says_name) continue;
    finding.detail.clear();
    finding.hint.clear();
    if (names_nothing) {
      finding.path = link.walk.resolved;
      this->place(finding, link.walk.end()->status);
    }
    if (finding.remedy.steps.empty()) finding.remedy = general_remedy(finding);
  }
  auto& chain = diagnosis_.chain;
  chain.erase(std::remove_if(chain.begin() + static_cast<std::ptrdiff_t>(place) + 1, chain.end(),
                             [](const Link& each) { return !each.walk.complete; }),
              chain.end());
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
      remedy_denial(finding, link, *step, kExecute, who);
    } else {
      finding.remedy = general_remedy(finding);
    }
    const std::string nearest = step != nullptr ? fault.path : directory_of(fault.path);
    add_hint(finding, nearest, step != nullptr ? step->status : FileStatus{});
  }
}

/// `answer`, or "not asked" where it is no kernel's; `first` as in ask_kernel().
KernelAnswer Inspection::heard(const KernelAnswer& answer, Permissions wanted, std::size_t first) {
  auto& findings = diagnosis_.findings;
  const auto begin = findings.begin() + static_cast<std::ptrdiff_t>(first);
  const auto hangs_on_answer = [](const Finding& each) { return depends_on_identity(each.code); };
  const bool matters = answer.refused() && (begin == findings.end() ||
                                            std::any_of(begin, findings.end(), hangs_on_answer));
  const bool silent = matters && !examiner_.kernel->refuses_by_itself(answer, wanted);
  if (silent || is_standing_refusal(answer)) diagnosis_.unheard = answer.error;
  if (!silent && answer.kind != KernelAnswer::Kind::not_asked) return answer;
  for (auto each = begin; each != findings.end(); ++each) {
    if (hangs_on_answer(*each)) each->certainty = Certainty::modelled;
  }
  return {};
}

KernelAnswer Inspection::ask_execution(const Link& link, std::size_t first) {
  const KernelAnswer answer = examiner_.kernel->may_execute(link.path);
  const bool counts = answer.refused() && diagnosis_.findings.size() == first;
  return counts && !examiner_.kernel->refuses_execution_by_itself() ? KernelAnswer{} : answer;
}

void Inspection::ask_kernel(const Link& link, std::size_t first, Permissions wanted,
                            bool execution) {
  if (examiner_.kernel == nullptr) {
    return;
  }
  auto& findings = diagnosis_.findings;
  const KernelAnswer access = heard(examiner_.kernel->may_access(link.path, wanted), wanted, first);
  if (access.allowed()) {
    const auto begin = findings.begin() + static_cast<std::ptrdiff_t>(first);
    findings.erase(std::remove_if(begin, findings.end(),
                                  [](const Finding& f) { return is_about_access(f.code); }),
                   findings.end());
  }
  const bool ask_more = execution && !access.refused() && !access.lost();
  const KernelAnswer answer = ask_more ? ask_execution(link, first) : access;
  if (answer.lost()) diagnosis_.unanswered = answer.error;
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
