// SPDX-License-Identifier: Apache-2.0
#include "incidents/path_hashes.h"

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

}  // namespace permguard::shared
