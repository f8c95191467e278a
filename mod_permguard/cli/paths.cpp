// SPDX-License-Identifier: Apache-2.0
#include "cli/paths.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/command.h"
#include "core/filesystem.h"

namespace permguard::cli {
namespace {

/// "/srv//cgi/./a/" → "/srv/cgi/a". ".." stays: behind a link it leads elsewhere.
std::string without_empty_parts(const std::string& path) {
  std::string plain;
  for (const std::filesystem::path& part : std::filesystem::path(path).relative_path()) {
    if (!part.empty() && part != ".") plain += '/' + part.string();
  }
  return plain.empty() ? "/" : plain;
}

}  // namespace

std::string absolute_path(const std::string& path) {
  if (path.empty()) throw CommandError("an empty PATH names nothing");
  if (path.starts_with('/')) return path;
  std::error_code error;
  const std::string directory = std::filesystem::current_path(error);
  if (error) throw CommandError("the working directory is not known: " + error.message());
  return (directory == "/" ? "" : directory) + "/" + path;
}

std::vector<std::string> roots_of(const std::vector<std::string>& paths) {
  std::vector<std::string> roots;
  for (const std::string& path : paths) {
    std::string root = without_empty_parts(absolute_path(path));
    const bool known = std::any_of(roots.begin(), roots.end(), [&](const std::string& other) {
      return other == root || leads_to(other, root);
    });
    if (known) continue;
    std::erase_if(roots, [&](const std::string& other) { return leads_to(root, other); });
    roots.push_back(std::move(root));
  }
  return roots;
}

}  // namespace permguard::cli
