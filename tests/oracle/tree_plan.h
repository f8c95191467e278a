// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace permguard::oracle {

/// One file of a tree, as a value. Paths are absolute.
struct PlannedFile {
  enum class Kind { directory, regular, link, fifo };
  Kind kind = Kind::regular;
  std::string path;
  unsigned mode = 0755;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string acl;      ///< short text form of acl(5); empty: mode bits only
  std::string content;  ///< a file's bytes, a link's text
};

/// A tree and what to run in it: all that is needed to build it again elsewhere or to write it
/// down as a shell script.
struct TreePlan {
  std::vector<PlannedFile> files;    ///< parents before children
  std::vector<std::string> targets;  ///< absolute, links and ".." allowed
  std::string search_path;           ///< PATH the scripts get
};

}  // namespace permguard::oracle
