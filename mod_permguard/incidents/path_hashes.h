// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "incidents/seqlock.h"

namespace permguard::shared {

/// `path` without slashes at its end: "/" is "".
std::string_view without_end_slashes(std::string_view path);
/// The directory part of `path` without its last slash.
std::string_view directory_of(std::string_view path);
/// Whether `leading` is `path` or a directory above it, by name.
bool leads_to(std::string_view leading, std::string_view path);

/// Calls `visit` with the hash_bytes() of every path that leads to `path`: "" for the root, each
/// directory, and `path` itself. Ends where `visit` returns true; whether it did.
template <class Visit>
bool any_leading(std::string_view path, Visit visit) {
  std::uint64_t hash = kHashSeed;
  for (const char byte : path) {
    if (byte == '/' && visit(hash)) return true;
    hash = hash_byte(hash, byte);
  }
  return visit(hash);
}

}  // namespace permguard::shared
