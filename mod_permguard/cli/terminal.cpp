// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string_view>

namespace permguard::cli {
namespace {

bool terminal_knows_colours() {
  const char* kind = std::getenv("TERM");
  const char* refused = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb" &&
         (refused == nullptr || *refused == '\0');
}

}  // namespace

TextStyle style_of_stdout() {
  return {terminal_knows_colours(), static_cast<std::int64_t>(std::time(nullptr))};
}

std::string printable_message(const std::string& message) {
  std::istringstream lines(message);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    text += (text.empty() ? "" : "\n") + printable(line);
  }
  return text;
}

}  // namespace permguard::cli
