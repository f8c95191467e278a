// SPDX-License-Identifier: Apache-2.0
//
// The #! parser and the classification of a file's first bytes.
#include "core/interpreter.h"
#include "fuzz.h"

namespace permguard {
namespace {

using fuzz::require;

bool same(const ShebangLine& a, const ShebangLine& b) {
  return a.end == b.end && a.error == b.error && a.shebang.interpreter == b.shebang.interpreter &&
         a.shebang.argument == b.shebang.argument &&
         a.shebang.has_argument == b.shebang.has_argument;
}

bool has_any(std::string_view text, std::string_view bytes) {
  return text.find_first_of(bytes) != std::string_view::npos;
}

bool blank_at(std::string_view text, std::size_t at) {
  return at < text.size() && has_any(text.substr(at, 1), " \t");
}

bool has_line_feed(std::string_view head) {
  const std::string_view read = head.substr(0, kHeadBytes);
  return read.find('\n') < read.find('\0');
}

void check_words(const Shebang& line, std::string_view head) {
  const std::string_view ends("\n\0", 2);
  require(!line.interpreter.empty(), "a complete line names an interpreter");
  require(line.interpreter.size() <= kHeadBytes - 3, "a name leaves room for #! and its end");
  require(!has_any(line.interpreter, " \t") && !has_any(line.interpreter, ends),
          "a name is one word");
  require(!has_any(line.argument, ends), "an argument is within the line");
  require(!blank_at(line.argument, 0), "an argument does not begin with a blank");
  require(!has_line_feed(head) || !blank_at(line.argument, line.argument.size() - 1),
          "an argument ends in a blank only before NUL");
  require(line.has_argument || line.argument.empty(), "no argument has no text");
  require(head.find(line.interpreter) < kHeadBytes, "a name stands in the file");
  require(head.find(line.argument) != std::string_view::npos, "an argument stands in the file");
}

/// The line written again in its plainest form means the same.
void check_written_again(const Shebang& line) {
  if (line.has_argument &&
      (line.argument.empty() || blank_at(line.argument, line.argument.size() - 1)))
    return;
  const std::string plain =
      "#!" + line.interpreter + (line.has_argument ? " " + line.argument : "") + "\n";
  if (plain.size() > kHeadBytes) return;
  const ShebangLine again = parse_shebang(plain + "anything\n#!");
  require(same(again, {ShebangEnd::complete, line, 0}), "a line written again means the same");
}

void check_line(std::string_view head) {
  const ShebangLine line = parse_shebang(head);
  require((line.end == ShebangEnd::none) == (head.substr(0, 2) != "#!"), "#! makes a script");
  require(same(line, parse_shebang(head.substr(0, kHeadBytes))), "256 bytes count");
  require(line.end == ShebangEnd::complete || line.shebang.interpreter.empty(), "no name, no text");
  require((line.error != 0) ==
              (line.end == ShebangEnd::without_name || line.end == ShebangEnd::unfinished),
          "an error is given where the kernel goes no further");
  if (line.end != ShebangEnd::complete) return;
  check_words(line.shebang, head);
  check_written_again(line.shebang);
}

void check_head(std::string_view head) {
  const FileHead file = read_head(head, head.size(), Machine{}, nullptr);
  require((file.format == Format::empty) == head.empty(), "empty is empty");
  require(file.shebang.has_value() <= (file.format == Format::shebang), "only scripts have a line");
  require(file.elf.has_value() == (file.format == Format::elf), "only ELF has a header");
  require(file.fault || file.error == 0, "an error has its fault");
  require(file.fault || file.shebang || file.elf, "what the kernel cannot execute has a fault");
  require(file.fault != Code::shebang_crlf || file.shebang->interpreter.back() == '\r',
          "CR is seen");
}

}  // namespace
}  // namespace permguard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  permguard::check_line(head);
  permguard::check_head(head);
  return 0;
}
