// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "core/checker.h"

namespace permguard {

/// Whether the process whose directory of proc(5) is `process` has the caller's own `what`:
/// "ns/mnt", "ns/user", "ns/pid" or "root". Errors: those of stat(2), EACCES where the caller may
/// not look into the process.
Result<bool> shares_with(const std::string& process, const char* what);

/// The sentence's part for a mount that a service manager makes for one process: names the
/// mount and the systemd setting (systemd.exec(5): ProtectHome=, PrivateTmp=, NoExecPaths=,
/// InaccessiblePaths=). `mount` is where the culprit lies, or, where it is missing, its directory;
/// `file` what stands there. Empty where the mount does not explain the finding, or the process
/// has no mounts of its own. Pure.
std::string sandbox_hint(const Surroundings& surroundings, Code code, const std::string& culprit,
                         const Mount& mount, const FileStatus& file);

/// What is visible of a refusal that mode, ACL and mount do not explain: the labels of the
/// process and of `path` (SELinux; AppArmor's profile is a process label), a user namespace that
/// does not map the owner, a seccomp filter; "no visible reason" where nothing is. no_new_privs is
/// told beside it: it comes with sandboxes and by itself refuses no file (prctl(2)).
std::string visible_reason(const Examiner& examiner, const std::string& path,
                           const FileStatus& file);

}  // namespace permguard
