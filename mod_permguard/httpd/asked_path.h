// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "httpd/shared_words.h"

namespace permguard::shared {

/// `path` without slashes at its end: "/" is "".
std::string_view without_end_slashes(std::string_view path);
/// The directory part of `path` without its last slash.
std::string_view directory_of(std::string_view path);
/// Whether `leading` is `path` or a directory above it, by name.
bool leads_to(std::string_view leading, std::string_view path);

/// Hashes of a path, of its directory and of all that lead to it, computed once, so that it
/// can be compared with every open incident at no further cost.
class AskedPath {
 public:
  explicit AskedPath(std::string_view path) noexcept;

  std::uint64_t whole() const { return whole_; }
  std::uint64_t directory() const { return directory_; }
  /// Whether the path of that hash and length leads here; true where it is longer than the
  /// prefixes kept.
  bool may_descend_from(std::uint64_t hash, std::uint64_t length) const noexcept;

 private:
  struct Prefix {
    std::uint64_t hash;
    std::uint64_t length;
  };
  static constexpr std::size_t kPrefixes = 64;

  void keep(std::uint64_t hash, std::size_t length) noexcept;

  std::uint64_t whole_ = 0;
  std::uint64_t directory_ = 0;
  std::array<Prefix, kPrefixes> prefixes_;
  std::size_t count_ = 0;
};

}  // namespace permguard::shared
