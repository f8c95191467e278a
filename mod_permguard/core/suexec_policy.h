// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/suexec.h"

namespace permguard {

/// The script as suexec sees it: a name in a working directory without links. Internal to core.
struct SuexecPlace {
  std::string directory;  ///< getcwd(3) of the script's directory; empty: it was not reached
  std::string script;     ///< `directory` and the script's last name
  std::optional<FileStatus> directory_status;
  std::optional<FileStatus> script_status;  ///< of the name itself, not of a link's target
};

SuexecPlace suexec_place(const Filesystem& filesystem, const std::string& script);

/// The directory of `target` that takes the document root's place for `~user`.
std::string suexec_userdir(const SuexecSettings& settings, const SuexecTarget& target);

/// The status a file has once the policy's remedies have been applied.
FileStatus conforming(FileStatus status, const Identity& owner, unsigned owner_bits);

/// heed_links() for findings about what stands on the way of `script`, or is named by it: suexec
/// itself sees only the directory without links in which it is started.
void heed_suexec_way(const Examiner& examiner, const std::string& script,
                     std::vector<Finding>& findings);

/// One run of judge_suexec_policy(): each member is one step of suexec, in its order. Internal to
/// core.
class SuexecPolicy {
 public:
  SuexecPolicy(const Examiner& examiner, const SuexecSettings& settings,
               const SuexecQuestion& question, const SuexecPlace& place)
      : examiner_(examiner), settings_(settings), question_(question), place_(place) {}

  std::vector<Finding> run();

 private:
  void judge_binary();
  void judge_armed(const Step& binary);
  void judge_log();
  void judge_caller();
  bool judge_config();  ///< whether there is a document root to go on with
  void judge_target();
  void judge_opening();
  void judge_docroot();
  void judge_return();
  void judge_location(const std::string& root);
  void judge_ancestors();
  void judge_directory();
  void judge_script();
  void judge_owner(const std::string& path, const FileStatus& status);
  void judge_search(const Walk& walk, const std::string& way);

  Finding& add(Code code, const std::string& path, const FileStatus* status = nullptr);
  void add_denial(Code code, const std::string& path, const FileStatus& status,
                  const std::optional<Acl>& acl, const AccessDecision& decision,
                  const Identity& who);
  void add_step(Finding& finding, FixStep::Kind kind, std::string spec);
  void add_handover(Finding& finding, const FileStatus& status);
  bool is_place(const std::string& path) const;
  bool may_be_given_away(const std::string& path) const;
  void limit_remedies();
  std::string docroot_path() const;
  std::string owner_spec() const;

  const Examiner& examiner_;
  const SuexecSettings& settings_;
  const SuexecQuestion& question_;
  const SuexecPlace& place_;
  std::vector<Finding> findings_;
};

}  // namespace permguard
