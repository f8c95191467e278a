// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

/// Explains a request that never reached a handler because a program of FcgidAccessChecker,
/// FcgidAuthenticator or FcgidAuthorizer cannot run: mod_fcgid.c then answers with 500. Without
/// effect where none is configured or all can run. Whether it has said something.
bool explain_fcgid_guards(request_rec* r);

}  // namespace permguard
