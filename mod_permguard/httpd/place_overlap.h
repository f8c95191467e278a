// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "httpd/discovery.h"

namespace permguard {

/// Whether both name the same files and ask the same of them.
bool is_asked_the_same(const ScriptPlace& one, const ScriptPlace& other);

/// Whether the same settings count for both, but for PermGuard's mode.
bool is_judged_alike(const ScriptPlace& one, const ScriptPlace& other);

/// Lets no two of `places` ask the same of one file, as where several virtual hosts share a
/// directory, an alias lies below another, or PermGuardWatch names what `auto` has found: one of
/// them `repeats` another, or leaves to it what both hold. Places where PermGuard is off stay
/// beside those where it is not. May add parts of places at the end.
void take_apart(std::vector<ScriptPlace>& places);

/// `places` but those where PermGuard is off, taken apart, without those that only repeat others.
std::vector<ScriptPlace> distinct_places(std::vector<ScriptPlace> places);

}  // namespace permguard
