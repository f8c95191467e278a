// SPDX-License-Identifier: Apache-2.0
#include "core/identity.h"

#include <algorithm>

namespace permguard {

bool Identity::in_group(gid_t group) const {
  return group == gid || std::find(groups.begin(), groups.end(), group) != groups.end();
}

bool Names::is_private_group(gid_t, uid_t) const {
  return false;
}

}  // namespace permguard
