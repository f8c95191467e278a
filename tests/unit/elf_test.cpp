// SPDX-License-Identifier: Apache-2.0
#include "core/elf.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <random>

#include "core/interpreter.h"
#include "support/temp_tree.h"
#include "unit/exec_truth.h"
#include "unit/tiny_elf.h"

namespace permguard {
namespace {

using test::ExecTruth;
using test::execute;
using test::tiny_i386;
using test::tiny_x86_64;
using test::TinyElf64;

class ElfTest : public testing::Test {
 protected:
  void SetUp() override {
    if (machine_.machine != EM_X86_64) GTEST_SKIP() << "the programs are made for x86-64";
  }

  ExecTruth truth(const std::string& file) {
    const std::string path = tree_.write("program", file, 0755);
    return execute(path, {path});
  }

  /// The reading of `file` with only its first bytes at hand.
  ElfReading read(const std::string& file) const {
    const auto more = [&](std::uint64_t offset, std::size_t count) {
      return offset < file.size() ? file.substr(static_cast<std::size_t>(offset), count) : "";
    };
    return read_elf(std::string_view(file).substr(0, kHeadBytes), file.size(), machine_, more);
  }

  /// Reads `file`; what the reading says must be what the kernel does.
  ElfReading compare(const std::string& file) {
    const ElfReading reading = read(file);
    const ExecTruth real = truth(file);
    if (reading.fault && reading.error == 0) {
      EXPECT_EQ(real.error, 0) << reading.detail;
      EXPECT_TRUE(WIFSIGNALED(real.status)) << reading.detail;
    } else if (reading.fault || reading.header.loader.empty()) {
      EXPECT_EQ(real.error, reading.error) << reading.detail;
    }
    return reading;
  }

  Machine machine_ = native_machine();
  test::TempTree tree_;
};

TEST_F(ElfTest, RunsWhatIsWhole) {
  EXPECT_EQ(compare(tiny_x86_64().bytes()).fault, std::nullopt);
  EXPECT_EQ(truth(tiny_x86_64().bytes()).output, "M");
}

TEST_F(ElfTest, KnowsWhether32BitProgramsRun) {
  const ExecTruth real = truth(tiny_i386().bytes());
  EXPECT_EQ(machine_.compat32, real.error == 0);
  EXPECT_EQ(compare(tiny_i386().bytes()).fault.has_value(), real.error != 0);
  EXPECT_EQ(real.output, real.error == 0 ? "M" : "");
  Machine without = machine_;
  without.compat32 = false;
  const std::string file = tiny_i386().bytes();
  const ElfReading refused = read_elf(file, file.size(), without, nullptr);
  EXPECT_EQ(refused.fault, Code::wrong_architecture);
  EXPECT_EQ(refused.detail, "i386");
}

TEST_F(ElfTest, KnowsWhetherX32ProgramsRun) {
  auto program = tiny_i386();
  program.header.e_machine = EM_X86_64;
  const ElfReading reading = read(program.bytes());
  EXPECT_EQ(machine_.x32, truth(program.bytes()).error != ENOEXEC);
  EXPECT_EQ(machine_.x32, !reading.fault);
}

TEST_F(ElfTest, NamesTheOtherMachine) {
  auto program = tiny_x86_64();
  program.header.e_machine = EM_AARCH64;
  EXPECT_EQ(compare(program.bytes()).fault, Code::wrong_architecture);
  EXPECT_EQ(read(program.bytes()).detail, "aarch64");
  program.header.e_machine = EM_S390 << 8;
  program.header.e_ident[EI_DATA] = ELFDATA2MSB;
  EXPECT_EQ(compare(program.bytes()).detail, "s390");
}

TEST_F(ElfTest, TheClassDoesNotMatterOnX86) {
  auto program = tiny_x86_64();
  program.header.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(compare(program.bytes()).fault, std::nullopt);
  program.header.e_ident[EI_VERSION] = 77;
  program.header.e_version = 77;
  EXPECT_EQ(compare(program.bytes()).fault, std::nullopt);
}

TEST_F(ElfTest, RefusesWhatIsNoProgram) {
  for (const int type : {ET_NONE, ET_REL, ET_CORE, 0xFE00}) {
    auto program = tiny_x86_64();
    program.header.e_type = static_cast<Elf64_Half>(type);
    EXPECT_EQ(compare(program.bytes()).fault, Code::bad_elf) << type;
  }
}

TEST_F(ElfTest, RefusesDamagedProgramHeaders) {
  using Damage = void (*)(TinyElf64&);
  const Damage damages[] = {
      [](TinyElf64& elf) { elf.header.e_phentsize = 55; },
      [](TinyElf64& elf) { elf.header.e_phnum = 0; },
      [](TinyElf64& elf) { elf.header.e_phnum = 74; },
      [](TinyElf64& elf) { elf.header.e_phoff = 1U << 20; },
      [](TinyElf64& elf) { elf.header.e_phoff = ~0ULL; },
      [](TinyElf64& elf) { elf.load.p_type = PT_NULL; },
      [](TinyElf64& elf) { elf.load.p_memsz = 8; },
      [](TinyElf64& elf) { elf.load.p_offset = 8; },
  };
  for (const Damage damage : damages) {
    auto program = tiny_x86_64();
    damage(program);
    const ElfReading reading = compare(program.bytes());
    EXPECT_EQ(reading.fault, Code::bad_elf) << &damage - damages;
  }
}

TEST_F(ElfTest, SeventyThreeProgramHeadersFitAPage) {
  auto program = tiny_x86_64();
  program.header.e_phnum = 73;
  program.header.e_phoff = program.bytes().size();
  std::string file = program.bytes();
  file.append(reinterpret_cast<const char*>(&program.load), sizeof program.load);
  file.append(72 * sizeof program.load, '\0');
  EXPECT_EQ(compare(file).fault, std::nullopt);
  EXPECT_EQ(truth(file).output, "M");
}

TEST_F(ElfTest, ReadsTheLoader) {
  const std::string loader = tree_.write("loader", tiny_x86_64().bytes(), 0755);
  auto program = tiny_x86_64();
  program.set_loader(loader);
  EXPECT_EQ(compare(program.bytes()).header.loader, loader);
  EXPECT_EQ(truth(program.bytes()).output, "M");
  program.set_loader("/nonexistent/loader");
  EXPECT_EQ(compare(program.bytes()).fault, std::nullopt);
  EXPECT_EQ(truth(program.bytes()).error, ENOENT);
}

TEST_F(ElfTest, RefusesADamagedLoaderName) {
  auto program = tiny_x86_64();
  program.set_loader("/lib/ld.so");
  program.loader.back() = 'x';
  EXPECT_EQ(compare(program.bytes()).error, ENOEXEC);
  program.set_loader("/lib/ld.so");
  program.interp.p_filesz += 1;
  EXPECT_EQ(compare(program.bytes()).error, EIO);
  program.interp.p_filesz = 1;
  EXPECT_EQ(compare(program.bytes()).error, ENOEXEC);
  program.interp.p_filesz = 4097;
  EXPECT_EQ(compare(program.bytes()).error, ENOEXEC);
}

/// What execve of a program with that loader says.
class LoaderTest : public ElfTest {
 protected:
  void check(const std::string& loader, const std::string& words) {
    auto program = tiny_x86_64();
    program.set_loader(tree_.write("loader", loader, 0755));
    const ElfHeader header = read(program.bytes()).header;
    EXPECT_EQ(loader_fault(loader, loader.size(), header, machine_, nullptr), words);
    const ExecTruth real = truth(program.bytes());
    EXPECT_EQ(real.output, words.empty() ? "M" : "") << words;
    const bool has_header = loader.size() >= sizeof(Elf64_Ehdr);  // EIO: too short to be looked at
    EXPECT_TRUE(real.error == 0 || real.error == (has_header ? ELIBBAD : EIO)) << real.error;
  }
};

TEST_F(LoaderTest, MustBeAProgramOfTheSameMachine) {
  check(tiny_x86_64().bytes(), "");
  check("#!/bin/sh\necho M\n", "its loader is not an ELF program");
  check("", "its loader is not an ELF program");
  check(tiny_i386().bytes(), "its loader is for i386");
  auto foreign = tiny_x86_64();
  foreign.header.e_machine = EM_AARCH64;
  check(foreign.bytes(), "its loader is for aarch64");
  auto object = tiny_x86_64();
  object.header.e_type = ET_REL;
  check(object.bytes(), "its loader is damaged: it is an object file, not a program");
}

TEST_F(LoaderTest, ItsOwnLoaderDoesNotCount) {
  auto loader = tiny_x86_64();
  loader.set_loader("/nonexistent");
  loader.loader.back() = 'x';
  check(loader.bytes(), "");
}

TEST_F(ElfTest, TruncatedProgramsAreBadWhereTheyDoNotRun) {
  std::ifstream stream("/bin/echo", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  ASSERT_EQ(read(whole).fault, std::nullopt);
  for (std::size_t size = 4; size < whole.size(); size += size < 1200 ? 13 : 1733) {
    const std::string file = whole.substr(0, size);
    const ElfReading reading = read(file);
    const ExecTruth real = truth(file);
    const bool ran = real.error == 0 && WIFEXITED(real.status);
    EXPECT_FALSE(reading.fault && ran) << size;
    if (reading.fault) {
      EXPECT_EQ(real.error, reading.error) << size << ' ' << reading.detail;
    }
  }
}

TEST_F(ElfTest, MissingSectionHeadersAreNoFault) {
  auto program = tiny_x86_64();
  program.header.e_shoff = 1U << 20;
  program.header.e_shnum = 30;
  EXPECT_EQ(compare(program.bytes()).fault, std::nullopt);
  EXPECT_EQ(truth(program.bytes()).output, "M");
}

TEST_F(ElfTest, PagesBeyondTheFilesEndKill) {
  auto program = tiny_x86_64();
  program.load.p_filesz = program.load.p_memsz = 4096;
  EXPECT_EQ(compare(program.bytes()).fault, std::nullopt) << "the last page is filled with zeros";
  program.load.p_filesz = 4097;
  program.load.p_memsz = 8192;
  program.load.p_flags |= PF_W;
  const ElfReading reading = compare(program.bytes());
  EXPECT_EQ(reading.fault, Code::bad_elf);
  EXPECT_EQ(reading.detail, "the file ends before its segments do");
}

TEST_F(ElfTest, DamagedHeadersAreReadAsTheKernelDoes) {
  std::mt19937 random(20240612);
  const std::string whole = tiny_x86_64().bytes();
  for (int i = 0; i < 600; ++i) {
    std::string file = whole;
    const std::size_t limit = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    for (auto n = random() % 2 + 1; n > 0; --n) {
      const std::size_t at = 4 + random() % (limit - 4);
      file[at] = static_cast<char>(random() % 3 == 0 ? random() : random() % 4);
    }
    if (random() % 4 == 0) file.resize(4 + random() % file.size());
    const ElfReading reading = read(file);
    const ExecTruth real = truth(file);
    EXPECT_FALSE(reading.fault && real.output == "M") << i << ' ' << reading.detail;
    if (reading.header.loader.empty()) {
      EXPECT_EQ(real.error, reading.error) << i << ' ' << reading.detail;
    }
  }
}

TEST_F(ElfTest, MachinesHaveNames) {
  EXPECT_EQ(machine_name(EM_X86_64), "x86-64");
  EXPECT_EQ(machine_name(4711), "machine 4711");
}

TEST_F(ElfTest, SomeMachinesLookAtTheClass) {
  Machine risc;
  risc.machine = EM_RISCV;
  risc.compat32 = false;
  EXPECT_EQ(runs_as(risc, EM_RISCV, ELFCLASS64), 64U);
  EXPECT_EQ(runs_as(risc, EM_RISCV, ELFCLASS32), std::nullopt);
  EXPECT_EQ(runs_as(risc, EM_X86_64, ELFCLASS64), std::nullopt);
}

}  // namespace
}  // namespace permguard
