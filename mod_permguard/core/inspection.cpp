// SPDX-License-Identifier: Apache-2.0
#include "core/inspection.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <sstream>
#include <utility>

#include "core/file_capabilities.h"
#include "core/remedy.h"
#include "core/set_id.h"
#include "core/surroundings.h"

namespace permguard {
namespace {

constexpr std::size_t kSocketPathMax = 108;  // sizeof sun_path, unix(7); no final NUL is needed

bool may_be_misc_format(const FileHead& head) {
  return head.fault == Code::no_shebang || head.fault == Code::wrong_architecture ||
         head.fault == Code::bad_elf || head.fault == Code::empty_file;
}

/// Reads further into `path`. A read that fails leaves its errno in `error`: what follows from the
/// missing bytes is no fault of the file.
ReadMore reader_of(const Filesystem& filesystem, const std::string& path, int& error) {
  return [&filesystem, &path, &error](std::uint64_t offset, std::size_t count) {
    Result<std::string> bytes = filesystem.read(path, offset, count);
    if (!bytes) error = bytes.error;
    return std::move(bytes.value);
  };
}

/// Codes whose detail holds bytes of the file itself.
bool quotes_the_file(Code code) {
  return code == Code::no_shebang || code == Code::bom_before_shebang ||
         code == Code::shebang_crlf || code == Code::shebang_relative || code == Code::shebang_loop;
}

}  // namespace

Inspection::Inspection(const Examiner& examiner, const Question& question)
    : examiner_(examiner), diagnosis_{question, {}, {}, false, false, 0, 0} {}

Diagnosis Inspection::run() {
  const Question& question = diagnosis_.question;
  if (question.need == Need::execute) {
    execute(
        {question.role, question.target},
        {question.search_path, question.working_directory.empty() ? directory_of(question.target)
                                                                  : question.working_directory});
  } else {
    examine_plain(question.need);
  }
  diagnosis_.exists = !diagnosis_.chain.empty() && diagnosis_.chain.front().walk.complete;
  if (diagnosis_.unanswered != 0) doubt_denials();
  for (Finding& finding : diagnosis_.findings) finding.target_seen = diagnosis_.exists;
  limit_remedies();
  return std::move(diagnosis_);
}

void Inspection::examine_plain(Need need) {
  const Question& question = diagnosis_.question;
  const Permissions wanted = need == Need::connect ? kWrite : kRead;
  if (need == Need::connect) judge_address();
  const std::size_t first = diagnosis_.findings.size();
  Link link = reach(question.role, question.target, "/");
  if (link.walk.complete) {
    const bool plausible = need == Need::connect
                               ? judge_type(link, FileType::socket, Code::not_a_socket)
                           : question.role == Role::directory
                               ? judge_type(link, FileType::directory, Code::not_a_directory)
                               : judge_type(link, FileType::regular, Code::not_regular_file);
    if (plausible) {
      judge_access(link, wanted,
                   need == Need::connect              ? Code::connect_denied
                   : question.role == Role::directory ? Code::not_listable
                                                      : Code::read_denied,
                   question.who);
    }
  }
  ask_kernel(link, first, wanted, false);
  leave_to_process(first, link.walk);
  diagnosis_.chain.push_back(std::move(link));
}

/// connect(2) looks at the length of the path before it looks for the file.
void Inspection::judge_address() {
  const std::string& path = diagnosis_.question.target;
  if (path.size() <= kSocketPathMax) return;
  Finding& finding = add(Code::name_too_long, Link{diagnosis_.question.role, path, {}, {}, false});
  finding.detail =
      std::to_string(path.size()) + " bytes, a socket's may have " + std::to_string(kSocketPathMax);
  finding.error = ENAMETOOLONG;
  finding.remedy = general_remedy(finding);
}

void Inspection::execute(const Candidate& candidate, const ExecContext& context) {
  const std::size_t first = diagnosis_.findings.size();
  Link link = reach(candidate.role, candidate.path, context.directory, candidate.named_by);
  const bool regular = judge_program(link, first);
  if (regular) {
    read_format(link);
    link.quotable = execve_only_ || may_quote(link);
    judge_format(link);
    judge_capabilities(link);
  }
  const std::size_t place = diagnosis_.chain.size();
  diagnosis_.chain.push_back(link);
  if (regular) {
    const std::size_t beyond = diagnosis_.findings.size();
    follow(link, candidate, context);
    if (!link.quotable) withhold(link, place, beyond);
    if (!execve_only_) judge_script_read(link, place);
  }
  leave_to_process(first, link.walk);
}

/// Type, x bit and mount of a file that exec opens; findings from `first` on are about it.
/// Whether it is a regular file.
bool Inspection::judge_program(const Link& link, std::size_t first) {
  const bool regular =
      link.walk.complete && judge_type(link, FileType::regular, Code::not_regular_file);
  if (regular) {
    judge_access(link, kExecute, Code::execute_denied, diagnosis_.question.who);
    judge_mount(link);
  }
  ask_kernel(link, first, kExecute, true);
  return regular;
}

Link Inspection::reach(Role role, const std::string& path, const std::string& directory,
                       std::size_t named_by) {
  Link link{role, as_seen_from(path, directory), {}, {}, false, named_by};
  link.walk = walk_path(examiner_.filesystem, link.path, diagnosis_.question.who,
                        {directory, examiner_.surroundings.protected_symlinks});
  add_walk_faults(link, diagnosis_.question.who);
  return link;
}

/// What `walk` ends at, and all that follows from it, may be otherwise for the process that will
/// execute, where the way leads by a process's own links. Findings from `first` on.
void Inspection::leave_to_process(std::size_t first, const Walk& walk) {
  if (diagnosis_.findings.size() == first || !hangs_on_process(examiner_.filesystem, walk)) return;
  for (std::size_t i = first; i < diagnosis_.findings.size(); ++i) {
    Finding& finding = diagnosis_.findings[i];
    finding.certainty = Certainty::modelled;
    finding.conditional = true;
    finding.hint = kSeenFromHere;
    finding.remedy = {.steps = {}, .advice = "name the file itself, not a way through /proc"};
  }
}

bool Inspection::judge_type(const Link& link, FileType wanted, Code otherwise) {
  const Step& end = *link.walk.end();
  if (end.status.type == wanted) {
    return true;
  }
  Finding& finding = add(otherwise, link);
  place(finding, end.status);
  finding.path = end.path;
  finding.error = otherwise == Code::not_a_socket ? ECONNREFUSED
                  : wanted == FileType::directory ? ENOTDIR
                                                  : EACCES;
  finding.remedy = general_remedy(finding);
  return false;
}

void Inspection::judge_access(const Link& link, Permissions wanted, Code denied,
                              const Identity& who) {
  const Step& end = *link.walk.end();
  const AccessDecision decision = decide_access(end.status, end.acl, who, wanted);
  if (decision.allowed) {
    return;
  }
  const bool nobody = decision.by == DecidedBy::no_execute_bit;
  Finding& finding = add(nobody ? Code::not_executable : denied, link);
  place(finding, end.status);
  finding.path = end.path;
  finding.decision = decision;
  finding.decided_by = decision.by;
  finding.error = EACCES;
  remedy_denial(finding, link, end, wanted, who);
  add_hint(finding, end.path, end.status);
}

void Inspection::judge_mount(const Link& link) {
  const Step& end = *link.walk.end();
  const Result<Mount> mount = examiner_.filesystem.mount(end.path);
  if (!mount || !mount.value.noexec) {
    return;
  }
  Finding& finding = add(Code::noexec_mount, link);
  place(finding, end.status);
  finding.path = end.path;
  finding.decided_by = DecidedBy::mount;
  finding.detail = mount.value.point;
  finding.hint =
      sandbox_hint(examiner_.surroundings, Code::noexec_mount, end.path, mount.value, end.status);
  finding.error = EACCES;
  finding.remedy = general_remedy(finding);
}

void Inspection::read_format(Link& link) {
  const std::string& path = link.walk.resolved;
  const Result<std::string> head = examiner_.filesystem.read(path, 0, kHeadBytes);
  if (!head) {
    return;
  }
  int error = 0;
  link.head = read_head(head.value, link.walk.end()->status.size, examiner_.surroundings.machine,
                        reader_of(examiner_.filesystem, path, error));
  link.head_read = error == 0;
  if (!link.head_read) {
    link.head = FileHead{};
    return;
  }
  if (const BinfmtEntry* entry = examiner_.surroundings.binfmt.match(link.path, head.value)) {
    // binfmt_misc registers itself before the built-in formats: fs/binfmt_misc.c, insert_binfmt.
    link.head = FileHead{};
    link.head.format = Format::shebang;
    if (!entry->keeps_open) {
      link.head.shebang = Shebang{entry->interpreter, {}, false};
    }
  }
}

void Inspection::judge_format(const Link& link) {
  if (!link.head_read || !link.head.fault || *link.head.fault == Code::shebang_crlf) {
    return;
  }
  const bool quotes = quotes_the_file(*link.head.fault);
  Finding& finding = add_format_fault(*link.head.fault, link,
                                      quotes && !link.quotable ? std::string() : link.head.detail,
                                      link.head.error);
  const bool unknown_formats = examiner_.surroundings.binfmt.state == BinfmtMisc::State::unreadable;
  if (unknown_formats && link.head.format != Format::text && may_be_misc_format(link.head)) {
    finding.certainty = Certainty::modelled;
  }
}

/// access(2) and AT_EXECVE_CHECK do not look at them.
void Inspection::judge_capabilities(const Link& link) {
  if (!link.head.elf || link.head.fault) return;
  const std::uint64_t refused =
      capabilities_refused(examiner_.filesystem, examiner_.surroundings, link.walk.resolved);
  if (refused == 0) return;
  Finding& finding = add(Code::lsm_denied, link);
  place(finding, link.walk.end()->status);
  finding.path = link.walk.resolved;
  finding.decided_by = DecidedBy::lsm;
  finding.error = EPERM;
  std::ostringstream detail;
  detail << "its file capabilities 0x" << std::hex << refused
         << " are not in the bounding set of the process";
  finding.detail = detail.str();
  finding.remedy.advice =
      "let the process have them (systemd's CapabilityBoundingSet=, a container's cap-add), or "
      "take them from the file with setcap -r";
}

Finding& Inspection::add_format_fault(Code code, const Link& link, const std::string& detail,
                                      int error) {
  Finding& finding = add(code, link);
  place(finding, link.walk.end()->status);
  finding.path = link.walk.resolved;
  finding.decided_by = DecidedBy::format;
  finding.detail = detail;
  finding.error = error;
  finding.remedy = general_remedy(finding);
  return finding;
}

/// What cannot be read may be a script too, an interpreter as well: fatal then, fine for a program.
void Inspection::judge_script_read(const Link& link, std::size_t place) {
  const bool script = link.head_read && link.head.shebang.has_value();
  const bool hidden = !link.head_read;
  const std::size_t first = diagnosis_.findings.size();
  if (!script && !hidden) {
    return;
  }
  const Link* reader = program_beyond(place);
  if (reader != nullptr && gains_rights(*reader)) {
    judge_read_by(*reader, link);
    return;
  }
  judge_access(link, kRead, Code::read_denied, diagnosis_.question.who);
  if (script) {
    ask_kernel(link, first, kRead, false);
  }
  if (diagnosis_.findings.size() > first) {
    join_remedies(link, diagnosis_.findings.back());
  }
  for (std::size_t i = first; i < diagnosis_.findings.size(); ++i) {
    diagnosis_.findings[i].conditional = hidden;
  }
}

/// The program that the chain beyond `place` ends at; null where there is none. The kernel hands it
/// every script of the chain by name.
const Link* Inspection::program_beyond(std::size_t place) const {
  const auto& chain = diagnosis_.chain;
  const auto beyond = chain.rend() - static_cast<std::ptrdiff_t>(place) - 1;
  const auto last = std::find_if(chain.rbegin(), beyond, [](const Link& link) {
    return link.role != Role::loader && link.role != Role::wrapper_loader;
  });
  if (last == beyond || last->walk.end() == nullptr) return nullptr;
  return !last->head_read || last->head.format == Format::elf ? &*last : nullptr;
}

/// Whether it reads with other rights than who executes it.
bool Inspection::gains_rights(const Link& program) const {
  const bool other = has_set_id(program.walk.end()->status) ||
                     brings_reading(examiner_.filesystem, program.walk.resolved);
  return other && honours_gains(program);
}

/// bprm_fill_uid(), fs/exec.c, and mnt_may_suid(): not on a nosuid mount, not without new
/// privileges, and not where the user namespace maps one of the file's ids to nobody.
bool Inspection::honours_gains(const Link& program) const {
  const Surroundings& around = examiner_.surroundings;
  const FileStatus& file = program.walk.end()->status;
  return !around.no_new_privs && around.users.hold(file.uid) && around.groups.hold(file.gid) &&
         !examiner_.filesystem.mount(program.walk.resolved).value.nosuid;
}

/// Modelled: a shell may give the rights up again before it reads.
void Inspection::judge_read_by(const Link& reader, Link script) {
  if (brings_reading(examiner_.filesystem, reader.walk.resolved)) return;
  const Identity who = identity_after_exec(diagnosis_.question.who, reader.walk.end()->status);
  auto& findings = diagnosis_.findings;
  std::vector<Finding> before = std::exchange(findings, {});
  script.walk = walk_path(examiner_.filesystem, script.path, who,
                          {.protected_symlinks = examiner_.surroundings.protected_symlinks});
  add_walk_faults(script, who);
  if (script.walk.complete) judge_access(script, kRead, Code::read_denied, who);
  std::erase_if(findings, [&](const Finding& finding) {
    return std::any_of(before.begin(), before.end(), [&](const Finding& known) {
      return known.code == finding.code && known.path == finding.path;
    });
  });
  for (Finding& finding : findings) {
    // A named entry for reading alone would take the x that the same user has as one of a class.
    if (finding.code == Code::read_denied) {
      remedy_denial(finding, script, *script.walk.end(), kRead | kExecute, who);
    }
    finding.certainty = Certainty::modelled;
    finding.hint = "and its interpreter '" + reader.path + "' has a set-id bit: it reads as " +
                   examiner_.names.user(who.uid) + ':' + examiner_.names.group(who.gid);
  }
  findings.insert(findings.begin(), std::make_move_iterator(before.begin()),
                  std::make_move_iterator(before.end()));
}

void Inspection::follow(const Link& link, const Candidate& from, const ExecContext& context) {
  const NextFile next = link.head_read ? next_for_kernel(link.head, context) : NextFile{};
  if (next.kind == NextFile::Kind::none) {
    return;
  }
  if (next.role == Role::loader) {
    follow_loader(link, next.path, context);
  } else {
    follow_interpreter(link, next, from, context);
  }
}

void Inspection::follow_loader(const Link& program, const std::string& path,
                               const ExecContext& context) {
  const std::size_t first = diagnosis_.findings.size();
  Link link = reach(joined(diagnosis_.question.role, Role::loader), path, context.directory,
                    place_of(program));
  const bool regular = judge_program(link, first);
  const Result<std::string> head =
      regular ? examiner_.filesystem.read(link.walk.resolved, 0, kHeadBytes)
              : failure<std::string>(ENOENT);
  if (head) {
    int error = 0;
    const std::string fault = loader_fault(
        head.value, link.walk.end()->status.size, *program.head.elf, examiner_.surroundings.machine,
        reader_of(examiner_.filesystem, link.walk.resolved, error));
    if (!fault.empty() && error == 0) {
      add_format_fault(Code::bad_elf, link, fault, ELIBBAD);
    }
  }
  leave_to_process(first, link.walk);
  diagnosis_.chain.push_back(std::move(link));
}

void Inspection::follow_interpreter(const Link& script, const NextFile& next, const Candidate& from,
                                    const ExecContext& context) {
  if (from.depth >= kMaxInterpreterDepth) {
    // The operator knows the script; where it runs itself, it has no other part.
    const Link& target = diagnosis_.chain.front();
    const bool itself = target.walk.resolved == script.walk.resolved;
    add_format_fault(Code::shebang_loop, itself ? target : script, next.path, ELOOP);
    return;
  }
  const std::size_t first = diagnosis_.findings.size();
  execute({joined(diagnosis_.question.role, Role::interpreter), next.path, from.depth + 1,
           place_of(script)},
          context);
  if (is_missing_since(first)) {
    const bool crlf = script.head.fault == Code::shebang_crlf;
    if (crlf || !next.path.starts_with('/')) {
      // The operator's fault is in the script's line, not in a file that nobody meant.
      diagnosis_.findings.resize(first);
      add_format_fault(crlf ? Code::shebang_crlf : Code::shebang_relative, script,
                       without_returns(next.path), ENOENT);
    }
  } else if (is_env(next.path) && !execve_only_) {
    follow_env(script, from.path, context);
  }
}

/// Whether a finding since `first` says that the interpreter is not there.
bool Inspection::is_missing_since(std::size_t first) const {
  const auto& findings = diagnosis_.findings;
  return std::any_of(findings.begin() + static_cast<std::ptrdiff_t>(first), findings.end(),
                     [](const Finding& finding) {
                       return !finding.conditional && (finding.code == Code::not_found ||
                                                       finding.code == Code::not_a_directory);
                     });
}

}  // namespace permguard
