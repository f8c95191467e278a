// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/whose_rights.h"
#include "core/audit.h"
#include "report/json.h"

namespace permguard::cli {

/// What an audit came to. Findings beyond kMaxKept are counted, not kept.
struct AuditResult {
  std::uint64_t checked = 0;
  std::vector<Finding> findings;
  std::uint64_t left_out = 0;
  std::vector<Unexamined> unexamined;
  std::vector<std::string> truncated;
  std::vector<std::string> added;  ///< files a desired state lacks
  double seconds = 0;
};

inline constexpr std::size_t kMaxKept = 100'000;

/// Hears an audit, and on a terminal shows on standard error how far it is.
class AuditCollector : public AuditSink {
 public:
  explicit AuditCollector(AuditResult& result);
  ~AuditCollector() override;

  void examined(const std::string& path, std::vector<Finding> findings) override;
  void unexamined(const std::string& path, int error) override;
  void truncated(const std::string& directory) override;

 private:
  using Clock = std::chrono::steady_clock;
  void show_progress();

  AuditResult& result_;
  bool terminal_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point shown_ = Clock::now();
};

/// Audits `roots` as `rights` says.
void audit_trees(AuditResult& result, const std::vector<std::string>& roots,
                 const WhoseRights& rights, const AuditOptions& options, unsigned jobs);

/// Audits every place that the httpd of `apachectl` (a command line for sh) executes scripts from
/// or connects to, each as its own user; `rights` is for its PATH only. Throws CommandError where
/// httpd or its module cannot tell the places.
void audit_httpd(AuditResult& result, const std::string& apachectl, const WhoseRights& rights,
                 const AuditOptions& options, unsigned jobs);

}  // namespace permguard::cli
