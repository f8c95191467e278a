// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace permguard {

/// BINPRM_BUF_SIZE: how many bytes of a file the kernel reads to know its format, execve(2).
inline constexpr std::size_t kHeadBytes = 256;

/// The first line of a script as the kernel's binfmt_script splits it.
struct Shebang {
  std::string interpreter;    ///< path as written; empty where a NUL stands in its place
  std::string argument;       ///< the one optional argument, without the blanks around it
  bool has_argument = false;  ///< true with an empty `argument`: the interpreter gets ""
};

/// How the reading of a first line ended.
enum class ShebangEnd : std::uint8_t {
  none,          ///< does not begin with "#!"
  complete,      ///< an interpreter was named (execve goes on to it)
  without_name,  ///< nothing but blanks before the line's end: ENOEXEC, or EACCES where a NUL
                 ///< or the file's end takes the place of LF, because the kernel opens ""
  unfinished     ///< the interpreter's name does not end within kHeadBytes: ENOEXEC
};

struct ShebangLine {
  ShebangEnd end = ShebangEnd::none;
  Shebang shebang;  ///< meaningful where `end` is complete
  int error = 0;    ///< errno of execve(2) for this line alone; 0: it goes on to the interpreter
};

/// Splits a script's first line as fs/binfmt_script.c of Linux 5.1 and later does; `head` is the
/// file's beginning, of which kHeadBytes count. Blanks are space and tab. The line ends at LF
/// or NUL, or at the last of those bytes if the interpreter's name ended before: then the
/// argument is cut there. CR is a byte like any other. The bytes after a short file's end read
/// as NUL. Blanks before LF are dropped; before NUL they belong to the argument, which is ""
/// where nothing else stands there. Pure; never
/// fails, for any bytes.
ShebangLine parse_shebang(std::string_view head);

}  // namespace permguard
