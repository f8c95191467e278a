// SPDX-License-Identifier: Apache-2.0
#include "support/puppet.h"

#include "support/temp_tree.h"

namespace permguard::test {

ProcessResult puppet_apply(const std::string& manifest) {
  const TempTree state;
  ProcessOptions options;
  options.timeout = std::chrono::seconds(100);
  return run({"puppet", "apply", "--detailed-exitcodes", "--confdir", state.path("conf"),
              "--vardir", state.path("var"), manifest},
             options);
}

}  // namespace permguard::test
