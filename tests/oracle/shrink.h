// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "oracle/tree_plan.h"

namespace permguard::oracle {

/// Makes `plan` as small and ordinary as it can be while `still_fails` says true of it: drops
/// files, links and ACLs and makes rights and contents ordinary, one at a time, until nothing
/// more can go. `still_fails` must say false of a plan that cannot be built.
TreePlan shrink(TreePlan plan, const std::function<bool(const TreePlan&)>& still_fails);

}  // namespace permguard::oracle
