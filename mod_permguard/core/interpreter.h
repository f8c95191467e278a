// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/binfmt_misc.h"
#include "core/elf.h"
#include "core/env_command.h"
#include "core/finding.h"
#include "core/machine.h"
#include "core/shebang.h"

namespace permguard {

/// How many files in a row, the script included, may each name the next one to execute before
/// an ELF program must come: exec_binprm() in fs/exec.c answers ELOOP to a sixth. A program
/// that calls execve itself, such as env, begins anew.
inline constexpr unsigned kMaxInterpreterDepth = 5;

/// What a file's first bytes make of it.
enum class Format : std::uint8_t { shebang, elf, empty, text, binary };

/// The reading of one file. `fault` is the format's own fault, if it has one: empty-file,
/// no-shebang, bom-before-shebang, shebang-crlf, shebang-too-long, wrong-architecture, bad-elf.
/// All but shebang-crlf are certain; that one says that the interpreter's name ends in CR and
/// counts only where no such interpreter is found, because a file may be named "sh\r".
struct FileHead {
  Format format = Format::empty;
  std::optional<Shebang> shebang;
  std::optional<ElfHeader> elf;
  std::optional<Code> fault;
  int error = 0;       ///< errno of execve for `fault`, mostly ENOEXEC (which execvp(3) answers
                       ///< by running /bin/sh, and execve, which httpd uses, does not); 0 with
                       ///< a fault: execve succeeds and the process is killed; for
                       ///< shebang-crlf ENOENT
  std::string detail;  ///< words for the fault: the machine's name, the bytes found
};

/// Reads `head`, the first bytes of a file (at most kHeadBytes count for `#!`), as the kernel
/// does. `file_size` tells a truncated file from a short read. Never fails, for any bytes.
///
/// For ELF, `head` must hold the program headers and the loader's name for the loader to be
/// found; `read_more(offset, count)` is called for what lies outside it. A CR in the argument
/// is no fault here: the kernel starts the interpreter, which may or may not mind.
///
/// Text is what has no control bytes but white space, BS and ESC among its first 256.
FileHead read_head(std::string_view head, std::uint64_t file_size, const Machine& machine,
                   const ReadMore& read_more);

}  // namespace permguard
