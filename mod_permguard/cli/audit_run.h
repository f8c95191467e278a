// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "cli/desired_roots.h"
#include "cli/progress.h"
#include "cli/whose_rights.h"
#include "core/audit.h"
#include "core/link_free.h"
#include "report/audit_metrics.h"
#include "report/json.h"

namespace permguard::cli {

/// What was found for one user.
struct UserFindings {
  Identity who;
  std::string words;  ///< whose rights these are, and why
  std::vector<Finding> findings;
};

/// What an audit came to. Findings and unexamined paths beyond kMaxKept are counted, not kept.
struct AuditResult {
  std::uint64_t checked = 0;                 ///< files, each once
  std::unordered_set<std::string> compared;  ///< those of them that a desired state holds
  std::vector<UserFindings> users;
  std::uint64_t kept = 0;  ///< findings of all users
  FindingCounts counts;    ///< of all findings
  std::uint64_t left_out = 0;
  std::vector<Unexamined> unexamined;
  std::uint64_t unexamined_left_out = 0;
  std::vector<std::string> added;  ///< files a desired state lacks
  std::vector<PresentRoot> moved;  ///< its roots that are not what they were
  double seconds = 0;
  bool may_repeat = false;  ///< what is audited overlaps: nothing is told or counted again
  std::unordered_set<std::size_t> heard;  ///< then, hashes of what was

  /// Where the findings for `rights` belong, an index of `users`.
  std::size_t user(const WhoseRights& rights);
  void keep(std::size_t user, Finding finding);
  /// Whether `what` was not asked about before.
  bool is_new(const std::string& what);
  void keep(Unexamined path);
  /// Each user's by target; the findings of one target stay in their order.
  void sort();
  /// Where a file has drift, the repairs of its other findings wait for that of the drift.
  void let_drift_go_first();
  /// Whether a finding of severity error or drift is among all of them.
  bool fails() const;
};

inline constexpr std::size_t kMaxKept = 100'000;

/// Hears an audit, and on a terminal shows on standard error how far it is.
class AuditCollector : public AuditSink {
 public:
  AuditCollector(AuditResult& result, const WhoseRights& rights)
      : result_(result), rights_(rights), user_(result.user(rights)) {}
  ~AuditCollector() override;

  void examined(const std::string& path, std::vector<Finding> findings) override;
  void unexamined(const std::string& path, int error) override;
  void truncated(const std::string&) override {}  // this audit has no limit
  bool go_on() override;

 private:
  AuditResult& result_;
  const WhoseRights& rights_;
  std::size_t user_;
  Progress progress_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// The seams of an audit of the trees `tops` as `rights`: what it looks at, and with whose eyes.
struct AuditSeams {
  AuditSeams(const WhoseRights& rights, const std::vector<std::string>& tops);
  Auditor auditor() const;
  Examiner examiner(const Kernel* kernel) const;

  const WhoseRights& rights;
  TreeFilesystem filesystem;
  SystemNames names;
  Surroundings surroundings;
};

/// Audits `roots` as `rights` says; each file by a judge of `make_judge`, where there is one.
void audit_trees(AuditResult& result, const std::vector<std::string>& roots,
                 const WhoseRights& rights, const AuditOptions& options, unsigned jobs,
                 JudgeFactory make_judge = {});

}  // namespace permguard::cli
