// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/chain.h"
#include "core/checker.h"
#include "core/lead.h"

namespace permguard {

/// One run of diagnose(): walks, judges, asks the kernel, follows the chain. Internal to core.
class Inspection {
 public:
  Inspection(const Examiner& examiner, const Question& question);
  Diagnosis run();

  /// Walks that had a part in the findings and are not in the chain: commands that were tried.
  const std::vector<Walk>& other_walks() const { return tried_; }

 private:
  /// A file of the chain to be executed, and how it came to be there.
  struct Candidate {
    Role role = Role::script;
    std::string path;
    unsigned depth = 0;  ///< interpreters gone through in this execve
    std::size_t named_by = Link::kNamedByQuestion;
  };

  void examine_plain(Need need);
  void judge_address();
  void execute(const Candidate& candidate, const ExecContext& context);
  bool judge_program(const Link& link, std::size_t first);
  Link reach(Role role, const std::string& path, const std::string& directory,
             std::size_t named_by = Link::kNamedByQuestion);
  bool judge_type(const Link& link, FileType wanted, Code otherwise);
  void judge_access(const Link& link, Permissions wanted, Code denied, const Identity& who);
  void judge_mount(const Link& link);
  void read_format(Link& link);
  bool may_quote(const Link& link) const;
  void withhold(const Link& link, std::size_t place, std::size_t first);
  void judge_format(const Link& link);
  void judge_capabilities(const Link& link);
  Finding& add_format_fault(Code code, const Link& link, const std::string& detail, int error);
  const Link* program_beyond(std::size_t place) const;
  bool gains_rights(const Link& program) const;
  bool honours_gains(const Link& program) const;
  void judge_script_read(const Link& link, std::size_t place);
  void judge_read_by(const Link& reader, Link script);
  void follow(const Link& link, const Candidate& from, const ExecContext& context);
  void follow_loader(const Link& program, const std::string& path, const ExecContext& context);
  void follow_interpreter(const Link& script, const NextFile& next, const Candidate& from,
                          const ExecContext& context);
  void follow_env(const Link& script, const std::string& name, const ExecContext& context);
  bool run_envs(const Link& script, const std::string& name, const ExecContext& context);
  bool run_by_env(const Link& script, const NextFile& next);
  void refuse_env(const Link& script, const NextFile& next, const std::vector<std::string>& hidden);
  bool changes_directory(const Link& script, const std::string& name, const NextFile& next);
  CommandLookup look_up(const NextFile& next, std::vector<std::string>& hidden);
  void execute_by_env(const Candidate& command, const ExecContext& context);
  bool is_text(const Finding& finding, std::size_t place) const;
  int attempt(const std::string& path, const std::string& directory);
  void leave_to_process(std::size_t first, const Walk& walk);
  bool is_missing_since(std::size_t first) const;

  Finding& add(Code code, const Link& link);
  void add_walk_faults(const Link& link, const Identity& who);
  void place(Finding& finding, const FileStatus& file);
  Certainty certainty_of(Code code) const;
  void doubt_denials();
  void join_remedies(const Link& link, Finding& read);
  void add_hint(Finding& finding, const std::string& nearest, const FileStatus& file) const;
  void remedy_denial(Finding& finding, const Link& link, const Step& step, Permissions wanted,
                     const Identity& who);
  std::vector<Lead> leads_to(const Link& link, const Finding& finding) const;
  std::size_t place_of(const Link& link) const;
  bool runs_others(const Finding& finding) const;
  void share_remedies();
  void limit_remedies();

  KernelAnswer heard(const KernelAnswer& answer, Permissions wanted, std::size_t first);
  KernelAnswer ask_execution(const Link& link, std::size_t first);
  /// Lets the kernel's answer decide over the findings from `first` on.
  void ask_kernel(const Link& link, std::size_t first, Permissions wanted, bool execution);
  void add_refusal(const Link& link, const KernelAnswer& answer);

  const Examiner& examiner_;
  Diagnosis diagnosis_;
  std::vector<Walk> tried_;
  bool execve_only_ = false;  ///< what the kernel answers, not what becomes of an interpreter
};

}  // namespace permguard
