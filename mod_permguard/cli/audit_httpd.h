// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/audit_run.h"

namespace permguard::cli {

/// Audits every place that the httpd of `apachectl` (a command line for sh) executes scripts from
/// or connects to, each as its own user, in httpd's chroot and, where it runs (its PidFile tells),
/// in its mounts and with its PATH; with the place's handler rules, PermGuardForbid and
/// PermGuardExpect. A directory that does not exist is a warning. Throws CommandError where httpd
/// or its module cannot tell the places.
void audit_httpd(AuditResult& result, const std::string& apachectl, const WhoseRights& rights,
                 const AuditOptions& options, unsigned jobs);

}  // namespace permguard::cli
