// SPDX-License-Identifier: Apache-2.0
#include "oracle/identities.h"

namespace permguard::oracle {
namespace {

Identity ordinary(uid_t uid, gid_t gid, std::vector<gid_t> groups) {
  Identity who;
  who.uid = uid;
  who.gid = gid;
  who.groups = std::move(groups);
  who.name = "#" + std::to_string(uid);
  return who;
}

}  // namespace

std::vector<Identity> identities() {
  return {ordinary(kOwner, kOwner, {kOwner}),
          ordinary(kMember, kMember, {kMember, kTeam, kSecondTeam}),
          ordinary(kStranger, kStranger, {}), ordinary(kPrimary, kTeam, {}), current_identity()};
}

}  // namespace permguard::oracle
