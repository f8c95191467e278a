// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/access.h"
#include "core/identity.h"

namespace permguard::oracle {

/// Who may do what: every identity that a tree's entries tell apart, every file below a
/// directory, each right by itself.
class AccessMatrix {
 public:
  explicit AccessMatrix(const std::string& directory);

  /// What `after` gives or takes beyond what the shell commands `fix` say; "" if nothing.
  std::string beyond(const AccessMatrix& after, const std::string& fix) const;

 private:
  struct File {
    FileStatus status;
    std::vector<Permissions> rights;  ///< by identity
  };
  std::string change(const std::string& path, const File& before, const File& after,
                     const std::string& fix) const;

  std::vector<Identity> people_;
  std::map<std::string, File> files_;
};

}  // namespace permguard::oracle
