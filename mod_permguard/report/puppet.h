// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "core/finding.h"
#include "core/repair.h"

namespace permguard {

/// A Puppet manifest that makes `changes`: one resource a path, a `file` where the mode or the
/// owner is all, an `exec` of setfacl guarded by `unless` where an ACL is part of it (the guard
/// compares the whole ACL with the wanted one, so a second run changes nothing). Nothing recurses.
/// Findings of `remaining`, which no command repairs, stand as comments. Any path is safe: what
/// Puppet cannot hold as a title or attribute is written by printf(1) in an exec.
/// `whose`: whose rights were asked for, as comments.
std::string puppet_manifest(std::span<const Change> changes, std::span<const Finding> remaining,
                            const Names& names, std::span<const std::string> whose = {});

}  // namespace permguard
