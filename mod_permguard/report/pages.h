// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "incidents/status.h"

namespace permguard {

/// The HTML page for people and the policy that allows just its own style and script.
struct HtmlPage {
  std::string body;
  std::string content_security_policy;  ///< hashes of the inline style and script, no unsafe-inline
};

/// `refresh`: seconds of `?refresh=N` (sent as the Refresh header by the caller; shown here).
/// `self`: the page's own URL path, for its links. Every byte from outside is escaped.
HtmlPage status_page(const StatusSnapshot& snapshot, std::optional<int> refresh,
                     const std::string& self);

/// `?auto`: `Key: value` lines as in mod_status.
std::string status_auto(const StatusSnapshot& snapshot);

/// permguard's part of mod_status' page, without style, script or path: a heading and a short
/// table, or a list for `?notable`.
std::string status_section(const StatusSnapshot& snapshot, bool tables);

/// Prometheus text 0.0.4, or OpenMetrics 1.0 text.
enum class MetricsFormat { prometheus, openmetrics };
std::string status_metrics(const StatusSnapshot& snapshot, MetricsFormat format);

/// The format an `Accept` header asks for, by quality as Prometheus sends it; prometheus where
/// it is absent or names neither.
MetricsFormat negotiate_metrics(const char* accept);
const char* content_type(MetricsFormat format);

}  // namespace permguard
