// SPDX-License-Identifier: Apache-2.0
//
// The functions below have the names and the order of their models in the Linux kernel:
// generic_permission() and acl_permission_check() in fs/namei.c, posix_acl_permission() in
// fs/posix_acl.c, so that the two can be read side by side.
#include "core/access.h"

#include <array>

namespace permguard {
namespace {

constexpr std::array kDecidedBy = {
    "owner", "named-user", "owning-group", "named-group", "mask",   "other", "no-execute-bit",
    "mount", "format",     "interpreter",  "lsm",         "suexec", "none"};
static_assert(std::size(kDecidedBy) == static_cast<std::size_t>(DecidedBy::none) + 1);

constexpr unsigned kAnyExecute = 0111;
constexpr unsigned kGroupDigit = 070;

using Tag = AclEntry::Tag;

bool has(Permissions granted, Permissions wanted) {
  return (granted & wanted) == wanted;
}

AccessDecision by_class(DecidedBy by, Permissions granted, Permissions wanted) {
  return {.allowed = has(granted, wanted), .by = by, .entry_perms = granted};
}

Permissions mask_of(const Acl& acl) {
  for (const AclEntry& entry : acl) {
    if (entry.tag == Tag::mask) return entry.perms;
  }
  return kRead | kWrite | kExecute;
}

DecidedBy class_of(Tag tag) {
  switch (tag) {
    case Tag::user:
      return DecidedBy::named_user;
    case Tag::group_obj:
      return DecidedBy::owning_group;
    case Tag::group:
      return DecidedBy::named_group;
    default:
      return DecidedBy::other;
  }
}

bool is_named(Tag tag) {
  return tag == Tag::user || tag == Tag::group;
}

AccessDecision by_entry(const AclEntry& entry, Permissions mask, Permissions wanted) {
  AccessDecision decision = by_class(class_of(entry.tag), entry.perms, wanted);
  decision.entry_id = is_named(entry.tag) ? entry.id : 0;
  decision.mask = mask;
  if (decision.allowed && !has(mask, wanted)) {
    decision.allowed = false;
    decision.masked = decision.by;
    decision.by = DecidedBy::mask;
  }
  return decision;
}

bool matches(const AclEntry& entry, const FileStatus& file, const Identity& who) {
  switch (entry.tag) {
    case Tag::user:
      return entry.id == who.uid;
    case Tag::group_obj:
      return who.in_group(file.gid);
    case Tag::group:
      return who.in_group(entry.id);
    default:
      return false;
  }
}

// The owner never gets here. The first matching user entry decides; of the group entries the
// first that grants everything; where none does, the first that matches is named as the cause.
AccessDecision posix_acl_permission(const FileStatus& file, const Acl& acl, const Identity& who,
                                    Permissions wanted) {
  const Permissions mask = mask_of(acl);
  const AclEntry* refusing_group = nullptr;
  for (const AclEntry& entry : acl) {
    if (entry.tag == Tag::other) {
      if (refusing_group != nullptr) return by_entry(*refusing_group, mask, wanted);
      return by_entry(entry, kRead | kWrite | kExecute, wanted);
    }
    if (!matches(entry, file, who)) continue;
    if (entry.tag == Tag::user || has(entry.perms, wanted)) return by_entry(entry, mask, wanted);
    if (refusing_group == nullptr) refusing_group = &entry;
  }
  return {};  // an ACL without an entry for others is damaged: EIO
}

// With an ACL whose mask is empty the group digit is 0 and the kernel goes by the mode alone;
// where the group's own entry grants, it is the mask that took it away.
AccessDecision by_group_digit(const FileStatus& file, const std::optional<Acl>& acl,
                              Permissions wanted) {
  if (acl) {
    for (const AclEntry& entry : *acl) {
      if (entry.tag == Tag::group_obj) return by_entry(entry, (file.mode >> 3) & 7, wanted);
    }
  }
  return by_class(DecidedBy::owning_group, (file.mode >> 3) & 7, wanted);
}

AccessDecision acl_permission_check(const FileStatus& file, const std::optional<Acl>& acl,
                                    const Identity& who, Permissions wanted) {
  if (file.uid == who.uid) return by_class(DecidedBy::owner, (file.mode >> 6) & 7, wanted);
  if (acl && (file.mode & kGroupDigit) != 0) return posix_acl_permission(file, *acl, who, wanted);
  if (who.in_group(file.gid)) return by_group_digit(file, acl, wanted);
  return by_class(DecidedBy::other, file.mode & 7, wanted);
}

bool capability_overrides(const FileStatus& file, const Identity& who, Permissions wanted) {
  const bool directory = file.type == FileType::directory;
  const bool only_looks = directory ? !(wanted & kWrite) : wanted == kRead;
  if (only_looks && who.dac_read_search) return true;
  const bool overridable = directory || !(wanted & kExecute) || (file.mode & kAnyExecute) != 0;
  return overridable && who.dac_override;
}

bool nobody_may_execute(const FileStatus& file, const AccessDecision& decision,
                        Permissions wanted) {
  return file.type == FileType::regular && (wanted & kExecute) != 0 &&
         (file.mode & kAnyExecute) == 0 && decision.by != DecidedBy::mask;
}

}  // namespace

const char* name_of(DecidedBy decided_by) {
  return kDecidedBy[static_cast<std::size_t>(decided_by)];
}

AccessDecision decide_access(const FileStatus& file, const std::optional<Acl>& acl,
                             const Identity& who, Permissions wanted) {
  AccessDecision decision = acl_permission_check(file, acl, who, wanted);
  if (decision.allowed || decision.by == DecidedBy::none) return decision;
  if (capability_overrides(file, who, wanted)) {
    decision.allowed = decision.by_capability = true;
  } else if (nobody_may_execute(file, decision, wanted)) {
    decision.by = DecidedBy::no_execute_bit;
  }
  return decision;
}

}  // namespace permguard
