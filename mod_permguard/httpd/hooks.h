// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

// The hooks of the module, as mod_permguard.cpp registers them. They may throw.

/// handler, before every other: judges the target.
int check_request(request_rec* r);

/// log_transaction: explains what failed.
int explain_request(request_rec* r);

/// Has a part of a page explained once it is over, which no hook of httpd tells. `r` is a
/// sub-request with a trace.
void explain_when_over(request_rec* r);

/// insert_error_filter: httpd itself, not the script, answers with an error page.
void note_canned_answer(request_rec* r);

/// post_read_request: explains a failed request to the ErrorDocument that is about to run.
int explain_to_error_document(request_rec* r);

/// handler: the page permguard-status.
int serve_status(request_rec* r);

/// status_hook of mod_status: a section of its page, or lines of its ?auto. `flags` are
/// mod_status's.
int add_to_server_status(request_rec* r, int flags);

}  // namespace permguard
