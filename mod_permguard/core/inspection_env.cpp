// SPDX-License-Identifier: Apache-2.0
// What env does when it is the interpreter: looks a command up and executes it as execvp(3) does.
#include <algorithm>
#include <cerrno>

#include "core/inspection.h"
#include "core/remedy.h"

namespace permguard {
namespace {

constexpr std::size_t kMaxChain = 32;
constexpr int kMostEnvs = 8;  // that run each other; what lies beyond is not looked at

std::string hidden_words(const std::vector<std::string>& directories, const Identity& who) {
  if (directories.empty()) return {};
  std::string words = "of which " + who.name + " may not search '" + directories.front() + "'";
  if (directories.size() > 1) words += " and " + std::to_string(directories.size() - 1) + " more";
  return words;
}

}  // namespace

/// `name`: how the kernel and env know the script, which may be relative.
void Inspection::follow_env(const Link& script, const std::string& name,
                            const ExecContext& context) {
  const std::size_t first = diagnosis_.findings.size();
  const bool guessed = run_envs(script, name, context);
  for (const Walk& walk : tried_) leave_to_process(first, walk);
  if (!guessed) return;
  for (std::size_t i = first; i < diagnosis_.findings.size(); ++i) {
    diagnosis_.findings[i].certainty = Certainty::modelled;
  }
}

/// Whether a part of it hangs on the environment, which only the script's process has.
bool Inspection::run_envs(const Link& script, const std::string& name, const ExecContext& context) {
  NextFile next = next_for_env(script.path, *script.head.shebang, context);
  bool guessed = next.guessed;
  std::string directory = context.directory;
  for (int level = 0; level < kMostEnvs; ++level) {
    if (next.directory != directory && !changes_directory(script, name, next)) break;
    if (!run_by_env(script, next)) break;
    directory = next.directory;
    next = next_for_env(script.path, next.arguments, {next.search_path, next.directory});
    guessed = guessed || next.guessed;
  }
  return guessed;
}

/// Whether what env runs is env again, with further words.
bool Inspection::run_by_env(const Link& script, const NextFile& next) {
  // A command that is a script for env again starts a new execve: only its length ends it here.
  const bool endless = next.kind == NextFile::Kind::endless || diagnosis_.chain.size() > kMaxChain;
  std::vector<std::string> hidden;
  if (next.kind == NextFile::Kind::command && !endless) {
    const CommandLookup found = look_up(next, hidden);
    if (found.error != ENOENT || next.path.find('/') != std::string::npos) {
      const std::size_t first = diagnosis_.findings.size(), place = diagnosis_.chain.size();
      execute_by_env(
          {joined(diagnosis_.question.role, Role::command), found.path, 0, place_of(script)},
          {next.search_path, next.directory});
      return is_env(found.path) && diagnosis_.findings.size() == first &&
             diagnosis_.chain[place].head.format == Format::elf;
    }
  }
  if (endless) {
    add_format_fault(Code::shebang_loop, script, script.head.shebang->interpreter, 0);
  } else if (!next.path.empty() && next.path.back() == '\r') {
    add_format_fault(Code::shebang_crlf, script, without_returns(next.path), ENOENT);
  } else {
    refuse_env(script, next, hidden);
  }
  return false;
}

void Inspection::refuse_env(const Link& script, const NextFile& next,
                            const std::vector<std::string>& hidden) {
  Finding& finding = add(Code::not_found, script);
  finding.role = joined(diagnosis_.question.role, Role::command);
  if (!next.path.empty()) {
    finding.path = next.path;
  }
  finding.detail = next.complaint.empty() ? next.search_path : next.complaint;
  finding.decided_by = DecidedBy::interpreter;
  finding.error = hidden.empty() ? ENOENT : EACCES;
  finding.hint = hidden_words(hidden, diagnosis_.question.who);
  finding.remedy = general_remedy(finding);
}

/// What stands in the way of env's -C, as findings; whether it gets there, and its command still
/// finds the script by the name it is handed.
bool Inspection::changes_directory(const Link& script, const std::string& name,
                                   const NextFile& next) {
  if (next.kind != NextFile::Kind::command) return true;  // env has ended before
  const std::size_t first = diagnosis_.findings.size();
  const Link link =
      reach(joined(diagnosis_.question.role, Role::command), next.directory, "/", place_of(script));
  if (link.walk.complete && judge_type(link, FileType::directory, Code::not_a_directory)) {
    judge_access(link, kExecute, Code::search_denied, diagnosis_.question.who);
  }
  ask_kernel(link, first, kExecute, false);
  tried_.push_back(link.walk);
  for (std::size_t i = first; i < diagnosis_.findings.size(); ++i) {
    Finding& finding = diagnosis_.findings[i];
    if (finding.code != Code::not_found) continue;
    finding.detail = "cannot change directory to '" + next.directory + "'";
    finding.remedy = general_remedy(finding);
  }
  if (diagnosis_.findings.size() > first) return false;
  const bool lost =
      !name.starts_with('/') && !examiner_.filesystem.target_status(absolute(name, next.directory));
  if (!lost) return true;
  // Modelled: the command may need no script.
  add_format_fault(Code::shebang_relative, script, name + " from " + next.directory, ENOENT)
      .certainty = Certainty::modelled;
  return false;
}

/// As find_command, but a directory of PATH that hides its names counts only where all do: the
/// command may be in none of them, and most often is not. `hidden` gets them in the other case.
/// Where nothing runs, what is there but lacks its interpreter tells more than a name not found.
CommandLookup Inspection::look_up(const NextFile& next, std::vector<std::string>& hidden) {
  std::string first, broken;
  std::size_t tried = 0;
  CommandLookup found =
      find_command(next.path, next.search_path, next.directory, [&](const std::string& path) {
        ++tried;
        const int error = attempt(path, next.directory);
        const bool lacks_a_part = error == ENOENT || error == ENOTDIR;
        if (lacks_a_part && broken.empty() && examiner_.filesystem.target_status(path)) {
          broken = path;
        }
        if (error != EACCES || next.path.find('/') != std::string::npos) return error;
        if (walk_path(examiner_.filesystem, path, diagnosis_.question.who, {}).complete)
          return error;
        if (hidden.empty()) first = path;
        hidden.push_back(directory_of(path));
        return ENOENT;
      });
  if (found.error == ENOENT && !broken.empty()) return {broken, EACCES};
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
    judge_access(link, kRead, Code::read_denied, diagnosis_.question.who);
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

/// What execve gives for a candidate of a PATH search. A file of unknown format counts as found:
/// glibc's execvp hands it to /bin/sh.
int Inspection::attempt(const std::string& path, const std::string& directory) {
  Question question = diagnosis_.question;
  question.target = path;
  question.working_directory = directory;
  Inspection candidate(examiner_, question);
  candidate.execve_only_ = true;
  const Diagnosis answer = candidate.run();
  if (diagnosis_.unheard == 0) diagnosis_.unheard = answer.unheard;
  for (const Link& link : answer.chain) tried_.push_back(link.walk);
  for (const Finding& finding : answer.findings) {
    if (finding.severity != Severity::error || finding.error == 0) continue;
    if (finding.conditional && finding.hint != kSeenFromHere) continue;
    return finding.error == ENOEXEC ? 0 : finding.error;
  }
  return 0;
}

}  // namespace permguard
