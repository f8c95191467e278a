// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/result.h"

namespace permguard::cli {

/// `path` from the working directory, as execve(2) takes it. Throws CommandError: an empty path, or
/// a working directory that is not known.
std::string absolute_path(const std::string& path);

/// `path` with every link followed, as realpath(3); an errno where that leads nowhere.
Result<std::string> link_free_path(const std::string& path);

}  // namespace permguard::cli
