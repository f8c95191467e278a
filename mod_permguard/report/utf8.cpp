// SPDX-License-Identifier: Apache-2.0
#include "report/utf8.h"

#include <algorithm>
#include <cstdint>

namespace permguard {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

struct Lead {
  std::size_t length;  ///< of the character; 0: not a first byte
  unsigned low;        ///< the second byte's bounds: RFC 3629, section 4
  unsigned high;
};

Lead lead_of(unsigned byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xc2 && byte <= 0xdf) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  if (byte >= 0xf1 && byte <= 0xf3) return {4, 0x80, 0xbf};
  return {0, 0, 0};
}

// Length of the character that begins `text`, 0 where none does.
std::size_t character_length(std::string_view text) {
  const Lead lead = lead_of(byte_at(text, 0));
  if (lead.length < 2) return lead.length;
  if (text.size() < lead.length) return 0;
  if (byte_at(text, 1) < lead.low || byte_at(text, 1) > lead.high) return 0;
  const bool rest =
      std::all_of(text.begin() + 2, text.begin() + static_cast<long>(lead.length),
                  [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; });
  return rest ? lead.length : 0;
}

}  // namespace

std::size_t utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = character_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::string to_utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t good = utf8_prefix(text);
    result += text.substr(0, good);
    if (good == text.size()) break;
    result += "\xef\xbf\xbd";
    text.remove_prefix(good + 1);
  }
  return result;
}

std::string base64(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = byte_at(bytes, at) << 16;
    if (count > 1) group |= byte_at(bytes, at + 1) << 8;
    if (count > 2) group |= byte_at(bytes, at + 2);
    for (std::size_t sextet = 0; sextet < 4; ++sextet) {
      text += sextet <= count ? kAlphabet[(group >> (18 - 6 * sextet)) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::string bytes;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pads = i >= text.size() - padding;
    const std::size_t digit = pads ? 0 : kAlphabet.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(group >> shift & 0xff);
    group = 0;
  }
  bytes.erase(bytes.size() - padding);
  return bytes;
}

}  // namespace permguard
