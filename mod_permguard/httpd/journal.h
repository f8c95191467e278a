// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/finding.h"
#include "httpd/apache.h"

namespace permguard {

// The only place that writes to the error log. Messages are plain bytes: httpd escapes them, so
// nothing here or before it may. All take the client from `r`.

/// A finding of severity error, or its repetition.
void log_finding(const request_rec* r, const std::string& sentence);

/// Drift or risk.
void log_warning(const request_rec* r, const std::string& sentence);

/// `recovered` and `exonerated`: left out where `LogLevel permguard:` says less than notice.
/// httpd itself would write every notice.
void log_notice(const request_rec* r, const std::string& sentence);

/// What the watch found, at the level of its severity, and what recovered; without a client.
void log_found(const server_rec* server, Severity severity, const std::string& sentence);
void log_notice(const server_rec* server, const std::string& sentence);

/// What an administrator may want to follow; left out unless `LogLevel` says info.
void log_info(const request_rec* r, const char* text);

/// Why a request was let through unjudged.
void log_debug(const request_rec* r, const std::string& text);

/// A fault of the module itself.
void log_internal_error(const char* what) noexcept;

/// Something that keeps the server from starting, or will harm it.
void log_startup_error(const server_rec* server, apr_status_t status, const char* text) noexcept;

/// Something of the configuration that will have no effect. `error`: an errno, or 0.
void log_startup_warning(const server_rec* server, int error, const char* text) noexcept;

}  // namespace permguard
