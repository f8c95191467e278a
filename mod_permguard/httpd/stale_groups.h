// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checker.h"
#include "httpd/apache.h"

namespace permguard {

/// Where the group data base by now gives the user of `diagnosis` a group that would let him
/// pass, and this process, which started before, lacks it: the remedy becomes a restart of httpd,
/// for no chmod is needed. For denials of the calling process's own identity. Asks the name
/// service, so after a refusal only.
void advise_restart(Diagnosis& diagnosis);

}  // namespace permguard
