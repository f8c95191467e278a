// SPDX-License-Identifier: Apache-2.0
#include "cli/paths.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/command.h"
#include "core/chain.h"

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

/// Whether a walk of `root` comes by `other`, a name below it.
bool leads_to(const std::string& root, const std::string& other) {
  if (!lies_in(other, root)) return false;
  const Result<std::string> from = link_free_path(root), to = link_free_path(other);
  const std::string rest = other.substr(root == "/" ? 0 : root.size());
  return from && to && to.value == (from.value == "/" ? "" : from.value) + rest;
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

Result<std::string> link_free_path(const std::string& path) {
  std::error_code error;
  std::string real = std::filesystem::canonical(path, error);
  return error ? failure<std::string>(error.value()) : Result<std::string>{0, std::move(real)};
}

}  // namespace permguard::cli
