// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "support/process.h"

namespace permguard::test {

/// `puppet apply` of `manifest` with state of its own, so that several can run at once. Exit status
/// 0: nothing to change, 2: changed; else it failed.
ProcessResult puppet_apply(const std::string& manifest);

}  // namespace permguard::test
