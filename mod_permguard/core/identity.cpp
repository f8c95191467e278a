// SPDX-License-Identifier: Apache-2.0
#include "core/identity.h"

#include <algorithm>

namespace permguard {

bool Identity::in_group(gid_t group) const {
  return group == gid || std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace permguard
