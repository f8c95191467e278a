// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "support/process.h"
#include "tests/places.h"

namespace permguard::test {

/// `permguard explain` with `arguments`, as a shell starts it; `launcher` stands before it.
inline ProcessResult explain(std::vector<std::string> arguments, const ProcessOptions& options = {},
                             std::vector<std::string> launcher = {}) {
  launcher.insert(launcher.end(), {PERMGUARD_BUILD "/permguard", "explain"});
  launcher.insert(launcher.end(), arguments.begin(), arguments.end());
  return run(launcher, options);
}

/// Who starts it, and where.
inline ProcessOptions by_user(const std::string& user) {
  ProcessOptions options;
  options.user = user;
  return options;
}
inline ProcessOptions in_directory(const std::string& directory) {
  ProcessOptions options;
  options.directory = directory;
  return options;
}

}  // namespace permguard::test
