// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/result.h"

namespace permguard {

/// Who executes: the credentials the kernel compares with a file (credentials(7)), as a value.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups{};  ///< supplementary groups, sorted; may or may not hold `gid`
  std::string name{};           ///< login name, or "#uid" where the user data base has none
  bool dac_override =
      false;  ///< effective CAP_DAC_OVERRIDE (capabilities(7)); uid 0 normally has it
  bool dac_read_search = false;  ///< effective CAP_DAC_READ_SEARCH

  /// Whether `group` is the primary or a supplementary group.
  bool in_group(gid_t group) const;
  bool operator==(const Identity&) const = default;
};

/// Names of users and groups. A seam: the system's answers may come from LDAP and block.
class Names {
 public:
  virtual ~Names() = default;
  /// The login name of `uid`, or "#" and the number where there is none.
  virtual std::string user(uid_t uid) const = 0;
  /// The name of `gid`, or "#" and the number where there is none.
  virtual std::string group(gid_t gid) const = 0;
  /// Whether `gid` is the private group of `uid`, in which nobody else is: his primary group, of
  /// his name, without other members, as pam_umask(8) has it for `usergroups`. False in doubt.
  virtual bool is_private_group(gid_t gid, uid_t uid) const;
};

/// Answers of the name service switch, getpwuid_r(3) and getgrgid_r(3); thread-safe, not cached.
class SystemNames : public Names {
 public:
  std::string user(uid_t uid) const override;
  std::string group(gid_t gid) const override;
  bool is_private_group(gid_t gid, uid_t uid) const override;
};

/// The identity that `spec` names: `USER`, `USER:GROUP`, `#uid`, `#uid:#gid`, or numbers.
/// Groups are those of the user in the group data base (getgrouplist(3)); a GROUP given only
/// replaces the primary group, as httpd's `Group` does. A bare `#uid` without a passwd entry
/// has gid = uid's number only if GROUP is given, else 65534 (nogroup).
/// Errors: ENOENT unknown user or group, EINVAL malformed, else what the name service said.
Result<Identity> lookup_identity(const std::string& spec);

/// The effective credentials of the calling thread: geteuid(2), getegid(2), getgroups(2),
/// capget(2). Never fails.
Identity current_identity();

/// The effective credentials of process `pid` as they are now (proc(5), status: Uid, Gid,
/// Groups, CapEff): groups are those it was started with, which may be fewer than the group
/// data base has today. Errors: ENOENT no such process, EACCES.
Result<Identity> process_identity(pid_t pid);
/// The same of the process whose directory of proc(5) is `directory`: Process::path().
Result<Identity> process_identity(const std::string& directory);

}  // namespace permguard
