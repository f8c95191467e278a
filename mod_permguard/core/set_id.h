// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_status.h"
#include "core/identity.h"

namespace permguard {

/// Whether execve of the program `file` changes ids, where its mount and the process allow that:
/// setuid, or setgid together with the group's x bit (execve(2), inode(7)). Scripts never do.
bool has_set_id(const FileStatus& file);

/// The credentials of the program `file` once `caller` has executed it, its set-id bits being
/// honoured: bprm_fill_uid(), fs/exec.c. Supplementary groups stay. Capabilities follow the
/// effective user, who has them if it is root: capabilities(7). `name` stays the caller's. Pure.
Identity identity_after_exec(const Identity& caller, const FileStatus& file);

}  // namespace permguard
