// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/checker.h"
#include "core/remedy.h"

namespace permguard {

/// What a file's permissions should be. What is not given does not matter.
struct DesiredState {
  std::optional<unsigned> mode;  ///< compared with mode & 07777
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  std::optional<std::optional<Acl>> acl;  ///< outer: given at all; inner nullopt: mode bits only
  std::optional<std::optional<Acl>> default_acl{};  ///< of a directory; inner nullopt: none

  bool empty() const { return !mode && !uid && !gid && !acl && !default_acl; }
  bool operator==(const DesiredState&) const = default;
};

/// The permissions of one file as they are.
struct ActualState {
  std::string path;  ///< link-free
  FileStatus file;
  std::optional<Acl> acl;
  std::optional<Acl> default_acl{};
};

/// The drift of `actual` from `desired`: mode-drift, owner-drift, group-drift, acl-drift, each with
/// the command that restores the desired value. With an ACL the mode's group digit is the mask
/// (acl(5)), so where an ACL is desired the mode is compared without it; where none is, as it will
/// be when the ACL is gone. Commands stand in the order in which they must run. `detail` is the
/// desired value. Pure but for `names`.
std::vector<Finding> drift_of(const Names& names, const std::string& target,
                              const ActualState& actual, const DesiredState& desired);

/// The finding for a file of the desired state that is gone.
Finding missing_finding(const std::string& target);

/// The finding for a file of the desired state in whose place something else stands: `actual`, a
/// link or a file of another type than `desired` (nullopt: a type that is not known). It has no
/// command: one would change what the link leads to, or give a directory the mode of a file.
Finding replaced_finding(const Names& names, const std::string& target, const ActualState& actual,
                         std::optional<FileType> desired);

/// What is restored may not be changed again by the repair of a permission, which would only be the
/// next drift: that one waits until the desired state stands, and is then asked for again. True for
/// a `step` of `finding` where another of `all` restores the same file.
bool waits_for_drift(const Finding& finding, const FixStep& step, std::span<const Finding> all);

/// The advice of a finding all of whose steps wait.
inline constexpr const char* kDesiredStateFirst =
    "restore the desired state of the file first, then ask again";

/// The mode that `setfacl -b` leaves: the group digit is then what the owning group's entry says,
/// so far as the mask let it.
unsigned mode_without_acl(unsigned mode, const std::optional<Acl>& acl);

/// Access and default ACL as one text: "u::rwx,g::r-x,o::---,d:u::rwx,d:g::r-x,d:o::---". "" stands
/// for neither.
struct AclPair {
  std::optional<Acl> access{};
  std::optional<Acl> fallback{};  ///< setfacl's default
};
std::string acl_pair_text(const AclPair& acls, const Names* names = nullptr);
std::optional<AclPair> parse_acl_pair(std::string_view text, const IdOfName& id_of_name);

/// What FixStep::Kind::restore_acl has in `spec` for a default ACL: "d:u::rwx,…", or "d:" for none.
std::string default_acl_spec(const std::optional<Acl>& acl, const Names* names = nullptr);

/// The text form of an ACL as setfacl(1) reads it after -m or --set:
/// "u::rwx,u:33:r-x,g::r-x,m::r-x,o::---". Names are those `names` gives, or numbers without it.
std::string acl_text(const Acl& acl, const Names* names = nullptr);

/// The ACL that such a text stands for, entries in the kernel's order; nullopt: not such a text, or
/// a name that `id_of_name` does not know.
std::optional<Acl> parse_acl_text(std::string_view text, const IdOfName& id_of_name);

}  // namespace permguard
