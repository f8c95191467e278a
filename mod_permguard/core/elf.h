// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/finding.h"
#include "core/machine.h"

namespace permguard {

/// Reads `count` bytes at `offset` of the file in question; shorter where the file ends or
/// cannot be read.
using ReadMore = std::function<std::string(std::uint64_t offset, std::size_t count)>;

/// An ELF header as far as execve(2) looks at it.
struct ElfHeader {
  std::uint16_t machine = 0;  ///< e_machine
  std::uint8_t bits = 0;      ///< 32 or 64: the layout the kernel reads it in
  std::uint16_t type = 0;     ///< e_type: 2 ET_EXEC, 3 ET_DYN
  std::string loader;         ///< PT_INTERP as written; empty: static
};

/// The reading of an ELF file.
struct ElfReading {
  ElfHeader header;
  std::optional<Code> fault;  ///< wrong-architecture or bad-elf
  int error = 0;              ///< errno of execve; 0 with a fault: execve succeeds and the
                              ///< process is killed before its first instruction or soon after
  std::string detail;         ///< words: the machine's name, what is damaged
};

bool begins_like_elf(std::string_view head);

/// Reads an ELF file as load_elf_binary() (fs/binfmt_elf.c) does. Faults are what it refuses:
/// another machine, not a program (e_type), program headers of the wrong size, none, more than
/// fit a page, or beyond the file's end, a loader's name shorter than 2 or longer than 4,096
/// bytes, not ended by NUL or beyond the file's end; and what it cannot map: no segment, one
/// larger in the file than in memory, misaligned, or with pages that lie wholly beyond the
/// file's end (SIGBUS when they are touched). `file_size` 0 with a non-empty `head`: unknown,
/// so nothing is taken to be cut off. Pure but for `read_more`; never fails, for any bytes.
ElfReading read_elf(std::string_view head, std::uint64_t file_size, const Machine& machine,
                    const ReadMore& read_more);

/// What is wrong with `loader`, the beginning of the file that PT_INTERP of `program` names, in
/// words; empty: nothing. The kernel wants an ELF program of a machine it runs (ELIBBAD
/// otherwise, EIO where it is shorter than an ELF header; a `#!` script is none), whose own
/// PT_INTERP it ignores.
std::string loader_fault(std::string_view loader, std::uint64_t file_size, const ElfHeader& program,
                         const Machine& machine, const ReadMore& read_more);

}  // namespace permguard
