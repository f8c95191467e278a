// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "oracle/tree_plan.h"

namespace permguard::oracle {

/// Where the trees stand: three small file systems below a fresh directory of /tmp, mounted in
/// a mount namespace of this process's own, so that they vanish with it however it ends.
class Playground {
 public:
  Playground();
  ~Playground();
  Playground(const Playground&) = delete;
  Playground& operator=(const Playground&) = delete;

  /// Empty where everything stands; else what this machine forbids.
  const std::string& obstacle() const { return obstacle_; }

  /// Directories on a plain, a noexec and a nosuid mount; trees are built inside.
  const std::string& plain() const { return plain_; }
  const std::string& noexec() const { return noexec_; }
  const std::string& nosuid() const { return nosuid_; }

  /// Removes what the last tree left and builds `plan`. Throws std::runtime_error naming the
  /// file that could not be made.
  void build(const TreePlan& plan) const;
  void clear() const;

 private:
  void mount_all();

  std::string base_, plain_, noexec_, nosuid_, obstacle_;
};

}  // namespace permguard::oracle
