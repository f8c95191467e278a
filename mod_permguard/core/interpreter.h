// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"

namespace permguard {

/// BINPRM_BUF_SIZE: how many bytes of a file the kernel reads to know its format, execve(2).
inline constexpr std::size_t kHeadBytes = 256;

/// How often one execve may go on to another interpreter: fs/exec.c exec_binprm().
inline constexpr unsigned kMaxInterpreterDepth = 5;

/// What a file's first bytes make of it.
enum class Format : std::uint8_t { shebang, elf, empty, text, binary };

/// The first line of a script as the kernel's binfmt_script splits it.
struct Shebang {
  std::string interpreter;   ///< path as written
  std::string argument;      ///< the one optional argument, blanks at its ends removed
  bool has_argument = false;
};

/// An ELF header as far as execve(2) looks at it.
struct ElfHeader {
  std::uint16_t machine = 0;  ///< e_machine
  std::uint8_t bits = 0;      ///< 32 or 64
  std::uint16_t type = 0;     ///< e_type: 2 ET_EXEC, 3 ET_DYN
  std::string loader;         ///< PT_INTERP; empty: static
};

/// The reading of one file. `fault` is the format's own fault, if it has one: empty-file,
/// no-shebang, bom-before-shebang, shebang-crlf, shebang-too-long, wrong-architecture, bad-elf.
struct FileHead {
  Format format = Format::empty;
  std::optional<Shebang> shebang;
  std::optional<ElfHeader> elf;
  std::optional<Code> fault;
  std::string detail;  ///< words for the fault: the machine's name, the bytes found
};

/// A registration of binfmt_misc (Linux Documentation/admin-guide/binfmt-misc.rst).
struct BinfmtEntry {
  std::string name;
  std::string interpreter;
  bool by_extension = false;
  std::string magic;      ///< bytes, or the extension without dot
  std::string mask;       ///< as long as magic, or empty
  std::size_t offset = 0;
  bool enabled = true;
};

/// What is known of binfmt_misc.
struct BinfmtMisc {
  enum class State : std::uint8_t { absent, readable, unreadable };
  State state = State::absent;
  std::vector<BinfmtEntry> entries;

  /// The enabled entry that takes a file named `path` beginning with `head`, or null.
  const BinfmtEntry* match(std::string_view path, std::string_view head) const;
};

/// The contents of one file under /proc/sys/fs/binfmt_misc as the kernel prints it, or nullopt
/// where it is not one (the files `register` and `status`). Pure.
std::optional<BinfmtEntry> parse_binfmt_entry(std::string_view name, std::string_view text);

/// Reads `head`, the first bytes of a file (at most kHeadBytes count for `#!`), as the kernel
/// does. `file_size` tells a truncated file from a short read. Never fails, for any bytes.
///
/// binfmt_script (fs/binfmt_script.c, Linux 5.1 and later): blanks are space and tab; the line
/// ends at LF, or at NUL or the 256th byte provided the interpreter's name has ended before;
/// CR is a byte like any other; "#!" followed by blanks only is ENOEXEC.
///
/// For ELF, `head` must hold the program headers and the loader's name for the loader to be
/// found; `read_more(offset, count)` is called for what lies outside it.
FileHead read_head(std::string_view head, std::uint64_t file_size,
                   const std::function<std::string(std::uint64_t, std::size_t)>& read_more);

/// e_machine and word size this kernel executes natively, and whether it also runs 32-bit
/// programs of its family.
struct Machine {
  std::uint16_t machine = 62;  ///< EM_X86_64
  bool compat32 = true;        ///< i386 programs run (CONFIG_IA32_EMULATION)
};
Machine native_machine();

/// What `env` of coreutils does with its arguments when it is the interpreter: the kernel hands
/// it `argument` as one word, then the script's path.
struct EnvCommand {
  std::string command;      ///< the program looked up in PATH
  std::optional<std::string> path;  ///< PATH after -i, -u PATH or PATH=… among the assignments; nullopt: unchanged
  std::optional<std::string> directory;  ///< -C / --chdir
  std::string error;        ///< what env itself complains of; then `command` is empty
};

/// Parses env's command line: options -i, -u, -C, -S/--split-string, -v, --, NAME=VALUE, then
/// the command (coreutils manual, "env invocation", "-S/--split-string usage"). `argument` is
/// Shebang::argument; `lookup` gives the value of ${VAR} inside -S, from the script's environment.
/// Without -S a blank inside `argument` is part of the command's name. Never fails, for any bytes.
EnvCommand parse_env(std::string_view argument, bool has_argument,
                     const std::function<std::optional<std::string>(std::string_view)>& lookup);

}  // namespace permguard
