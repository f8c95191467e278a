// SPDX-License-Identifier: Apache-2.0
#include "core/shebang.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace permguard {
namespace {

/// What the kernel looks at: the file's beginning, filled up with NUL.
using Buffer = std::array<char, kHeadBytes>;

constexpr std::size_t kNameFrom = 2;  // after "#!"
constexpr std::size_t kLast = kHeadBytes - 1;

bool blank(char byte) {
  return byte == ' ' || byte == '\t';
}
bool ends_name(char byte) {
  return blank(byte) || byte == '\0';
}

Buffer filled(std::string_view head) {
  Buffer buffer{};
  std::copy_n(head.data(), std::min(head.size(), buffer.size()), buffer.begin());
  return buffer;
}

/// The first position from `from` to `last`, both included, that `wanted` accepts, else last + 1.
template <class Predicate>
std::size_t seek(const Buffer& buffer, std::size_t from, std::size_t last, Predicate wanted) {
  while (from <= last && !wanted(buffer[from])) ++from;
  return std::min(from, last + 1);
}

std::size_t skip_blanks(const Buffer& buffer, std::size_t from, std::size_t last) {
  return seek(buffer, from, last, [](char byte) { return !blank(byte); });
}

/// Where LF stands; a NUL before it hides it.
std::size_t line_feed(const Buffer& buffer) {
  const std::size_t at =
      seek(buffer, 0, kLast, [](char byte) { return byte == '\n' || byte == '\0'; });
  return at <= kLast && buffer[at] == '\n' ? at : kHeadBytes;
}

std::string text(const Buffer& buffer, std::size_t from, std::size_t to) {
  const std::string_view bytes(buffer.data() + from, to - from);
  return std::string(bytes.substr(0, bytes.find('\0')));
}

/// The line whose end was found: `end` is the position after its last byte.
ShebangLine split(const Buffer& buffer, std::size_t end) {
  while (blank(buffer[end - 1])) --end;
  const std::size_t name = skip_blanks(buffer, kNameFrom, end);
  if (name >= end) return {ShebangEnd::without_name, {}, ENOEXEC};
  const std::size_t name_end = std::min(end, seek(buffer, name, end, ends_name));
  ShebangLine line{ShebangEnd::complete, {}, 0};
  line.shebang.interpreter = text(buffer, name, name_end);
  if (line.shebang.interpreter.empty()) return {ShebangEnd::without_name, {}, EACCES};
  if (name_end == end || buffer[name_end] == '\0') return line;
  line.shebang.has_argument = true;
  line.shebang.argument = text(buffer, skip_blanks(buffer, name_end, end), end);
  return line;
}

}  // namespace

ShebangLine parse_shebang(std::string_view head) {
  const Buffer buffer = filled(head);
  if (buffer[0] != '#' || buffer[1] != '!') return {};
  const std::size_t end = line_feed(buffer);
  if (end < kHeadBytes) return split(buffer, end);
  const std::size_t name = skip_blanks(buffer, kNameFrom, kLast);
  if (seek(buffer, name, kLast, ends_name) > kLast) return {ShebangEnd::unfinished, {}, ENOEXEC};
  return split(buffer, kLast);
}

}  // namespace permguard
