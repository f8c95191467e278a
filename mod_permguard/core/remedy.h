// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/file_status.h"
#include "core/finding.h"
#include "core/identity.h"

namespace permguard {

/// The least change that gives `who` all of `wanted` on one inode, by the rules of contract
/// section 3: no class has x on a regular file: `a+x`; the owner lacks it: `u+`; otherwise the
/// deciding class for a file's x, and a named ACL entry for search, read and where an ACL
/// decided. A named entry keeps what the user has now. With an existing mask the mask is given explicitly, with `-n`;
/// where that mask would widen another entry, or the file system has no ACLs and the class
/// would have to be widened to read, advice. `by_acl_possible` is false on a file system
/// without ACLs. Proven before it is returned: decide_access on the changed mode and ACL
/// allows `who`, and no other entry gains. `path` is link-free.
Remedy least_grant(const std::string& path, const FileStatus& file, const std::optional<Acl>& acl,
                   const Identity& who, Permissions wanted, bool acl_possible = true);

/// The remedy of a finding that is not a plain denial, from the catalogue, with its facts.
Remedy general_remedy(const Finding& finding);

}  // namespace permguard
