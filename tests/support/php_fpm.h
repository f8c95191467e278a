// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/temp_tree.h"

namespace permguard::test {

/// What a pool file says. Paths are absolute.
struct FpmPoolOptions {
  std::string listen;           ///< a socket's path or ADDRESS:PORT
  std::string mode = "0666";    ///< of the socket
  std::string user = "nobody";  ///< whose group is nogroup
  std::string chroot{};
};

/// Writes a pool file for Debian's user nobody; its path.
std::string write_pool(TempTree& tree, const std::string& relative, const FpmPoolOptions& pool);

/// A private PHP-FPM in the foreground, as root, of one pool file; ended with the object.
class PhpFpm {
 public:
  /// Starts it, with further `settings` of php.ini, and waits until somebody listens. Throws, with
  /// its log, where nobody does.
  PhpFpm(TempTree& tree, const std::string& pool_file, const std::string& listen,
         const std::vector<std::string>& settings = {});
  void stop() { child_.reset(); }

  /// Whether Debian's package is installed.
  static bool installed();

 private:
  std::unique_ptr<Child> child_;
};

}  // namespace permguard::test
