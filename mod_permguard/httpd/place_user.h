// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "httpd/discovery.h"

namespace permguard {

/// What a server says of who runs its scripts, read off its part of the tree.
struct ServerUsers {
  std::string suexec;                  ///< USER:GROUP of SuexecUserGroup
  std::string assigned;                ///< of mpm-itk's AssignUserID
  std::vector<std::string> user_dirs;  ///< UserDir, relative to a home directory: "public_html"
};

/// Takes in `node`, whose arguments are `words`, where it speaks of users.
void learn_users(const ap_directive_t& node, const std::vector<std::string>& words,
                 ServerUsers& users);

/// Names the one who will execute or read at `place`, whose other members are set: PermGuardRunAs,
/// AssignUserID, a WSGI daemon's user (`wsgi_group`: process-group= of its own, or empty), suexec's
/// for SuexecUserGroup or below a UserDir, else httpd's User.
void name_user(ScriptPlace& place, const DirectoryConfig& settings, const ServerUsers& users,
               const std::string& wsgi_group);

/// Makes `who` the one who will execute, read or connect.
void take_user(ScriptPlace& place, const Identity& who);

}  // namespace permguard
