// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oracle/dice.h"

namespace permguard::oracle {

/// What a script does after its first line: it opens every file it was handed, as an
/// interpreter does with its script, then prints the marker: a header that ends, so that it is a
/// CGI answer too.
std::string script_body();

/// The bytes of the helper programs (tests/oracle/helper), read once.
struct Programs {
  std::string fixed;    ///< static, ET_EXEC
  std::string movable;  ///< static, ET_DYN: also serves as a loader
  std::string dynamic;  ///< with the system's own loader
  std::string large;    ///< a program of the system, to be cut where whole pages get lost
};
Programs read_programs();

/// `program` with PT_INTERP naming `loader`: takes the place of its PT_GNU_STACK header.
std::string with_loader(std::string program, std::string_view loader);

/// Writes the bytes of a random file. `paths`: other paths of the tree, for interpreters and
/// loaders that lie in it; a script that names itself is rare, since each costs a second.
class BodyWriter {
 public:
  BodyWriter(Dice& dice, const Programs& programs) : dice_(dice), programs_(programs) {}
  std::string write(const std::vector<std::string>& paths);

 private:
  std::string shebang_line(const std::vector<std::string>& paths);
  std::string interpreter(const std::vector<std::string>& paths);
  std::string env_line(const std::vector<std::string>& paths);
  std::string program(const std::vector<std::string>& paths);
  std::string oddity(const std::vector<std::string>& paths);
  std::string long_line();

  Dice& dice_;
  const Programs& programs_;
};

}  // namespace permguard::oracle
