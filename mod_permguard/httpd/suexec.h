// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/suexec.h"
#include "httpd/apache.h"
#include "httpd/engine.h"

namespace permguard {

/// Where httpd calls suexec.
inline constexpr const char* kSuexecBinary = SUEXEC_BIN;

/// post_config, as root: learns the settings of the installed suexec where some module names
/// users for it. Where that fails the log says so, and its policy is not judged.
void prepare_suexec(apr_pool_t* pconf, server_rec* server);

/// The settings of the installed suexec for a server that runs as `server`; its configuration file
/// is read anew through `filesystem`. nullopt: suexec is not used, or nothing is known of it.
std::optional<SuexecSettings> suexec_settings(const Filesystem& filesystem, const Identity& server);

/// Whether httpd hands the target of `r` to suexec. Calls the hook that httpd's own CGI modules
/// call.
const ap_unix_identity_t* suexec_identity(const request_rec* r);

/// The full look at a target that suexec shall run: `question` as for any target, its `who` the
/// target user. Where nothing is known of suexec, what that user needs.
Diagnosis examine_suexec(const Question& question, const SuexecTarget& target, Moment moment);

}  // namespace permguard
