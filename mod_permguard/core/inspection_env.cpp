// SPDX-License-Identifier: Apache-2.0
// What env does when it is the interpreter: looks a command up and executes it as execvp(3) does.
#include <algorithm>
#include <cerrno>

#include "core/inspection.h"
#include "core/remedy.h"

namespace permguard {
namespace {

constexpr std::size_t kMaxChain = 32;

std::string hidden_words(const std::vector<std::string>& directories, const Identity& who) {
  if (directories.empty()) return {};
  std::string words = "of which " + who.name + " may not search '" + directories.front() + "'";
  if (directories.size() > 1) words += " and " + std::to_string(directories.size() - 1) + " more";
  return words;
}

}  // namespace

void Inspection::follow_env(const Link& script, const ExecContext& context) {
  const NextFile next = next_for_env(script.path, *script.head.shebang, context);
  const Role role = joined(diagnosis_.question.role, Role::command);
  // A command that is a script for env again starts a new execve: only its length ends it here.
  const bool endless = next.kind == NextFile::Kind::endless || diagnosis_.chain.size() > kMaxChain;
  std::vector<std::string> hidden;
  if (next.kind == NextFile::Kind::command && !endless) {
    const CommandLookup found = look_up(next, hidden);
    if (found.error != ENOENT || next.path.find('/') != std::string::npos) {
      execute_by_env({role, found.path}, {next.search_path, next.directory});
      return;
    }
  }
  if (endless) {
    add_format_fault(Code::shebang_loop, script, script.head.shebang->interpreter, 0);
  } else if (!next.path.empty() && next.path.back() == '\r') {
    add_format_fault(Code::shebang_crlf, script, without_returns(next.path), ENOENT);
  } else {
    Finding& finding = add(Code::not_found, script);
    finding.role = role;
    if (!next.path.empty()) {
      finding.path = next.path;
    }
    finding.detail = next.complaint.empty() ? next.search_path : next.complaint;
    finding.decided_by = DecidedBy::interpreter;
    finding.error = hidden.empty() ? ENOENT : EACCES;
    finding.hint = hidden_words(hidden, diagnosis_.question.who);
    finding.remedy = general_remedy(finding);
  }
}

/// As find_command, but a directory of PATH that hides its names counts only where all do: the
/// command may be in none of them, and most often is not. `hidden` gets them in the other case.
CommandLookup Inspection::look_up(const NextFile& next, std::vector<std::string>& hidden) const {
  std::string first;
  std::size_t tried = 0;
  CommandLookup found =
      find_command(next.path, next.search_path, next.directory, [&](const std::string& path) {
        ++tried;
        const int error = attempt(path);
        if (error != EACCES || next.path.find('/') != std::string::npos) return error;
        if (walk_path(examiner_.filesystem, path, diagnosis_.question.who, {}).complete)
          return error;
        if (hidden.empty()) first = path;
        hidden.push_back(directory_of(path));
        return ENOENT;
      });
  if (found.error != ENOENT || hidden.empty() || hidden.size() != tried) return found;
  hidden.clear();
  return {first, EACCES};
}

/// execvp(3) of glibc hands a file that execve refuses with ENOEXEC to /bin/sh, so what is text
/// runs all the same where the user can read it.
void Inspection::execute_by_env(const Candidate& command, const ExecContext& context) {
  const std::size_t first = diagnosis_.findings.size(), place = diagnosis_.chain.size();
  execute(command, context);
  const auto begin = diagnosis_.findings.begin() + static_cast<std::ptrdiff_t>(first);
  const auto kept = std::remove_if(begin, diagnosis_.findings.end(), [&](const Finding& finding) {
    return finding.error == ENOEXEC && is_text(finding, place);
  });
  if (kept == diagnosis_.findings.end()) {
    return;
  }
  diagnosis_.findings.erase(kept, diagnosis_.findings.end());
  const Link link = diagnosis_.chain[place];
  const std::size_t judged = diagnosis_.findings.size();
  if (!link.head.shebang) {
    judge_access(link, kRead, Code::read_denied);
    ask_kernel(link, judged, kRead, false);
  }
}

/// Whether a finding is about a file of the chain, from `place` on, that a shell can read.
bool Inspection::is_text(const Finding& finding, std::size_t place) const {
  return std::any_of(
      diagnosis_.chain.begin() + static_cast<std::ptrdiff_t>(place), diagnosis_.chain.end(),
      [&](const Link& link) {
        return link.walk.resolved == finding.path &&
               (link.head.format == Format::text || link.head.format == Format::shebang);
      });
}

/// What execve would give for a candidate of a PATH search, as far as the search goes by it.
/// A file of unknown format counts as found: glibc's execvp hands it to /bin/sh.
int Inspection::attempt(const std::string& path) const {
  const Identity& who = diagnosis_.question.who;
  const Walk walk = walk_path(examiner_.filesystem, path, who, {});
  if (!walk.complete || !walk.faults.empty()) {
    return walk.faults.empty() ? EACCES : walk.faults.front().error;
  }
  const Step& end = *walk.end();
  const bool executable = end.status.type == FileType::regular &&
                          decide_access(end.status, end.acl, who, kExecute).allowed;
  const Result<Mount> mount = examiner_.filesystem.mount(end.path);
  return executable && !(mount && mount.value.noexec) ? 0 : EACCES;
}

}  // namespace permguard
