// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/result.h"

namespace permguard::cli {

/// A child of a running httpd that has changed to its User: a process named apache2 or httpd that
/// is not root's and whose parent is a root process of the same name; the lowest such pid. So
/// that nobody can pass for httpd by a name, a process without such a parent does not count.
std::optional<pid_t> running_httpd_child();

/// The running httpd whose PidFile is `file`: a process of that number named apache2 or httpd.
std::optional<pid_t> httpd_of_pid_file(const std::string& file);

/// PATH in the environment process `pid` was started with (proc(5), environ), or nullopt where it
/// has none or may not be read.
std::optional<std::string> path_of_process(pid_t pid);

/// Whether this process sees the same files under the same names, with the same rights over them,
/// as process `pid`: the same mount and user namespace and root directory. Errors: those of stat(2)
/// where it may not be known.
Result<bool> compare_view(pid_t pid);

}  // namespace permguard::cli
