// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace permguard::cli {

/// `path` from the working directory, as execve(2) takes it. Throws CommandError: an empty path, or
/// a working directory that is not known.
std::string absolute_path(const std::string& path);

/// The trees to walk for `paths`: absolute, without empty and "." components, in their order, and
/// none that lies in another. One that links lead to is no part of the tree it is named in, which
/// is walked without following them. Throws as absolute_path().
std::vector<std::string> roots_of(const std::vector<std::string>& paths);

}  // namespace permguard::cli
