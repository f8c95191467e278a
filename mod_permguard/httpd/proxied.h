// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/checker.h"
#include "httpd/apache.h"
#include "httpd/config.h"
#include "httpd/engine.h"
#include "httpd/proxy_target.h"
#include "httpd/run_as.h"

namespace permguard {

/// Who reads the script of a proxied request: PermGuardRunAs, else the pool's user, else
/// unknown_reader(). Always modelled: it is another process, whose mounts and limits may differ.
Executor reader_of(const ProxyTarget& target, const DirectoryConfig& config);

/// The look at a proxied request. First the socket, as this process connects to it; the one that
/// is healthy gives way to the script, as the pool's user reads it. After a failure also whether
/// somebody listens: before dispatch no connection is ever made.
Diagnosis examine_proxied(request_rec* r, const ProxyTarget& target, const Identity& reader,
                          Moment moment);

/// The same question about a script that examine_proxied() asks, for an incident that stands.
Diagnosis examine_for_pool(const Question& question);

/// `question` as a process sees it whose root is the directory `root`; its target is named from
/// outside, as are the findings.
Diagnosis examine_in_jail(const std::string& root, const Question& question);

/// The question about the socket or port alone.
Question backend_question(request_rec* r, const ProxyTarget& target);

/// Whether `enforce` may answer `finding`, if it may answer such a one at all. What is missing
/// may come back by itself, a kept connection needs no socket, a balancer may have a better
/// backend, and one on TCP may see other files.
bool is_beyond_doubt(const ProxyTarget& target, const Finding& finding) noexcept;

}  // namespace permguard
