// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace permguard {

/// `text` for an HTML attribute between double quotes, kept exactly (bytes outside UTF-8 become
/// U+FFFD): what is copied is what was meant.
std::string html_exact(std::string_view text);

/// `text` for people: markup is escaped, and what cannot be seen or would turn the line round is
/// made visible — control characters as U+2400 pictures, invisible and bidirectional ones as
/// [U+202E].
std::string html_visible(std::string_view text);

}  // namespace permguard
