// SPDX-License-Identifier: Apache-2.0
#include "core/binfmt_misc.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/shebang.h"

namespace permguard {
namespace {

/// Takes `prefix` from the front of `text`; false where it does not stand there.
bool take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Takes the rest of the line.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::optional<std::string> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned value = 0;
    const char* end = digits.data() + i + 2;
    const auto parsed = std::from_chars(digits.data() + i, end, value, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

bool parse_magic(std::string_view text, BinfmtEntry& entry) {
  if (!take(text, "offset ")) return false;
  const std::string_view number = take_line(text);
  const char* end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, entry.offset);
  if (parsed.ec != std::errc() || parsed.ptr != end || !take(text, "magic ")) return false;
  const auto magic = from_hex(take_line(text));
  const auto mask = take(text, "mask ") ? from_hex(take_line(text)) : std::string();
  if (!magic || magic->empty() || !mask) return false;
  entry.magic = *magic;
  entry.mask = *mask;
  return entry.mask.empty() || entry.mask.size() == entry.magic.size();
}

bool takes_extension(const BinfmtEntry& entry, std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot != std::string_view::npos && path.substr(dot + 1) == entry.magic;
}

bool takes_magic(const BinfmtEntry& entry, std::string_view head) {
  if (entry.offset > kHeadBytes || entry.magic.size() > kHeadBytes - entry.offset) return false;
  for (std::size_t i = 0; i < entry.magic.size(); ++i) {
    const std::size_t at = entry.offset + i;
    const int byte = at < head.size() ? head[at] : 0;
    const int mask = entry.mask.empty() ? -1 : entry.mask[i];
    if (((byte ^ entry.magic[i]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

const BinfmtEntry* BinfmtMisc::match(std::string_view path, std::string_view head) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const BinfmtEntry& entry) {
    if (!entry.enabled) return false;
    return entry.by_extension ? takes_extension(entry, path) : takes_magic(entry, head);
  });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<BinfmtEntry> parse_binfmt_entry(std::string_view name, std::string_view text) {
  BinfmtEntry entry;
  entry.name = name;
  entry.enabled = take(text, "enabled\n");
  if (!entry.enabled && !take(text, "disabled\n")) return std::nullopt;
  if (!take(text, "interpreter ")) return std::nullopt;
  entry.interpreter = take_line(text);
  if (!take(text, "flags: ")) return std::nullopt;
  entry.keeps_open = take_line(text).find('F') != std::string_view::npos;
  if (take(text, "extension .")) {
    entry.by_extension = true;
    entry.magic = take_line(text);
    return entry.magic.empty() ? std::nullopt : std::optional<BinfmtEntry>(entry);
  }
  return parse_magic(text, entry) ? std::optional<BinfmtEntry>(entry) : std::nullopt;
}

}  // namespace permguard
