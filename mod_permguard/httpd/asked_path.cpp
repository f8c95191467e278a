// SPDX-License-Identifier: Apache-2.0
#include "httpd/asked_path.h"

namespace permguard::shared {

std::string_view without_end_slashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string_view directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool leads_to(std::string_view leading, std::string_view path) {
  leading = without_end_slashes(leading);
  return path.starts_with(leading) &&
         (path.size() == leading.size() || path[leading.size()] == '/');
}

AskedPath::AskedPath(std::string_view path) noexcept {
  std::uint64_t hash = kHashSeed;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/') {
      keep(hash, i);
      directory_ = hash;
    }
    hash = hash_byte(hash, path[i]);
  }
  keep(hash, path.size());
  whole_ = hash;
}

void AskedPath::keep(std::uint64_t hash, std::size_t length) noexcept {
  if (count_ < kPrefixes) prefixes_[count_++] = {hash, length};
}

bool AskedPath::may_descend_from(std::uint64_t hash, std::uint64_t length) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (prefixes_[i].length == length) return prefixes_[i].hash == hash;
    if (prefixes_[i].length > length) return false;
  }
  return count_ == kPrefixes;
}

}  // namespace permguard::shared
