// SPDX-License-Identifier: Apache-2.0
#include "report/log_text.h"

#include "report/sentence.h"

namespace permguard {
namespace {

constexpr std::string_view kGap = "...";

std::size_t logged_size(char character) {
  const auto byte = static_cast<unsigned char>(character);
  if (byte == '\\' || (byte >= '\b' && byte <= '\r' && byte != '\f')) return 2;
  return byte >= 0x20 && byte < 0x7f ? 1 : 4;
}

bool continues_character(char character) {
  return (static_cast<unsigned char>(character) & 0xc0) == 0x80;
}

std::size_t head_within(std::string_view text, std::size_t limit) {
  std::size_t length = 0;
  std::size_t size = 0;
  while (length < text.size() && (size += logged_size(text[length])) <= limit) ++length;
  while (length > 0 && length < text.size() && continues_character(text[length])) --length;
  return length;
}

std::size_t tail_within(std::string_view text, std::size_t limit) {
  std::size_t start = text.size();
  std::size_t size = 0;
  while (start > 0 && (size += logged_size(text[start - 1])) <= limit) --start;
  while (start < text.size() && continues_character(text[start])) ++start;
  return start;
}

}  // namespace

std::size_t logged_size(std::string_view text) {
  std::size_t size = 0;
  for (const char character : text) size += logged_size(character);
  return size;
}

std::string cut_in_the_middle(std::string_view text, std::size_t limit) {
  if (logged_size(text) <= limit) return std::string(text);
  const std::size_t room = limit - kGap.size();
  std::string result(text.substr(0, head_within(text, room / 2)));
  result += kGap;
  result += text.substr(tail_within(text, room - room / 2));
  return result;
}

std::string quoted(std::string_view text, std::size_t limit) {
  return shell_quote(cut_in_the_middle(text, limit));
}

}  // namespace permguard
