// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "core/file_status.h"
#include "core/identity.h"

namespace permguard {

/// Which rule settled a question; public names in contract section 4.
enum class DecidedBy : std::uint8_t {
  owner,
  named_user,
  owning_group,
  named_group,
  mask,
  other,
  no_execute_bit,
  mount,
  format,
  interpreter,
  lsm,
  suexec,
  none
};

/// The public name: "owner", "named-user", "no-execute-bit", …
const char* name_of(DecidedBy decided_by);

/// The kernel's decision on one inode, and the entry that made it.
struct AccessDecision {
  bool allowed = false;
  DecidedBy by = DecidedBy::none;
  std::uint32_t entry_id = 0;          ///< uid or gid of the deciding named entry
  Permissions entry_perms = 0;         ///< what the deciding class or entry grants, before the mask
  Permissions mask = 7;                ///< the ACL's mask; 7 where there is none
  DecidedBy masked = DecidedBy::none;  ///< `by` mask: the kind of entry it cut: named_user,
                                       ///< owning_group, named_group
  bool by_capability = false;  ///< allowed by CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH, not by bits

  bool operator==(const AccessDecision&) const = default;
};

/// What generic_permission() of the Linux kernel (fs/namei.c, fs/posix_acl.c) answers for
/// `who` wanting all of `wanted` (bits of r=4, w=2, x=1) on an inode. Rules that surprise:
/// only one class is consulted, so an owner without a bit is refused though others have it;
/// an ACL is looked at only when the mode's group digit is not 0 (else a named user falls
/// through to the other class); several matching group entries grant only if one alone
/// grants all; CAP_DAC_OVERRIDE executes a regular file only if some class has x. Set-id and
/// sticky bits decide nothing here: they are about the new process and about deletion, inode(7).
/// For a refusal of execution on a regular file where no class has x, `by` is no_execute_bit.
/// `by` is mask where the entry grants and the mask takes away. Pure; never fails.
AccessDecision decide_access(const FileStatus& file, const std::optional<Acl>& acl,
                             const Identity& who, Permissions wanted);

}  // namespace permguard
