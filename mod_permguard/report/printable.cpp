// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "report/explain_text.h"
#include "report/utf8.h"

namespace permguard {
namespace {

std::string hex_escape(char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

bool is_control(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x20 || value == 0x7F;
}

// C1 controls (U+0080 to U+009F) steer terminals too; in UTF-8 they are C2 80 to C2 9F. The
// characters that turn the direction of writing are E2 80 8E, 8F, AA to AE and E2 81 A6 to A9.
std::size_t hidden_character(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool turns = (byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F ||
                                          (byte(2) >= 0xAA && byte(2) <= 0xAE))) ||
                     (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9);
  return turns ? 3 : 0;
}

std::string escape_valid(std::string_view text) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::size_t hidden = hidden_character(text.substr(at));
    if (hidden == 0 && is_control(text[at])) hidden = 1;
    for (std::size_t i = 0; i < hidden; ++i) escaped += hex_escape(text[at + i]);
    if (hidden > 0) {
      at += hidden - 1;
      continue;
    }
    escaped += text[at];
    if (text[at] == '\\') escaped += '\\';
  }
  return escaped;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const std::size_t valid = utf8_prefix(text);
    escaped += escape_valid(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) break;
    escaped += hex_escape(text.front());
    text.remove_prefix(1);
  }
  return escaped;
}

}  // namespace permguard
