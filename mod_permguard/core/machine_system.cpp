// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/machine.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3
#endif

namespace permguard {
namespace {

struct Family {
  const char* kernel;  ///< utsname.machine
  std::uint16_t machine;
  std::uint8_t bits;
  std::uint16_t small_sister;  ///< e_machine of its 32-bit programs; 0: none
};

constexpr std::array<Family, 8> kFamilies = {{
    {"x86_64", EM_X86_64, 64, EM_386},
    {"aarch64", EM_AARCH64, 64, EM_ARM},
    {"ppc64le", EM_PPC64, 64, EM_PPC},
    {"s390x", EM_S390, 64, EM_S390},
    {"riscv64", EM_RISCV, 64, EM_RISCV},
    {"i686", EM_386, 32, 0},
    {"armv7l", EM_ARM, 32, 0},
    {"loongarch64", 258, 64, 0},
}};

/// A program of 32 bits whose loader's name lies where the file has long ended.
struct Unrunnable {
  Elf32_Ehdr header{};
  Elf32_Phdr interp{};
};

Unrunnable unrunnable(std::uint16_t machine) {
  Unrunnable file;
  std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS32;
  file.header.e_ident[EI_DATA] = ELFDATA2LSB;
  file.header.e_ident[EI_VERSION] = EV_CURRENT;
  file.header.e_type = ET_DYN;
  file.header.e_machine = machine;
  file.header.e_version = EV_CURRENT;
  file.header.e_phoff = sizeof(Elf32_Ehdr);
  file.header.e_ehsize = sizeof(Elf32_Ehdr);
  file.header.e_phentsize = sizeof(Elf32_Phdr);
  file.header.e_phnum = 1;
  file.header.e_flags = machine == EM_ARM ? 0x05000000U : 0U;  // EABI 5, which Linux insists on
  file.interp.p_type = PT_INTERP;
  file.interp.p_offset = 1U << 20;
  file.interp.p_filesz = 16;
  return file;
}

int memory_file() {
  const int fd = memfd_create("permguard", MFD_CLOEXEC | MFD_EXEC);
  return fd >= 0 || errno != EINVAL ? fd : memfd_create("permguard", MFD_CLOEXEC);
}

/// The errno with which execve refuses that file; 0: it could not be asked.
int refusal(const Unrunnable& file) {
  const int fd = memory_file();
  if (fd < 0) return 0;
  int error = 0;
  if (write(fd, &file, sizeof file) == static_cast<ssize_t>(sizeof file)) {
    std::array<char, 10> name = {"permguard"};
    std::array<char*, 2> arguments = {name.data(), nullptr};
    std::array<char*, 1> environment = {nullptr};
    syscall(SYS_execveat, fd, "", arguments.data(), environment.data(), AT_EMPTY_PATH);
    error = errno;
  }
  close(fd);
  return error;
}

const Family* family_of(std::string_view kernel) {
  for (const Family& family : kFamilies) {
    if (kernel == family.kernel) return &family;
  }
  return nullptr;
}

}  // namespace

Machine native_machine() {
  Machine machine;
  if (const long page = sysconf(_SC_PAGESIZE); page > 0) {
    machine.page_size = static_cast<std::size_t>(page);
  }
  utsname kernel{};
  const Family* family = uname(&kernel) == 0 ? family_of(kernel.machine) : nullptr;
  if (family == nullptr) return machine;
  machine.machine = family->machine;
  machine.bits = family->bits;
  machine.compat32 =
      family->small_sister != 0 && refusal(unrunnable(family->small_sister)) != ENOEXEC;
  machine.x32 = family->machine == EM_X86_64 && refusal(unrunnable(EM_X86_64)) == EIO;
  return machine;
}

}  // namespace permguard
