// SPDX-License-Identifier: Apache-2.0
#include "report/html_text.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "report/invisible.h"
#include "report/utf8.h"

namespace permguard {
namespace {

std::size_t length_of(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}

const char* entity(char character) {
  switch (character) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return nullptr;
  }
}

bool is_control(char character) {
  return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
}

// U+2400 and what follows it are pictures of the control characters; U+2421 is DEL's.
std::string picture(char control) {
  const unsigned offset = control == 0x7f ? 0x21 : static_cast<unsigned char>(control);
  return {'\xe2', '\x90', static_cast<char>(0x80 + offset)};
}

std::string visible(std::string_view character) {
  if (character.size() == 1) {
    return is_control(character[0]) ? picture(character[0]) : std::string(character);
  }
  const std::uint32_t number = first_character(character);
  if (!is_invisible(number)) return std::string(character);
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "[U+%04X]", static_cast<unsigned>(number));
  return text.data();
}

std::string exact(std::string_view character) {
  if (character.size() > 1 || !is_control(character[0])) return std::string(character);
  return "&#" + std::to_string(static_cast<int>(character[0])) + ';';
}

template <class Show>
std::string escape(std::string_view bytes, Show show) {
  const std::string text = to_utf8(bytes);
  std::string html;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = std::string_view(text).substr(at, length_of(text[at]));
    const char* name = entity(character[0]);
    html += name != nullptr ? std::string(name) : show(character);
    at += character.size();
  }
  return html;
}

}  // namespace

std::string html_exact(std::string_view text) {
  return escape(text, exact);
}

std::string html_visible(std::string_view text) {
  return escape(text, visible);
}

}  // namespace permguard
