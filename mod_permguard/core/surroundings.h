// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/checker.h"

namespace permguard {

/// The sentence's part for a mount that a service manager makes for one process: names the
/// mount and the systemd setting (systemd.exec(5): ProtectHome=, PrivateTmp=, NoExecPaths=,
/// InaccessiblePaths=). `file` is what lies at the culprit. Empty where the mount is an
/// ordinary one, or the process has no mounts of its own. Pure.
std::string sandbox_hint(const Surroundings& surroundings, Code code, const Mount& mount,
                         const FileStatus& file);

/// What is visible of a refusal that mode, ACL and mount do not explain: the labels of the
/// process and of `path`, a user namespace that does not map the owner, a seccomp filter;
/// "no visible reason" where nothing is.
std::string visible_reason(const Examiner& examiner, const std::string& path,
                           const FileStatus& file);

}  // namespace permguard
