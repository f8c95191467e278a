// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/file_status.h"
#include "core/filesystem.h"
#include "core/finding.h"
#include "core/identity.h"

namespace permguard {

/// The least change that gives `who` all of `wanted` on one inode, by the rules of contract
/// section 3: no class has x on a regular file: `a+x`; the owner lacks it: `u+`; otherwise the
/// deciding class for a file's x, where the file system has no ACLs (`acl_possible` false), and
/// where the class gives the user w; else a named ACL entry. That keeps what the user has now, and
/// so would have to name a w that another entry gives: then advice. With an existing mask the mask
/// is given explicitly, with `-n`; where that mask would change what others may, advice. No step
/// adds a write bit: where `wanted` holds a missing w, advice. None ends at 0777 (but for a sticky
/// directory): then `o-w` is added to it. Proven before it is returned: decide_access on the
/// changed mode and ACL allows `who`, and nobody gains but by the class a chmod names. `path` is
/// link-free. Empty where `who` has everything already.
///
/// Ask once for all that `who` lacks on this inode: steps computed one by one may undo each
/// other, since a named entry replaces what the classes give.
Remedy least_grant(const std::string& path, const FileStatus& file, const std::optional<Acl>& acl,
                   const Identity& who, Permissions wanted, bool acl_possible = true);

/// The remedy of a finding that is not a plain denial, from the catalogue, with its facts. A
/// step where a mode bit or owner is the cause, else advice: lower case, without a full stop
/// and without the finding's path.
Remedy general_remedy(const Finding& finding);

/// Makes advice of the remedy where it would change a file that is_immutable(): the commands would
/// fail, for root too (chattr(1), inode flags).
void heed_immutability(const Filesystem& filesystem, Finding& finding);

/// All of an inode that chmod and setfacl change.
struct Rights {
  unsigned mode = 0;
  std::optional<Acl> acl{};

  bool operator==(const Rights&) const = default;
};

/// The uid (Tag::user) or gid (Tag::group) that a name in a step stands for.
using IdOfName = std::function<std::optional<std::uint32_t>(AclEntry::Tag, std::string_view)>;

/// What chmod(1) or setfacl(1), run as `step` says, makes of `rights`: with an ACL the mode's
/// group digit is the mask; setfacl without keep_mask and without a mask in `spec` sets the mask
/// to the union of what it limits. Numbers in `spec` are ids and are not looked up. Nullopt: a
/// chown, an unknown name, or a spec in a form that this program does not write. Pure.
std::optional<Rights> apply_step(const FixStep& step, const Rights& rights,
                                 const IdOfName& id_of_name);

}  // namespace permguard
