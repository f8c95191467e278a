// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "core/file_status.h"
#include "core/identity.h"

namespace permguard::test {

/// The short text form of acl(5) with numeric ids: "u::rwx,u:33:r-x,g::r--,m::r-x,o::---".
std::string acl_text(const Acl& acl);

/// Gives a real file this access ACL, by libacl. Throws std::system_error.
void set_real_acl(const std::string& path, const Acl& acl);

/// Calls `work` in a forked process whose ids and groups are exactly those of `who` (root only),
/// and returns what it returned: any bytes. Throws where that process could not finish.
std::string bytes_from(const Identity& who, const std::function<std::string()>& work);

}  // namespace permguard::test
