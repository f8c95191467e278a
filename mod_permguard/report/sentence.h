// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/identity.h"
#include "core/shell_word.h"

namespace permguard {

/// A log sentence is at most this many bytes; longer paths are cut in the middle with "...".
inline constexpr std::size_t kMaxSentence = 2048;

/// The error log's sentence (contract, section 3) for all findings of one target, the first
/// leading, the others after "; also". `now`: seconds since the epoch, for the age of the
/// change. Control characters and bytes outside UTF-8 are left as they are for the error log to
/// escape, except that fix commands are already pasteable. Findings of severity warning or drift
/// use the form `CODE: 'TARGET': REASON; fix: …`. Never empty unless `findings` is.
std::string log_sentence(std::span<const Finding> findings, const Identity& who, std::int64_t now);

/// REASON alone: the culprit where it is not the target, its octal and symbolic mode, owner and
/// group, and what decided.
std::string reason(const Finding& finding, const Identity& who);

/// "[ROLE-]CODE": "not-executable", "interpreter-not-found".
std::string tag(const Finding& finding);

/// `recovered: TAG 'TARGET' after 3m12s, 4213 requests affected`.
std::string recovered_sentence(const Finding& finding, std::int64_t after_seconds,
                               std::uint64_t requests);

/// `TAG: 'TARGET' still failing, 4213 more requests in 61 s`.
std::string repeat_sentence(const Finding& finding, std::uint64_t requests,
                            std::int64_t in_seconds);

/// Why a request failed although its script passed.
enum class FailureCause { no_headers, timeout, answered, other };
const char* name_of(FailureCause cause);

/// `exonerated: USER can execute 'TARGET'; the request failed with status 500: CAUSE`.
std::string exonerated_sentence(std::string_view user, Need need, std::string_view target,
                                int status, FailureCause cause);

/// A duration in its two largest units of d h m s: "3d4h", "1m48s", "0s".
std::string age_words(std::int64_t seconds);

/// RFC 3339 in UTC with whole seconds: "2023-11-05T09:58:12Z".
std::string rfc3339(std::int64_t seconds);

/// The mode as ls(1) shows it: "drwx------".
std::string symbolic_mode(const FileStatus& file);

/// The commands of a remedy, exactly as sh runs them, whatever bytes the path holds.
std::vector<std::string> exact_commands(const Remedy& remedy);

/// The commands as they may stand in a log line: a path with a backslash or a byte outside
/// 0x20–0x7E becomes `find 'DIR' -maxdepth 1 -inum N -exec … {} +`. Joined by " && "; the
/// advice where there are none. Below a DIR that cannot be pasted either, find starts
/// further up. Where the inode is not known, words.
std::string pasteable_fix(const Remedy& remedy);

}  // namespace permguard
