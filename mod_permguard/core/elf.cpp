// SPDX-License-Identifier: Apache-2.0
#include "core/elf.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

namespace permguard {
namespace {

constexpr std::size_t kLongestLoader = 4096;  // PATH_MAX with its NUL
constexpr std::uint64_t kUnknownSize = std::numeric_limits<std::uint64_t>::max();

/// One program header, widened to 64 bits.
struct Segment {
  std::uint32_t type;
  std::uint64_t offset, address, file_size, memory_size;
};

/// The file as far as it is at hand, with what execve(2) would read from it.
struct File {
  std::string_view head;
  std::uint64_t size;
  const ReadMore& read_more;

  /// `count` bytes at `offset`; shorter where the file ends.
  std::string bytes(std::uint64_t offset, std::size_t count) const {
    if (offset <= head.size() && count <= head.size() - offset) {
      return std::string(head.substr(static_cast<std::size_t>(offset), count));
    }
    if (offset >= size || !read_more) return {};
    std::string more = read_more(offset, count);
    if (more.size() > count) more.resize(count);
    return more;
  }
};

template <class T>
T copied(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

ElfReading faulty(ElfHeader header, Code code, int error, std::string detail) {
  return {std::move(header), code, error, std::move(detail)};
}

ElfReading damaged(const ElfHeader& header, int error, std::string detail) {
  return faulty(header, Code::bad_elf, error, std::move(detail));
}

/// Programs for another machine are named by their own byte order.
std::uint16_t named_machine(std::string_view head, std::uint16_t machine) {
  const bool written_big = head.size() > EI_DATA && head[EI_DATA] == ELFDATA2MSB;
  const bool reads_big = std::endian::native == std::endian::big;
  if (written_big == reads_big) return machine;
  return static_cast<std::uint16_t>(machine >> 8 | machine << 8);
}

/// Where the bytes of `segment` end in the file; saturates.
std::uint64_t file_end(const Segment& segment) {
  const std::uint64_t end = segment.offset + segment.file_size;
  return end < segment.offset ? kUnknownSize : end;
}

/// Why elf_load() cannot map `segment`, or a process dies of it; null: it can.
const char* mapping_fault(const Segment& segment, std::uint64_t file_size, std::uint64_t page) {
  if (segment.file_size > segment.memory_size)
    return "a segment is larger in the file than in memory";
  if (segment.file_size == 0) return nullptr;
  if (segment.offset % page != segment.address % page) return "a segment is misaligned";
  const std::uint64_t last_page = (file_end(segment) - 1) / page * page;
  return last_page >= file_size ? "the file ends before its segments do" : nullptr;
}

template <class Header, class ProgramHeader>
class Reader {
 public:
  Reader(const File& file, const Machine& machine, ElfHeader header, bool is_loader)
      : is_loader_(is_loader),
        file_(file),
        machine_(machine),
        header_(std::move(header)),
        raw_(copied<Header>(file.head)) {}

  ElfReading read() {
    if (raw_.e_type != ET_EXEC && raw_.e_type != ET_DYN) {
      return damaged(header_, ENOEXEC, std::string("it is ") + type_words() + ", not a program");
    }
    if (!read_program_headers())
      return damaged(header_, ENOEXEC, "its program headers are damaged");
    for (std::size_t i = 0; !is_loader_ && i < raw_.e_phnum; ++i) {
      if (segment(i).type == PT_INTERP) {
        if (auto fault = read_loader(segment(i))) return *fault;
        break;  // the kernel looks at the first only
      }
    }
    return read_segments();
  }

 private:
  const char* type_words() const {
    if (raw_.e_type == ET_REL) return "an object file";
    return raw_.e_type == ET_CORE ? "a core dump" : "of an unknown type";
  }

  /// load_elf_phdrs(): at most one page of them.
  bool read_program_headers() {
    const std::size_t size = std::size_t{raw_.e_phnum} * sizeof(ProgramHeader);
    if (raw_.e_phentsize != sizeof(ProgramHeader)) return false;
    if (size == 0 || size > 65536 || size > machine_.page_size) return false;
    table_ = file_.bytes(raw_.e_phoff, size);
    return table_.size() == size;
  }

  Segment segment(std::size_t index) const {
    const auto raw = copied<ProgramHeader>(
        std::string_view(table_).substr(index * sizeof(ProgramHeader), sizeof(ProgramHeader)));
    return {raw.p_type, raw.p_offset, raw.p_vaddr, raw.p_filesz, raw.p_memsz};
  }

  std::optional<ElfReading> read_loader(const Segment& interp) {
    if (interp.file_size < 2 || interp.file_size > kLongestLoader) {
      return damaged(header_, ENOEXEC, "its loader's name is damaged");
    }
    const auto size = static_cast<std::size_t>(interp.file_size);
    const std::string name = file_.bytes(interp.offset, size);
    if (name.size() < size) return damaged(header_, EIO, "the file ends before its loader's name");
    if (name.back() != '\0') return damaged(header_, ENOEXEC, "its loader's name is damaged");
    header_.loader = name.c_str();
    return std::nullopt;
  }

  /// After begin_new_exec() nothing is refused any more: the process is killed.
  ElfReading read_segments() const {
    bool any = false;
    for (std::size_t i = 0; i < raw_.e_phnum; ++i) {
      const Segment load = segment(i);
      if (load.type != PT_LOAD) continue;
      any = true;
      if (const char* words = mapping_fault(load, file_.size, machine_.page_size)) {
        return damaged(header_, 0, words);
      }
    }
    if (!any) return damaged(header_, 0, "it has no segment to load");
    return {header_, std::nullopt, 0, {}};
  }

  bool is_loader_;  ///< the kernel ignores a loader's own PT_INTERP
  const File& file_;
  const Machine& machine_;
  ElfHeader header_;
  Header raw_;
  std::string table_;
};

/// An x32 file says x86-64 and has 32-bit headers: only a kernel with that ABI reads them.
bool is_x32(const Elf32_Ehdr& small) {
  return small.e_machine == EM_X86_64 && small.e_ident[EI_CLASS] == ELFCLASS32 &&
         small.e_phentsize == sizeof(Elf32_Phdr);
}

ElfReading read_as(std::string_view head, std::uint64_t file_size, const Machine& machine,
                   const ReadMore& read_more, bool is_loader) {
  const auto small = copied<Elf32_Ehdr>(head);  // as far as e_machine both layouts agree
  ElfHeader header{small.e_machine, 0, small.e_type, {}};
  if (head.size() < offsetof(Elf32_Ehdr, e_version)) {
    return damaged(header, ENOEXEC, "the file ends in its header");
  }
  auto bits = runs_as(machine, small.e_machine, small.e_ident[EI_CLASS]);
  if (bits && is_x32(small)) bits = machine.x32 ? std::optional<unsigned>(32) : std::nullopt;
  if (!bits) {
    return faulty(header, Code::wrong_architecture, ENOEXEC,
                  is_x32(small) ? "x32" : machine_name(named_machine(head, small.e_machine)));
  }
  header.bits = static_cast<std::uint8_t>(*bits);
  const File file{head, file_size == 0 ? kUnknownSize : file_size, read_more};
  if (*bits == 64) return Reader<Elf64_Ehdr, Elf64_Phdr>(file, machine, header, is_loader).read();
  return Reader<Elf32_Ehdr, Elf32_Phdr>(file, machine, header, is_loader).read();
}

}  // namespace

bool begins_like_elf(std::string_view head) {
  return head.substr(0, SELFMAG) == std::string_view(ELFMAG, SELFMAG);
}

ElfReading read_elf(std::string_view head, std::uint64_t file_size, const Machine& machine,
                    const ReadMore& read_more) {
  return read_as(head, file_size, machine, read_more, false);
}

std::string loader_fault(std::string_view loader, std::uint64_t file_size, const ElfHeader& program,
                         const Machine& machine, const ReadMore& read_more) {
  if (!begins_like_elf(loader)) return "its loader is not an ELF program";
  const ElfReading reading = read_as(loader, file_size, machine, read_more, true);
  if (reading.fault == Code::wrong_architecture) return "its loader is for " + reading.detail;
  if (reading.fault) return "its loader is damaged: " + reading.detail;
  if (reading.header.bits != program.bits) {
    return "its loader is for " + machine_name(reading.header.machine);
  }
  return {};
}

}  // namespace permguard
