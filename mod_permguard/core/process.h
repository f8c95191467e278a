// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "core/result.h"

namespace permguard {

/// A process, held by a descriptor of its directory in proc(5): all that is read through it is of
/// this process or an error (ESRCH), never of another that got its number meanwhile.
class Process {
 public:
  /// None.
  Process() = default;
  /// Errors: ENOENT no such process, else those of open(2).
  static Result<Process> open(pid_t pid);

  pid_t pid() const { return pid_; }
  /// The path of its file `name` ("status", "root", "ns/mnt"), good in this process only, as long
  /// as this object or a copy of it lives; without a name that of the directory.
  std::string path(const std::string& name = {}) const;

 private:
  pid_t pid_ = 0;
  std::shared_ptr<const int> descriptor_;
};

/// The first `most` bytes of a file of proc(5), which have no size. Empty where it cannot be read.
std::string read_proc(const std::string& path, std::size_t most = std::size_t{1} << 20);

}  // namespace permguard
