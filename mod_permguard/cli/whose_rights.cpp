// SPDX-License-Identifier: Apache-2.0
#include "cli/whose_rights.h"

#include <unistd.h>

#include <array>
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

Identity identity_of_process(pid_t pid) {
  Result<Identity> found = process_identity(pid);
  if (found) return std::move(found.value);
  throw CommandError(process_words(pid) + ": " +
                     (found.error == ENOENT ? "no such process" : std::strerror(found.error)));
}

WhoseRights of_process(pid_t pid) {
  WhoseRights rights;
  rights.who = identity_of_process(pid);
  rights.reason = process_words(pid);
  rights.surroundings = pid;
  rights.search_path = path_of_process(pid).value_or(kDefaultPath);
  const Result<bool> same_view = compare_view(pid);
  if (!same_view) {
    throw CommandError("cannot look into " + process_words(pid) + ": " +
                       std::strerror(same_view.error));
  }
  if (same_view.value) return rights;
  rights.root = "/proc/" + std::to_string(pid) + "/root";
  rights.enter = pid;
  return rights;
}

WhoseRights of_running_httpd(pid_t pid) {
  WhoseRights rights;
  rights.who = identity_of_process(pid);
  rights.reason = "User of the running httpd, " + process_words(pid);
  rights.search_path = path_of_process(pid).value_or(kDefaultPath);
  return rights;
}

WhoseRights of_default_user() {
  if (const auto pid = running_httpd_child()) return of_running_httpd(*pid);
  for (const char* name : {"www-data", "apache"}) {
    Result<Identity> found = lookup_identity(name);
    if (!found) continue;
    WhoseRights rights;
    rights.who = std::move(found.value);
    rights.reason = "no httpd is running";
    rights.no_httpd = true;
    return rights;
  }
  throw CommandError("no httpd is running and there is no user www-data or apache: use --as USER");
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

std::unique_ptr<Kernel> WhoseRights::make_kernel() const {
  if (!ask_kernel) return nullptr;
  auto kernel = std::make_unique<DelegateKernel>(who, true, enter);
  return kernel->error() == 0 ? std::move(kernel) : nullptr;
}

std::string WhoseRights::words() const {
  return "as " + identity_words(who) + ": " + reason + "; " +
         (ask_kernel ? "the kernel was asked" : "computed from modes, ACLs and mounts");
}

Surroundings surroundings_of(const WhoseRights& rights) {
  Surroundings around = read_surroundings(rights.surroundings.value_or(0));
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

}  // namespace permguard::cli
