// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/audit_run.h"

namespace permguard::cli {

struct HttpdAudit {
  AuditOptions options;
  unsigned jobs = 1;
  bool as_asked = false;    ///< everything as the user of `rights`, as --as says, not as its own
  bool need_asked = false;  ///< every script for `options.need`, as --need says
};

/// Audits every place that the httpd of `apachectl` (a command line for sh) executes scripts from
/// or connects to, each as its own user, CGI scripts
/// that suexec runs by its policy too, in httpd's chroot and, where it runs (its PidFile tells),
/// in its mounts and with its PATH; with the place's handler rules, PermGuardForbid and
/// PermGuardExpect. A directory that does not exist is a warning. Throws CommandError where httpd
/// or its module cannot tell the places. A suexec whose settings cannot be read is unexamined.
void audit_httpd(AuditResult& result, const std::string& apachectl, const WhoseRights& rights,
                 const HttpdAudit& audit);

}  // namespace permguard::cli
