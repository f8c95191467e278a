// SPDX-License-Identifier: Apache-2.0
#include "report/audit_metrics.h"

#include "report/metrics_text.h"

namespace permguard {
namespace {

using Type = MetricsText::Type;

void add_findings(MetricsText& text, const FindingCounts& counts) {
  text.family("permguard_audit_findings", Type::gauge, "", "Findings of the last audit.");
  for (const auto& [key, count] : counts) {
    const auto& [code, role, severity] = key;
    text.sample({{"code", name_of(code)}, {"role", name_of(role)}, {"severity", name_of(severity)}},
                count);
  }
}

}  // namespace

std::string audit_metrics(const AuditSummary& summary) {
  MetricsText text(MetricsFormat::openmetrics);
  text.family("permguard_audit_files", Type::gauge, "", "Files the last audit examined.");
  text.sample({}, summary.files);
  text.family("permguard_audit_unexamined", Type::gauge, "",
              "Files and directories the last audit could not examine.");
  text.sample({}, summary.unexamined);
  add_findings(text, summary.findings);
  text.family("permguard_audit_last_run_timestamp_seconds", Type::gauge, "seconds",
              "When the last audit ended.");
  text.sample({}, static_cast<std::uint64_t>(summary.finished));
  text.family("permguard_audit_duration_seconds", Type::gauge, "seconds",
              "How long the last audit took.");
  text.sample({}, summary.duration_seconds);
  return text.finish();
}

}  // namespace permguard
