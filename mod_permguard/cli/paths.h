// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace permguard::cli {

/// `path` from the working directory, as execve(2) takes it. Throws CommandError: an empty path, or
/// a working directory that is not known.
std::string absolute_path(const std::string& path);

}  // namespace permguard::cli
