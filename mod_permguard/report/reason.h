// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "core/finding.h"
#include "core/identity.h"

namespace permguard {

/// REASON with every path and name cut to `limit` bytes of the log; see reason() in sentence.h.
std::string reason_within(const Finding& finding, const Identity& who, std::size_t limit);

/// What decided a denial, as a predicate or clause that goes on after "mode 0700 (drwx------)
/// ann:ann": " gives search to its owner only", ", ACL entry group:web:r-x is cut to r-- by mask
/// r--". Empty for a finding that is no denial, or whose decision is not known.
std::string decision_words(const Finding& finding, const Identity& who, std::size_t limit);

/// "; changed WHEN (AGE ago)" of the culprit; for a directory "entries or mode changed". Empty for
/// missing files and mounts.
std::string changed_words(const Finding& finding, std::int64_t now);

}  // namespace permguard
