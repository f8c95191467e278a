// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace permguard::test {

/// A tenant who exchanges names of his tree at full speed, each pair in a process of its own that
/// has become `user`, until the object is gone. Exchanging (renameat2(2)) leaves no moment without
/// a file.
class Renamer {
 public:
  Renamer(const std::string& user, const std::vector<std::pair<std::string, std::string>>& pairs);
  ~Renamer();
  Renamer(const Renamer&) = delete;
  Renamer& operator=(const Renamer&) = delete;

  /// How many renames there were so far.
  unsigned long renames() const { return *renames_; }

 private:
  std::atomic<unsigned long>* renames_;  ///< shared with the processes
  std::vector<pid_t> processes_;
};

/// How many renames a race is to see: PERMGUARD_RENAMES, else `usual`, which daily runs can bear.
unsigned long wanted_renames(unsigned long usual);

}  // namespace permguard::test
