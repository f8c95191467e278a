// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "support/process.h"
#include "tests/places.h"

namespace permguard::test {

/// `permguard` with `arguments`, as a shell starts it.
inline ProcessResult permguard(std::vector<std::string> arguments,
                               const ProcessOptions& options = {}) {
  arguments.insert(arguments.begin(), PERMGUARD_BUILD "/permguard");
  return run(arguments, options);
}

}  // namespace permguard::test
