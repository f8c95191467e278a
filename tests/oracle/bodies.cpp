// SPDX-License-Identifier: Apache-2.0
#include "oracle/bodies.h"
#include "tests/places.h"

#include <elf.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace permguard::oracle {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string read_program(const char* name) {
  return read_file(std::string(PERMGUARD_BUILD "/tests/") + name);
}

template <class T>
T get(const std::string& bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <class T>
void put(std::string& bytes, std::size_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// How long ELF and program headers are; a shorter file is no program.
std::size_t headers_size(const std::string& program) {
  const auto header = get<Elf64_Ehdr>(program, 0);
  return header.e_phoff + std::size_t{header.e_phnum} * header.e_phentsize;
}

// Where the last segment begins that is loaded, cut to a page: a file that ends before lacks
// whole pages. (Within a page the kernel fills up with zeros, and the program may even run.)
std::size_t last_segment(const std::string& program) {
  const auto header = get<Elf64_Ehdr>(program, 0);
  std::size_t last = 0;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = get<Elf64_Phdr>(program, header.e_phoff + i * header.e_phentsize);
    if (segment.p_type == PT_LOAD) last = segment.p_offset;
  }
  return last / 4096 * 4096;
}

// A link may lead to a program of the system, which starts as a loader and crashes.
std::vector<std::string> without_links(std::vector<std::string> paths) {
  std::erase_if(paths, [](const std::string& path) { return base_name(path).starts_with('l'); });
  return paths;
}

}  // namespace

std::string script_body() {
  return "for f; do case $f in -*) ;; *) : < \"$f\" || exit 1;; esac; done\necho PGMARK:;echo\n";
}

Programs read_programs() {
  return {read_program("marker_static"), read_program("marker_pie"), read_program("marker_dynamic"),
          read_file("/usr/bin/env")};
}

std::string with_loader(std::string program, std::string_view loader) {
  const auto header = get<Elf64_Ehdr>(program, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const std::size_t offset = header.e_phoff + i * header.e_phentsize;
    auto segment = get<Elf64_Phdr>(program, offset);
    if (segment.p_type != PT_GNU_STACK) continue;
    segment.p_type = PT_INTERP;
    segment.p_offset = program.size();
    segment.p_filesz = segment.p_memsz = loader.size() + 1;
    put(program, offset, segment);
    return program.append(loader).append(1, '\0');
  }
  throw std::runtime_error("no PT_GNU_STACK to replace");
}

// What stands after "#!" and its blanks, without an argument.
std::string BodyWriter::interpreter(const std::vector<std::string>& paths) {
  static constexpr std::array kFixed = {"/nonexistent/perl", "/tmp", "/etc/passwd", "/bin/sh/",
                                        "/etc/passwd/sh",    "sh",   "../sh"};
  const auto roll = dice_.below(100);
  if (roll < 45) return "/bin/sh";
  if (roll < 80) return dice_.pick(paths);
  if (roll < 90) return (dice_.percent(50) ? "./" : "") + base_name(dice_.pick(paths));
  return dice_.pick(kFixed);
}

std::string BodyWriter::env_line(const std::vector<std::string>& paths) {
  static constexpr std::array kForms = {"@",
                                        "@",
                                        "@",
                                        "-S @",
                                        "-S @ -e",
                                        "-S @ -eu",
                                        "-S -i @",
                                        "-i @",
                                        "-S X=1 @",
                                        "-S -u PATH @",
                                        "-S PATH=/nowhere @",
                                        "-S\"@\" -e",
                                        "-S '@'",
                                        "-S@",
                                        "-vS @",
                                        "- @",
                                        "-S - @",
                                        "-S @ # no",
                                        "-S X= @",
                                        "--split-string=@ -e",
                                        "-S -- @",
                                        "-S \\@",
                                        "-S '@",
                                        "-S @\\c -z",
                                        "-S -C / @",
                                        "-S @\\_-e",
                                        "-S ${PATH} @"};
  static constexpr std::array kNames = {"sh", "sh", "dash", "nosuchprogram"};
  static constexpr std::array kEndless = {"", "X=1", "-S", "--"};  // env runs the script again
  if (dice_.percent(1)) return std::string("/usr/bin/env ") + dice_.pick(kEndless);
  std::string line = dice_.pick(kForms);
  const std::string name = dice_.percent(50)   ? dice_.pick(kNames)
                           : dice_.percent(60) ? base_name(dice_.pick(paths))
                                               : dice_.pick(paths);
  if (const auto at = line.find('@'); at != std::string::npos) line.replace(at, 1, name);
  return "/usr/bin/env " + line;
}

// Around the 256 bytes the kernel reads: the name ends before, at or after them.
std::string BodyWriter::long_line() {
  const std::size_t slashes = 240 + dice_.below(20);
  return std::string(slashes, '/') + "bin/sh";
}

std::string BodyWriter::shebang_line(const std::vector<std::string>& paths) {
  static constexpr std::array kBlanks = {"", "", "", " ", "  ", "\t", " \t "};
  static constexpr std::array kArguments = {"", "", "", " ", "\t", " -e", "  -eu ", " -e\t"};
  static constexpr std::array kEnds = {"\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\r\n"};
  std::string line = "#!";
  line += dice_.pick(kBlanks);
  const auto roll = dice_.below(100);
  if (roll < 25) return line + env_line(paths) + dice_.pick(kEnds);
  if (roll < 29) return line + long_line() + "\n";
  line += interpreter(paths);
  const std::string end = dice_.pick(kEnds);
  // A CR after an argument is the argument's: what the interpreter makes of it is its affair.
  return end == "\n" ? line + dice_.pick(kArguments) + end : line + end;
}

std::string BodyWriter::program(const std::vector<std::string>& paths) {
  static constexpr std::array kLoaders = {"/nonexistent/ld.so", "/bin", "/etc/passwd"};
  const auto roll = dice_.below(100);
  if (roll < 30) return programs_.fixed;
  if (roll < 45) return programs_.movable;
  if (roll < 60) return programs_.dynamic;
  if (roll < 70) return with_loader(programs_.fixed, dice_.pick(without_links(paths)));
  if (roll < 76) return with_loader(programs_.movable, dice_.pick(kLoaders));
  std::string bytes = dice_.percent(50) ? programs_.fixed : programs_.dynamic;
  if (roll < 82) return bytes.substr(0, dice_.below(headers_size(bytes)));
  if (roll < 88) return programs_.large.substr(0, dice_.below(last_segment(programs_.large)));
  static constexpr std::array<std::uint16_t, 4> kMachines = {EM_ARM, EM_PPC64, EM_S390, EM_386};
  auto header = get<Elf64_Ehdr>(bytes, 0);
  if (roll < 94) header.e_machine = dice_.pick(kMachines);
  if (roll >= 94 && roll < 96) header.e_type = dice_.percent(50) ? ET_REL : ET_CORE;
  if (roll == 96) header.e_phnum = 0;
  if (roll == 97) header.e_phentsize = 1;
  if (roll == 98) header.e_ident[EI_CLASS] = ELFCLASS32;
  if (roll == 99) header.e_ident[3] = 'f';
  put(bytes, 0, header);
  return bytes;
}

std::string BodyWriter::oddity(const std::vector<std::string>& paths) {
  using namespace std::string_literals;
  // A shell may be handed any of them as another script's interpreter: then it reads that script.
  static const std::string body = script_body();
  static const std::array kOddities = {
      ""s,
      "#!"s,
      "#!\n"s,
      "#! \t\n"s,
      "#!\n"s + body,
      "#! \t\n"s + body,
      "#"s,
      body,
      "\n#!/bin/sh\n"s + body,
      " #!/bin/sh\n"s + body,
      "\xEF\xBB\xBF#!/bin/sh\n"s + body,
      "\xFF\xFE#\0!\0/\0"s,
      "#!/bin/sh\0 -e\n"s + body,
      "#!\0/bin/sh\n"s + body,
      "#!/bin/sh\r"s,
      "#!/bin/sh\v\n"s + body,
      "#!/bin/s\0h\n"s + body,
      "#!/bin/\xFFsh\n"s + body,
      "\0\0\0\0"s,
      "\x7F"s + "ELF",
      "MZ\x90\0"s,
      "\x1F\x8B\x08\0junk"s,
  };
  if (dice_.percent(10)) return "#!" + paths.front();  // a file of the tree, no line end
  return dice_.pick(kOddities);
}

std::string BodyWriter::write(const std::vector<std::string>& paths) {
  const auto roll = dice_.below(100);
  if (roll < 35) return "#!/bin/sh\n" + script_body();
  if (roll < 75) return shebang_line(paths) + script_body();
  if (roll < 92) return program(paths);
  return oddity(paths);
}

}  // namespace permguard::oracle
