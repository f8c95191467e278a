// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checker.h"
#include "httpd/apache.h"

namespace permguard {

/// Explains a request that httpd itself answered with 403 because of the file system, so that no
/// script was dispatched: the directory walk ended early (AH00035, AH00037), .htaccess could not
/// be read (AH00529), a static file or a listing could not be opened (AH00132, AH01275), or a
/// DirectoryIndex was looked for in a directory that may not be searched. Every other 403 is left
/// alone. Of the 500s, one that mod_php gave for a page (xbithack) that it could not read. Reads
/// what httpd left in the request; asks the disk only if one of these fits.
void explain_refusal(request_rec* r);

/// The question that brought `finding` up, to be asked again about `who`. PATH, the working
/// directory and the certainty are the caller's.
Question question_again(const Finding& finding, const Identity& who);

/// Whether `answer` says nothing of `finding`, because the way to the target ends before at a
/// directory that may not be searched.
bool is_hidden(const Finding& finding, const Diagnosis& answer);

/// Its PATH: the one that was searched is what a command was not found in; of one that was found,
/// its directory is enough, before `otherwise`, which counts where PATH had no part in it. Another
/// request's may be another.
std::string search_path_again(const Finding& finding, const std::string& otherwise);

}  // namespace permguard
