// SPDX-License-Identifier: Apache-2.0
#include "core/machine.h"

#include <elf.h>

#include <array>

namespace permguard {
namespace {

struct MachineName {
  std::uint16_t machine;
  const char* name;
};

constexpr std::array<MachineName, 14> kNames = {{
    {EM_386, "i386"},
    {EM_X86_64, "x86-64"},
    {EM_ARM, "arm"},
    {EM_AARCH64, "aarch64"},
    {EM_PPC, "powerpc"},
    {EM_PPC64, "powerpc64"},
    {EM_S390, "s390"},
    {EM_MIPS, "mips"},
    {EM_RISCV, "riscv"},
    {258, "loongarch"},  // EM_LOONGARCH, newer than Debian 12's elf.h
    {EM_SPARC, "sparc"},
    {EM_SPARCV9, "sparc64"},
    {EM_IA_64, "ia64"},
    {EM_68K, "m68k"},
}};

constexpr std::uint16_t kEm486 = 6;  // still accepted: arch/x86/include/asm/elf.h

/// Machines whose kernels look at EI_CLASS too, since one number stands for both sizes.
bool class_matters(std::uint16_t e_machine) {
  return e_machine == EM_S390 || e_machine == EM_RISCV || e_machine == EM_MIPS || e_machine == 258;
}

bool is_small_sister(std::uint16_t native, std::uint16_t e_machine) {
  switch (native) {
    case EM_X86_64:
      return e_machine == EM_386 || e_machine == kEm486;
    case EM_AARCH64:
      return e_machine == EM_ARM;
    case EM_PPC64:
      return e_machine == EM_PPC;
    default:
      return false;
  }
}

}  // namespace

std::optional<unsigned> runs_as(const Machine& machine, std::uint16_t e_machine,
                                std::uint8_t elf_class) {
  if (is_small_sister(machine.machine, e_machine)) {
    return machine.compat32 ? std::optional<unsigned>(32) : std::nullopt;
  }
  if (e_machine != machine.machine) return std::nullopt;
  const unsigned written = elf_class == ELFCLASS32 ? 32 : 64;
  if (!class_matters(e_machine) || written == machine.bits) return machine.bits;
  return written == 32 && machine.compat32 ? std::optional<unsigned>(32) : std::nullopt;
}

std::string machine_name(std::uint16_t e_machine) {
  for (const MachineName& known : kNames) {
    if (known.machine == e_machine) return known.name;
  }
  return "machine " + std::to_string(e_machine);
}

}  // namespace permguard
