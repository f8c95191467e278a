// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>

#include "report/explain_text.h"
#include "report/invisible.h"
#include "report/utf8.h"

namespace permguard {
namespace {

std::string hex_escape(char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

enum class Backslash : std::uint8_t { doubled, kept };

std::string escape_valid(std::string_view text, Backslash backslash) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t hidden = invisible_prefix(text.substr(at));
    for (const char byte : text.substr(at, hidden)) escaped += hex_escape(byte);
    if (hidden == 0) escaped += text[at];
    if (text[at] == '\\' && backslash == Backslash::doubled) escaped += '\\';
    at += std::max<std::size_t>(hidden, 1);
  }
  return escaped;
}

std::string escape(std::string_view text, Backslash backslash) {
  std::string escaped;
  while (!text.empty()) {
    const std::size_t valid = utf8_prefix(text);
    escaped += escape_valid(text.substr(0, valid), backslash);
    text.remove_prefix(valid);
    if (text.empty()) break;
    escaped += hex_escape(text.front());
    text.remove_prefix(1);
  }
  return escaped;
}

}  // namespace

std::string printable(std::string_view text) {
  return escape(text, Backslash::doubled);
}

std::string one_line(std::string_view text) {
  return escape(text, Backslash::kept);
}

}  // namespace permguard
