// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/identity.h"
#include "oracle/playground.h"
#include "oracle/tree_plan.h"

namespace permguard::oracle {

/// A shell script for root that mounts what `plan` needs in a mount namespace of its own, builds
/// the tree, runs `target` as `who` and asks `permguard explain` for the same: a failing case to
/// take away.
std::string repro_script(const TreePlan& plan, const Playground& ground, const std::string& target,
                         const Identity& who);

}  // namespace permguard::oracle
