// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace permguard {

/// A registration of binfmt_misc (Linux Documentation/admin-guide/binfmt-misc.rst).
struct BinfmtEntry {
  std::string name;
  std::string interpreter;
  bool by_extension = false;
  std::string magic;  ///< bytes, or the extension without dot
  std::string mask;   ///< as long as magic, or empty
  std::size_t offset = 0;
  bool enabled = true;
  bool keeps_open = false;  ///< flag F: the interpreter was opened at registration, its path and
                            ///< permissions no longer count
};

/// What is known of binfmt_misc.
struct BinfmtMisc {
  enum class State : std::uint8_t { absent, readable, unreadable };
  State state = State::absent;
  std::vector<BinfmtEntry>
      entries;  ///< in the directory's order; none where `status` says disabled

  /// The enabled entry that takes a file named `path` beginning with `head`, or null. The
  /// kernel asks binfmt_misc before `#!` and ELF (insert_binfmt), so a match decides whatever
  /// the head is. An extension is what follows the last dot of the path as given to execve,
  /// directories included; a magic is compared within the first 256 bytes, those beyond a short
  /// file's end being NUL. Where several match, the kernel takes the one registered last; the
  /// first of `entries` is taken here, because the directory lists the newest first.
  const BinfmtEntry* match(std::string_view path, std::string_view head) const;
};

/// The contents of one file under /proc/sys/fs/binfmt_misc as the kernel prints it, or nullopt
/// where it is not one (the files `register` and `status`). Pure.
std::optional<BinfmtEntry> parse_binfmt_entry(std::string_view name, std::string_view text);

}  // namespace permguard
