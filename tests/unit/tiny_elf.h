// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace permguard::test {

/// An ELF file built by hand, so that each field can be set wrong on purpose. As it is, it
/// prints "M" and exits with 0.
template <class Header, class ProgramHeader>
struct TinyElf {
  static constexpr std::uint32_t kBase = 0x400000;

  explicit TinyElf(std::uint16_t machine, std::string_view program) : code(program) {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = sizeof(Header) == sizeof(Elf64_Ehdr) ? ELFCLASS64 : ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Header);
    header.e_ehsize = sizeof(Header);
    header.e_phentsize = sizeof(ProgramHeader);
    header.e_phnum = 1;
    header.e_entry = kBase + kCodeAt;
    load.p_type = PT_LOAD;
    load.p_flags = PF_R | PF_X;
    load.p_vaddr = kBase;
    load.p_filesz = load.p_memsz = static_cast<std::uint32_t>(kCodeAt + code.size());
    load.p_align = 0x1000;
  }

  /// Adds PT_INTERP with `name` and its NUL.
  void set_loader(const std::string& name) {
    loader = name + '\0';
    header.e_phnum = 2;
    interp.p_type = PT_INTERP;
    interp.p_offset = kCodeAt + code.size();
    interp.p_filesz = static_cast<std::uint32_t>(loader.size());
  }

  std::string bytes() const {
    std::string file(kCodeAt, '\0');
    std::memcpy(file.data(), &header, sizeof header);
    std::memcpy(file.data() + sizeof header, &load, sizeof load);
    std::memcpy(file.data() + sizeof header + sizeof load, &interp, sizeof interp);
    return file + code + loader;
  }

  static constexpr std::size_t kCodeAt = sizeof(Header) + 2 * sizeof(ProgramHeader);
  Header header{};
  ProgramHeader load{};
  ProgramHeader interp{};
  std::string code;
  std::string loader;
};

using TinyElf64 = TinyElf<Elf64_Ehdr, Elf64_Phdr>;
using TinyElf32 = TinyElf<Elf32_Ehdr, Elf32_Phdr>;

/// write(1, "M", 1); exit(0), independent of its address.
inline TinyElf64 tiny_x86_64() {
  using namespace std::string_view_literals;
  return TinyElf64(EM_X86_64,
                   "\xb8\x01\0\0\0\xbf\x01\0\0\0\x48\x8d\x35\x10\0\0\0\xba\x01\0\0\0\x0f\x05"
                   "\xb8\x3c\0\0\0\x31\xff\x0f\x05M"sv);
}

inline TinyElf32 tiny_i386() {
  using namespace std::string_view_literals;
  return TinyElf32(EM_386,
                   "\xb8\x04\0\0\0\xbb\x01\0\0\0\xe8\0\0\0\0\x59\x83\xc1\x14\xba\x01\0\0\0\xcd\x80"
                   "\xb8\x01\0\0\0\x31\xdb\xcd\x80M"sv);
}

}  // namespace permguard::test
