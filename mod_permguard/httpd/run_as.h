// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/finding.h"
#include "core/identity.h"
#include "core/suexec.h"
#include "httpd/apache.h"
#include "httpd/config.h"
#include "httpd/target.h"

namespace permguard {

/// Who will execute or read a request's target.
struct Executor {
  const Identity* who = nullptr;             ///< lives at least as long as the request
  Certainty certainty = Certainty::certain;  ///< certain: it is the calling process itself
  const SuexecTarget* suexec = nullptr;      ///< set where suexec changes to `who`

  bool certain() const { return certainty == Certainty::certain; }
};

/// The executor of `target`: PermGuardRunAs, else whom its dispatcher would use: suexec's user, a
/// WSGI daemon's, a process that httpd has forked ahead, or the child itself. In the plain case
/// this allocates nothing. `who` is null where a user that httpd names cannot be looked up, or
/// where only the request itself will tell: then nothing can be said.
Executor executor_of(request_rec* r, const Target& target, const DirectoryConfig& config);

/// The child process itself, with the credentials it has now.
Executor this_process(request_rec* r);

/// Whether `who` has the credentials of the calling process.
bool is_this_process(const Identity& who) noexcept;

/// PATH as a CGI script of `r` gets it: from the request's environment, the server's, or the
/// server's built-in default (ap_add_common_vars()). Never null.
const char* search_path_of(const request_rec* r) noexcept;

/// The same without a request: the server's, or its built-in default.
const char* search_path_of() noexcept;

/// PATH as the program gets it that is started for `target`. FastCGI programs get nothing of the
/// request's environment.
const char* search_path_of(const request_rec* r, const Target& target) noexcept;

/// PATH as `handler` gives it to `program` in `server`, when no request has added to it.
const char* search_path_for(Handler handler, const server_rec* server,
                            const char* program) noexcept;

}  // namespace permguard
