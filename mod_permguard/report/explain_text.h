// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/checker.h"

namespace permguard {

/// How a text for people is written.
struct TextStyle {
  bool colour = false;   ///< ANSI escapes, for a terminal
  std::int64_t now = 0;  ///< seconds since the epoch, for ages
};

/// `permguard explain` for one target: a line a component (mode, `+` for an ACL, owner, group,
/// name, links with ->, who may pass and what decided), the same for every file of the
/// interpreter chain, then the verdict (healthy, broken,
/// or undecided where core/unexamined.h says so) and the fix. Ends in a line end. Bytes that could
/// steer a terminal are written \xHH; only fix commands hold paths as a shell takes them.
std::string explain_text(const Diagnosis& diagnosis, const Names& names, const TextStyle& style);

/// "www-data (uid 33, gid 33, groups 33 112)".
std::string identity_words(const Identity& who);

/// `text` with \xHH for control characters and bytes that are not UTF-8, and backslashes doubled.
std::string printable(std::string_view text);

/// The same for text that a path is only a part of: its backslashes stay as they are.
std::string one_line(std::string_view text);

}  // namespace permguard
