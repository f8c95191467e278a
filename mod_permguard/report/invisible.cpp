// SPDX-License-Identifier: Apache-2.0
#include "report/invisible.h"

#include <algorithm>
#include <array>

namespace permguard {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode 15, general categories Cc, Cf, Zl and Zp (UnicodeData.txt; the bidirectional controls of
// UAX #9 are among them), and what is Default_Ignorable_Code_Point beside them: fillers, joiners
// and variation selectors.
constexpr std::array kInvisible = {
    Range{0x0, 0x1f},        Range{0x7f, 0x9f},       Range{0xad, 0xad},
    Range{0x34f, 0x34f},     Range{0x600, 0x605},     Range{0x61c, 0x61c},
    Range{0x6dd, 0x6dd},     Range{0x70f, 0x70f},     Range{0x890, 0x891},
    Range{0x8e2, 0x8e2},     Range{0x115f, 0x1160},   Range{0x17b4, 0x17b5},
    Range{0x180b, 0x180f},   Range{0x200b, 0x200f},   Range{0x2028, 0x202e},
    Range{0x2060, 0x206f},   Range{0x3164, 0x3164},   Range{0xfe00, 0xfe0f},
    Range{0xfeff, 0xfeff},   Range{0xffa0, 0xffa0},   Range{0xfff0, 0xfffb},
    Range{0x110bd, 0x110bd}, Range{0x110cd, 0x110cd}, Range{0x13430, 0x1343f},
    Range{0x1bca0, 0x1bca3}, Range{0x1d173, 0x1d17a}, Range{0xe0000, 0xe0fff}};

std::size_t length_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

}  // namespace

bool is_invisible(std::uint32_t character) {
  const auto after =
      std::upper_bound(kInvisible.begin(), kInvisible.end(), character,
                       [](std::uint32_t value, const Range& range) { return value < range.first; });
  return after != kInvisible.begin() && character <= std::prev(after)->last;
}

std::uint32_t first_character(std::string_view text) {
  const std::size_t length = length_of(text);
  const auto lead = static_cast<unsigned char>(text[0]);
  std::uint32_t character = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (const char byte : text.substr(1, length - 1)) {
    character = character << 6 | (static_cast<unsigned char>(byte) & 0x3f);
  }
  return character;
}

std::size_t invisible_prefix(std::string_view text) {
  const bool begins = !text.empty() && (static_cast<unsigned char>(text[0]) & 0xc0) != 0x80;
  return begins && is_invisible(first_character(text)) ? length_of(text) : 0;
}

}  // namespace permguard
