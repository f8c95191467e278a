// SPDX-License-Identifier: Apache-2.0
#include "core/shell_word.h"

namespace permguard {

std::string shell_quote(std::string_view text) {
  std::string word = "'";
  for (const char character : text) {
    if (character == '\'') {
      word += R"('"'"')";
    } else {
      word += character;
    }
  }
  return word + '\'';
}

}  // namespace permguard
