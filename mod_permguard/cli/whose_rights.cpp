// SPDX-License-Identifier: Apache-2.0
#include "cli/whose_rights.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/command.h"
#include "cli/httpd_process.h"
#include "report/explain_text.h"

namespace permguard::cli {
namespace {

// systemd's default for services, which httpd hands on to its scripts: systemd.exec(5).
constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string process_words(pid_t pid) {
  return "process " + std::to_string(pid);
}

WhoseRights of_user(const std::string& spec) {
  Result<Identity> found = lookup_identity(spec);
  if (!found) {
    throw CommandError("--as '" + spec + "': " +
                       (found.error == ENOENT   ? "no such user or group"
                        : found.error == EINVAL ? "expected USER, USER:GROUP or #uid"
                                                : std::strerror(found.error)));
  }
  WhoseRights rights;
  rights.who = std::move(found.value);
  rights.reason = "named by --as";
  return rights;
}

std::string no_process(pid_t pid, int error) {
  const bool gone = error == ENOENT || error == ESRCH;
  return process_words(pid) + ": " + (gone ? "no such process" : std::strerror(error));
}

Identity identity_of_process(const Process& process) {
  Result<Identity> found = process_identity(process.path());
  if (found) return std::move(found.value);
  throw CommandError(no_process(process.pid(), found.error));
}

WhoseRights of_process(pid_t pid) {
  const Result<Process> process = Process::open(pid);
  if (!process) throw CommandError(no_process(pid, process.error));
  WhoseRights rights;
  rights.who = identity_of_process(process.value);
  rights.reason = process_words(pid);
  rights.search_path = path_of_process(process.value).value_or(kDefaultPath);
  if (const int error = rights.look_as(process.value); error != 0) {
    throw CommandError("cannot look into " + process_words(pid) + ": " + std::strerror(error));
  }
  return rights;
}

/// Which process of an httpd is one that serves: one of the configuration's user, where that is
/// known, since daemons of mod_wsgi have users of their own. Throws CommandError where it is not.
const Process* serving_process(const RunningHttpd& httpd, const RunConfiguration& configuration) {
  const Result<Identity> user = lookup_identity(configuration.user);
  std::vector<uid_t> users;
  const Process* first = nullptr;
  for (const Process& child : httpd.children) {
    const Result<Identity> who = process_identity(child.path());
    if (!who) continue;
    if (user && who.value.uid == user.value.uid) return &child;
    if (first == nullptr) first = &child;
    if (std::find(users.begin(), users.end(), who.value.uid) == users.end()) {
      users.push_back(who.value.uid);
    }
  }
  if (users.size() < 2) return first;
  throw CommandError("the children of the running httpd, " + process_words(httpd.master.pid()) +
                     ", have several users: name one of them by --pid, or a user by --as");
}

/// By ChrootDir; else the root process is looked at, which does not end before httpd does.
bool has_other_root(const Process& child, const Process& master) {
  struct stat one {
  }, other{};
  return stat(child.path("root").c_str(), &one) == 0 &&
         stat(master.path("root").c_str(), &other) == 0 &&
         (one.st_dev != other.st_dev || one.st_ino != other.st_ino);
}

WhoseRights of_running_httpd(const RunningHttpd& httpd, const RunConfiguration& configuration) {
  WhoseRights rights;
  const Process* child = serving_process(httpd, configuration);
  const Process& process = child != nullptr ? *child : httpd.master;
  if (child == nullptr && !configuration.user.empty()) {
    rights.who = of_user(configuration.user).who;
  } else {
    rights.who = identity_of_process(process);
  }
  rights.reason = "User of the running httpd, " + process_words(process.pid());
  // A child can write over its own.
  rights.search_path = path_of_process(httpd.master).value_or(kDefaultPath);
  const bool jailed = child != nullptr && has_other_root(*child, httpd.master);
  if (rights.look_as(jailed ? *child : httpd.master) != 0) {
    rights.reason += ", whose mounts may not be looked at";
  } else if (!rights.root.empty()) {
    rights.reason += ", in its mount namespace";
  }
  return rights;
}

/// Throws CommandError that names one process of each.
[[noreturn]] void refuse_several(const std::vector<RunningHttpd>& httpds) {
  std::string text = "several httpds are running; name one by --pid:";
  for (const RunningHttpd& httpd : httpds) {
    const Process& process = httpd.children.empty() ? httpd.master : httpd.children.front();
    text += (text.ends_with(':') ? " " : ", ") + std::to_string(process.pid()) + " (of " +
            std::to_string(httpd.master.pid()) + ")";
  }
  throw CommandError(text);
}

WhoseRights of_absent_httpd(const RunConfiguration& configuration) {
  for (const std::string& name :
       {configuration.user, std::string("www-data"), std::string("apache"), std::string("wwwrun"),
        std::string("http"), std::string("daemon"), std::string("nobody")}) {
    Result<Identity> found = lookup_identity(name);
    if (!found) continue;
    WhoseRights rights;
    rights.who = std::move(found.value);
    rights.reason = name == configuration.user ? "User of the configuration, no httpd is running"
                                               : "no httpd is running";
    rights.no_httpd = true;
    return rights;
  }
  throw CommandError(
      "no httpd is running and there is no user www-data, apache, wwwrun, http, daemon or nobody: "
      "use --as USER");
}

WhoseRights of_default_user() {
  const RunConfiguration configuration = installed_configuration();
  if (!configuration.pid_file.empty()) {
    if (const auto httpd = httpd_of_pid_file(configuration.pid_file)) {
      return of_running_httpd(*httpd, configuration);
    }
  }
  const std::vector<RunningHttpd> httpds = running_httpds();
  if (httpds.size() > 1) refuse_several(httpds);
  // The configuration read above is not that of an httpd that was found otherwise.
  return httpds.empty() ? of_absent_httpd(configuration) : of_running_httpd(httpds.front(), {});
}

WhoseRights of_caller() {
  WhoseRights rights;
  rights.who = current_identity();
  rights.reason = "who calls";
  return rights;
}

WhoseRights choose(const WhoseOptions& options) {
  if (options.pid) return of_process(*options.pid);
  if (options.as) return of_user(*options.as);
  return geteuid() == 0 ? of_default_user() : of_caller();
}

}  // namespace

int WhoseRights::look_as(const Process& process) {
  const Result<bool> same_view = compare_view(process);
  if (!same_view) return same_view.error;
  surroundings = process;
  root = same_view.value ? std::string() : process.path("root");
  enter = same_view.value ? std::string() : process.path();
  return 0;
}

std::unique_ptr<Kernel> WhoseRights::make_kernel() const {
  if (!ask_kernel) return nullptr;
  auto kernel = std::make_unique<DelegateKernel>(who, true, enter);
  return kernel->error() == 0 ? std::move(kernel) : nullptr;
}

void WhoseRights::withhold_elsewhere(Finding& finding) const {
  if (root.empty()) return;
  const SystemFilesystem here, there(root);
  const auto is_same = [&](const FixStep& step) {
    const Result<FileStatus> ours = here.status(step.path);
    const Result<FileStatus> theirs = there.status(step.path);
    return ours && theirs && ours.value.device == theirs.value.device &&
           ours.value.inode == theirs.value.inode;
  };
  const auto& steps = finding.remedy.steps;
  if (std::all_of(steps.begin(), steps.end(), is_same)) return;
  finding.remedy = {.steps = {},
                    .advice =
                        "another file stands here under this name: change the one that httpd "
                        "sees, in its mount namespace (nsenter --mount), or its unit's setting"};
}

void WhoseRights::check_still_there() const {
  if (root.empty() || access(surroundings->path("root").c_str(), F_OK) == 0) return;
  throw CommandError(process_words(surroundings->pid()) +
                     " has ended meanwhile, so its files could not be looked at: try again");
}

std::string WhoseRights::words() const {
  return "as " + identity_words(who) + ": " + reason + "; " +
         (ask_kernel ? "the kernel was asked" : "computed from modes, ACLs and mounts");
}

Surroundings surroundings_of(const WhoseRights& rights) {
  Surroundings around =
      rights.surroundings ? read_surroundings(rights.surroundings->path()) : read_surroundings();
  around.asker_shares_mounts = rights.root.empty();
  // systemd has set it for the audit, perhaps, and not for httpd.
  if (rights.no_httpd && !rights.surroundings) around.no_new_privs = false;
  return around;
}

bool can_ask(const WhoseRights& rights) {
  return DelegateKernel(rights.who, true, rights.enter).error() == 0;
}

WhoseRights whose_rights(const WhoseOptions& options) {
  WhoseRights rights = choose(options);
  if (rights.search_path.empty()) rights.search_path = kDefaultPath;
  if (options.search_path) rights.search_path = *options.search_path;
  rights.ask_kernel = can_ask(rights);
  return rights;
}

WhoseRights rights_for_configuration(const WhoseOptions& options) {
  if (options.as || options.pid) return whose_rights(options);
  WhoseRights rights = of_caller();
  rights.search_path = options.search_path.value_or(kDefaultPath);
  return rights;
}

}  // namespace permguard::cli
