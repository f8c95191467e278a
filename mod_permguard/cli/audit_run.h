// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/whose_rights.h"
#include "core/audit.h"
#include "report/audit_metrics.h"
#include "report/json.h"

namespace permguard::cli {

/// What an audit came to. Findings and unexamined paths beyond kMaxKept are counted, not kept.
struct AuditResult {
  std::uint64_t checked = 0;
  std::vector<Finding> findings;
  FindingCounts counts;  ///< of all findings
  std::uint64_t left_out = 0;
  std::vector<Unexamined> unexamined;
  std::uint64_t unexamined_left_out = 0;
  std::vector<std::string> added;  ///< files a desired state lacks
  double seconds = 0;

  void keep(Finding finding);
  void keep(Unexamined path);
  /// By target; the findings of one target stay in their order.
  void sort();
  /// Whether a finding of severity error or drift is among all of them.
  bool fails() const;
};

inline constexpr std::size_t kMaxKept = 100'000;

/// Hears an audit, and on a terminal shows on standard error how far it is.
class AuditCollector : public AuditSink {
 public:
  explicit AuditCollector(AuditResult& result) : result_(result) {}
  ~AuditCollector() override;

  void examined(const std::string& path, std::vector<Finding> findings) override;
  void unexamined(const std::string& path, int error) override;
  void truncated(const std::string&) override {}  // this audit has no limit
  bool go_on() override;

 private:
  AuditResult& result_;
  Progress progress_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// The seams of an audit as `rights`: what it looks at, and with whose eyes.
struct AuditSeams {
  explicit AuditSeams(const WhoseRights& rights);
  Auditor auditor() const;
  Examiner examiner(const Kernel* kernel) const;

  const WhoseRights& rights;
  SystemFilesystem filesystem;
  SystemNames names;
  Surroundings surroundings;
};

/// Audits `roots` as `rights` says.
void audit_trees(AuditResult& result, const std::vector<std::string>& roots,
                 const WhoseRights& rights, const AuditOptions& options, unsigned jobs);

}  // namespace permguard::cli
