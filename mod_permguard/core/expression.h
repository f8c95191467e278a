// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace permguard {

/// Whether `text` fits `expression`, which is one of Perl's, as httpd reads them, without what only
/// PCRE knows: lookaround, \Q, flags but (?i) at the begin. One that has such a part, is none, or
/// is nested or repeated beyond measure, fits every text: who chooses files by it rather looks at
/// one too many. Asks regcomp(3).
bool matches(const std::string& text, const std::string& expression);

/// Whether what `expression` matches may hold a slash, so that it can be several components of a
/// path. By its atoms: where they cannot be told apart, true.
bool may_hold_slash(const std::string& expression);

}  // namespace permguard
