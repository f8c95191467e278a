// SPDX-License-Identifier: Apache-2.0
//
// The ELF reader.
#include "core/elf.h"

#include <elf.h>

#include <cerrno>

#include "core/shebang.h"
#include "fuzz.h"

namespace permguard {
namespace {

using fuzz::require;

bool same(const ElfReading& a, const ElfReading& b) {
  return a.fault == b.fault && a.error == b.error && a.detail == b.detail &&
         a.header.loader == b.header.loader && a.header.bits == b.header.bits &&
         a.header.machine == b.header.machine && a.header.type == b.header.type;
}

void check_reading(const ElfReading& reading) {
  require(reading.fault.has_value() == !reading.detail.empty(), "a fault is explained");
  require(reading.fault || reading.error == 0, "an error has its fault");
  require(!reading.fault || *reading.fault == Code::bad_elf ||
              (*reading.fault == Code::wrong_architecture && reading.error == ENOEXEC),
          "two faults there are");
  require(reading.header.bits == 32 || reading.header.bits == 64 || reading.fault,
          "a program has a size");
  require(reading.fault || reading.header.type == ET_EXEC || reading.header.type == ET_DYN,
          "a program is executable or shared");
  require(reading.header.loader.size() < 4096, "a loader's name fits PATH_MAX");
  require(reading.header.loader.find('\0') == std::string::npos, "a loader's name has no NUL");
}

void check_machine(std::string_view file, const Machine& machine) {
  std::uint64_t asked = 0;
  const ReadMore more = [&](std::uint64_t offset, std::size_t count) {
    ++asked;
    return offset < file.size() ? std::string(file.substr(static_cast<std::size_t>(offset), count))
                                : "";
  };
  const ElfReading whole = read_elf(file, file.size(), machine, more);
  check_reading(whole);
  if (!begins_like_elf(file)) return;
  const std::string_view head = file.substr(0, kHeadBytes);
  require(same(whole, read_elf(head, file.size(), machine, more)),
          "the head and the rest say the same");
  require(asked <= 4, "few reads are enough");
  const std::string longer = std::string(file) + std::string(4096, '\0');
  require(whole.fault || !read_elf(longer, longer.size(), machine, nullptr).fault,
          "what is appended harms nothing");
  require(loader_fault(file, file.size(), whole.header, machine, more).empty() || whole.fault,
          "a whole program could be a loader");
}

}  // namespace
}  // namespace permguard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  permguard::Machine machine;
  permguard::check_machine(file, machine);
  machine.compat32 = false;
  machine.x32 = true;
  permguard::check_machine(file, machine);
  machine.machine = EM_AARCH64;
  permguard::check_machine(file, machine);
  return 0;
}
