// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/identity.h"

namespace permguard::oracle {

/// Users and groups of the random trees. None needs an entry in the user data base.
inline constexpr uid_t kOwner = 53001;     ///< owns files
inline constexpr uid_t kMember = 53002;    ///< in kTeam through a supplementary group
inline constexpr uid_t kStranger = 53003;  ///< everybody else
inline constexpr uid_t kPrimary = 53004;   ///< kTeam is the primary group
inline constexpr gid_t kTeam = 53100;
inline constexpr gid_t kSecondTeam = 53200;  ///< kMember is in it too

/// Everybody the oracle asks for: the four above and root with the capabilities it has here.
std::vector<Identity> identities();

/// "#uid" and "#gid": no look-up, so that thousands of cases stay fast.
class NumberNames : public Names {
 public:
  std::string user(uid_t uid) const override { return "#" + std::to_string(uid); }
  std::string group(gid_t gid) const override { return "#" + std::to_string(gid); }
};

}  // namespace permguard::oracle
