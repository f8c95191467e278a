// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/identity.h"
#include "core/process.h"
#include "core/result.h"

namespace permguard::cli {

/// A running httpd, which nobody but root can have started. No process passes for one by its name
/// or environment, which everybody chooses.
struct RunningHttpd {
  Process master;
  std::vector<Process> children;  ///< by pid; those that have changed to another user
};

/// What `apachectl -t -D DUMP_RUN_CFG` prints; empty where it does not say.
struct RunConfiguration {
  std::string pid_file;
  std::string user;  ///< "#UID:#GID", for lookup_identity()
};

/// Pure. Lines it does not know are left out.
RunConfiguration parse_run_configuration(std::string_view text);

/// That of the installed httpd's own configuration, from the apachectl in one of the known places,
/// where it and the way to it are root's. Empty where none can tell.
RunConfiguration installed_configuration();

/// The httpds of this machine, by pid: processes that a program named apache2, httpd or httpd-…
/// runs in, root's as is the way to it, the very file that stands at its path or one that was
/// replaced by an upgrade (proc_pid_exe(5): " (deleted)"); whose four user ids are 0; in this
/// process's user and pid namespace, so that a container's is none; and whose parent is no such
/// process. Where some have children, those without are left out: they start, or test a
/// configuration.
std::vector<RunningHttpd> running_httpds();

/// The one whose PidFile is `file`, where the process of that number is an httpd as above.
std::optional<RunningHttpd> httpd_of_pid_file(const std::string& file);

/// PATH in the environment that the process was started with (proc(5), environ), or nullopt where
/// it has none or may not be read.
std::optional<std::string> path_of_process(const Process& process);

/// Whether this process sees the same files under the same names, with the same rights over them,
/// as `process`: the same mount and user namespace and root directory. Errors: those of stat(2)
/// where it may not be known.
Result<bool> compare_view(const Process& process);

}  // namespace permguard::cli
