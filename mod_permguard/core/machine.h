// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace permguard {

/// What this kernel executes natively, and whether it also runs 32-bit programs of its family.
struct Machine {
  std::uint16_t machine = 62;  ///< e_machine: EM_X86_64
  bool compat32 = true;        ///< i386 programs run (CONFIG_IA32_EMULATION, not disabled at boot)
  bool x32 = false;            ///< x32 programs run: x86-64 code with 32-bit pointers
  std::uint8_t bits = 64;      ///< of native programs
  std::size_t page_size = 4096;  ///< bytes: bounds program headers, and what a mapping may touch
};

/// The running kernel's: uname(2); for 32-bit programs the kernel is asked: execve of a file of
/// that kind whose loader's name lies beyond its end fails with EIO where the kind is known and
/// with ENOEXEC where not (fs/binfmt_elf.c), so nothing is ever run. Like AT_EXECVE_CHECK that
/// call must not happen while other threads are made: ask once, at start. Where the question
/// cannot be put (seccomp, noexec memfd) 32-bit programs are taken to run.
Machine native_machine();

/// 64 or 32 where `machine` runs ELF files of this e_machine and EI_CLASS, by the kernel's
/// elf_check_arch and compat_elf_check_arch; nullopt where not. On x86 and arm EI_CLASS does not
/// matter: the machine decides which layout is read. Pure.
std::optional<unsigned> runs_as(const Machine& machine, std::uint16_t e_machine,
                                std::uint8_t elf_class);

/// The usual name of an e_machine: "x86-64", "aarch64", "i386"; "machine 4711" if unknown.
std::string machine_name(std::uint16_t e_machine);

}  // namespace permguard
