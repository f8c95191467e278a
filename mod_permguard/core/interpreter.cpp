// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace permguard {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::string_view, 3> kMarkedShebangs = {
    "\xEF\xBB\xBF#!"sv, "\xFF\xFE#\0!\0"sv, "\xFE\xFF\0#\0!"sv};  // UTF-8, UTF-16 LE and BE

bool is_text_byte(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code >= 0x20 ? code != 0x7F : (code >= '\b' && code <= '\r') || code == 0x1B;
}

bool is_text(std::string_view head) {
  head = head.substr(0, kHeadBytes);
  return std::all_of(head.begin(), head.end(), is_text_byte);
}

bool has_marked_shebang(std::string_view head) {
  return std::any_of(kMarkedShebangs.begin(), kMarkedShebangs.end(),
                     [head](std::string_view mark) { return head.substr(0, mark.size()) == mark; });
}

/// The first bytes in words: quoted where all are printable ASCII, else as hexadecimal numbers.
std::string begin_in_words(std::string_view head) {
  std::string_view line = head.substr(0, std::min(head.find_first_of("\r\n"), std::size_t{24}));
  const auto printable = [](char byte) { return byte >= ' ' && byte <= '~'; };
  if (!line.empty() && std::all_of(line.begin(), line.end(), printable)) {
    return "it begins with \"" + std::string(line) + '"';
  }
  std::string words = "it begins with the bytes";
  for (const char byte : head.substr(0, 8)) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), " %02x",
                  static_cast<unsigned>(static_cast<unsigned char>(byte)));
    words += text.data();
  }
  return words;
}

FileHead plain(Format format, Code fault, std::string detail) {
  FileHead file;
  file.format = format;
  file.fault = fault;
  file.error = ENOEXEC;
  file.detail = std::move(detail);
  return file;
}

FileHead read_script(ShebangLine line) {
  FileHead file;
  file.format = Format::shebang;
  file.error = line.error;
  if (line.end == ShebangEnd::without_name) {
    file.fault = Code::no_shebang;
    file.detail = "its #! line names no interpreter";
  } else if (line.end == ShebangEnd::unfinished) {
    file.fault = Code::shebang_too_long;
    file.detail =
        "the interpreter's name does not end within " + std::to_string(kHeadBytes) + " bytes";
  } else {
    if (line.shebang.interpreter.back() == '\r') {
      file.fault = Code::shebang_crlf;
      file.error = ENOENT;
    }
    file.shebang = std::move(line.shebang);
  }
  return file;
}

FileHead read_program(ElfReading reading) {
  FileHead file;
  file.format = Format::elf;
  file.elf = std::move(reading.header);
  file.fault = reading.fault;
  file.error = reading.error;
  file.detail = std::move(reading.detail);
  return file;
}

}  // namespace

FileHead read_head(std::string_view head, std::uint64_t file_size, const Machine& machine,
                   const ReadMore& read_more) {
  if (head.empty()) return plain(Format::empty, Code::empty_file, {});
  ShebangLine line = parse_shebang(head);
  if (line.end != ShebangEnd::none) return read_script(std::move(line));
  if (begins_like_elf(head)) return read_program(read_elf(head, file_size, machine, read_more));
  if (has_marked_shebang(head)) {
    const bool utf8 = head.starts_with("\xEF\xBB\xBF");  // the others are no text to a shell
    return plain(utf8 ? Format::text : Format::binary, Code::bom_before_shebang,
                 begin_in_words(head));
  }
  return plain(is_text(head) ? Format::text : Format::binary, Code::no_shebang,
               begin_in_words(head));
}

}  // namespace permguard
