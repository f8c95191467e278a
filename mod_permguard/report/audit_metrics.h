// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/finding.h"

namespace permguard {

/// What one audit run came to.
struct AuditSummary {
  std::uint64_t files = 0;
  std::uint64_t unexamined = 0;
  std::int64_t finished = 0;  ///< seconds since the epoch
  double duration_seconds = 0;
  const FindingCounts& findings;
};

/// The run as metrics for node_exporter's textfile collector: gauges only, so that the text is
/// valid OpenMetrics 1.0 and Prometheus text 0.0.4 at once. Labels are code, role and severity,
/// never a path.
std::string audit_metrics(const AuditSummary& summary);

}  // namespace permguard
