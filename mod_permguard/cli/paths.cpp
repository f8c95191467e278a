// SPDX-License-Identifier: Apache-2.0
#include "cli/paths.h"

#include <filesystem>

#include "cli/command.h"

namespace permguard::cli {

std::string absolute_path(const std::string& path) {
  if (path.empty()) throw CommandError("an empty PATH names nothing");
  if (path.starts_with('/')) return path;
  std::error_code error;
  const std::string directory = std::filesystem::current_path(error);
  if (error) throw CommandError("the working directory is not known: " + error.message());
  return (directory == "/" ? "" : directory) + "/" + path;
}

Result<std::string> link_free_path(const std::string& path) {
  std::error_code error;
  std::string real = std::filesystem::canonical(path, error);
  return error ? failure<std::string>(error.value()) : Result<std::string>{0, std::move(real)};
}

}  // namespace permguard::cli
