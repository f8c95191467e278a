// SPDX-License-Identifier: Apache-2.0
#include "cli/httpd_process.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <memory>

#include "cli/command_output.h"
#include "core/chain.h"
#include "core/filesystem.h"
#include "core/surroundings.h"

namespace permguard::cli {
namespace {

constexpr std::string_view kDeleted = " (deleted)";  // proc_pid_exe(5)

// Debian's, Red Hat's, SUSE's, Arch's and httpd's own.
constexpr const char* kApachectls[] = {"/usr/sbin/apache2ctl", "/usr/sbin/apachectl",
                                       "/usr/bin/apachectl", "/usr/local/sbin/apachectl",
                                       "/usr/local/apache2/bin/apachectl"};

/// What proc(5), status, says of a process.
struct Status {
  pid_t parent = 0;
  std::array<uid_t, 4> uids{};  ///< real, effective, saved, file system
  bool known = false;

  bool is_root() const {
    return known && std::all_of(uids.begin(), uids.end(), [](uid_t uid) { return uid == 0; });
  }
};

/// Takes a number and the blanks before it from `text`; false where none stands there.
bool take_number(std::string_view& text, unsigned& number) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

/// What stands behind `key` on its line.
std::string_view field(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with(key)) return line.substr(key.size());
    at += line.size() + 1;
  }
  return {};
}

Status status_in(const std::string& text) {
  Status status;
  unsigned parent = 0;
  std::string_view line = field(text, "PPid:");
  status.known = take_number(line, parent);
  status.parent = static_cast<pid_t>(parent);
  line = field(text, "Uid:");
  for (uid_t& uid : status.uids) status.known = status.known && take_number(line, uid);
  return status;
}

Status status_of(const Process& process) {
  return status_in(read_proc(process.path("status")));
}

/// Nobody but root can put something else in its place. Of directories only what all may write is
/// refused: those of /usr/local are writable for a group of administrators (Debian's staff).
bool is_roots(const std::string& path) {
  const SystemFilesystem filesystem;
  const Result<FileStatus> file = filesystem.status(path);
  if (!file || file.value.uid != 0 || (file.value.mode & 002U) != 0) return false;
  const bool by_group = (file.value.mode & 020U) != 0 && file.value.gid != 0;
  if (file.value.type != FileType::directory && by_group) return false;
  return path == "/" || is_roots(directory_of(path));
}

bool is_named_like_httpd(const std::string& path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return name == "apache2" || name == "httpd" || name.starts_with("httpd-") ||
         name.starts_with("httpd.");
}

bool is_same_file(const std::string& one, const std::string& other) {
  struct stat first {
  }, second{};
  return stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// Whether the program it runs is an httpd of this machine's, as root has installed it.
bool runs_httpd(const Process& process) {
  std::string path(PATH_MAX, '\0');
  const std::string link = process.path("exe");
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  if (size <= 0) return false;
  path.resize(static_cast<std::size_t>(size));
  const bool replaced = path.ends_with(kDeleted);
  if (replaced) path.resize(path.size() - kDeleted.size());
  if (!is_named_like_httpd(path) || !path.starts_with('/')) return false;
  // What was removed for good left at least its directory.
  const bool gone = replaced && access(path.c_str(), F_OK) != 0;
  return is_roots(gone ? directory_of(path) : path) && (replaced || is_same_file(link, path));
}

/// The ids are looked at before and after the program: between them nobody who is not root can have
/// executed httpd, and a program with a set-user-id bit is none.
bool is_httpd(const Process& process) {
  return status_of(process).is_root() && runs_httpd(process) && status_of(process).is_root() &&
         shares_with(process.path(), "ns/user").value &&
         shares_with(process.path(), "ns/pid").value;
}

std::optional<Process> httpd_process(pid_t pid) {
  const Result<Process> process = Process::open(pid);
  return process && is_httpd(process.value) ? std::optional(process.value) : std::nullopt;
}

/// A process of the list of all.
struct Listed {
  pid_t pid = 0;
  Status status;
};

std::vector<Listed> all_processes() {
  std::vector<Listed> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(opendir("/proc"), closedir);
  while (const dirent* entry = list ? readdir(list.get()) : nullptr) {
    std::string_view name = entry->d_name;
    unsigned pid = 0;
    if (!take_number(name, pid) || !name.empty()) continue;
    all.push_back({static_cast<pid_t>(pid),
                   status_in(read_proc("/proc/" + std::to_string(pid) + "/status"))});
  }
  return all;
}

/// Whether `process` was made by `master` and has become another user. Its program can be looked at
/// only with CAP_SYS_PTRACE, which root of a container may lack; then its parent must do.
bool is_child(const Process& process, const Process& master) {
  struct stat program {};
  const bool seen = stat(process.path("exe").c_str(), &program) == 0;
  const Result<bool> same_users = shares_with(process.path(), "ns/user");
  const bool same_program =
      !seen || (is_same_file(process.path("exe"), master.path("exe")) && same_users.value);
  const Status status = status_of(process);
  return same_program && status.known && status.parent == master.pid() && status.uids[1] != 0 &&
         status_of(master).is_root();
}

RunningHttpd with_children(Process master, const std::vector<Listed>& all) {
  RunningHttpd httpd{std::move(master), {}};
  for (const Listed& each : all) {
    if (each.status.parent != httpd.master.pid()) continue;
    const Result<Process> child = Process::open(each.pid);
    if (child && is_child(child.value, httpd.master)) httpd.children.push_back(child.value);
  }
  return httpd;
}

/// What is quoted behind `key`.
std::string quoted_field(std::string_view text, std::string_view key) {
  const std::string_view rest = field(text, key);
  const std::size_t begin = rest.find('"'), end = rest.rfind('"');
  return begin == end ? std::string() : std::string(rest.substr(begin + 1, end - begin - 1));
}

/// The number of "User: name="www-data" id=33", as "#33".
std::string id_field(std::string_view text, std::string_view key) {
  const std::string_view rest = field(text, key);
  const std::size_t at = rest.rfind(" id=");
  unsigned id = 0;
  std::string_view number = at == std::string_view::npos ? "" : rest.substr(at + 4);
  return take_number(number, id) ? "#" + std::to_string(id) : std::string();
}

}  // namespace

RunConfiguration parse_run_configuration(std::string_view text) {
  RunConfiguration configuration;
  configuration.pid_file = quoted_field(text, "PidFile:");
  configuration.user = id_field(text, "User:");
  const std::string group = id_field(text, "Group:");
  if (!configuration.user.empty() && !group.empty()) configuration.user += ":" + group;
  return configuration;
}

RunConfiguration installed_configuration() {
  for (const char* apachectl : kApachectls) {
    const Result<std::string> real = link_free_path(apachectl);
    if (!real || !is_roots(real.value)) continue;
    const auto text = output_of({apachectl, "-t", "-D", "DUMP_RUN_CFG"}, {});
    if (text && !parse_run_configuration(*text).pid_file.empty()) {
      return parse_run_configuration(*text);
    }
  }
  return {};
}

std::vector<RunningHttpd> running_httpds() {
  const std::vector<Listed> all = all_processes();
  std::vector<RunningHttpd> httpds;
  for (const Listed& each : all) {
    if (!each.status.is_root()) continue;
    auto master = httpd_process(each.pid);
    // A child of mpm-itk stays root.
    if (!master || httpd_process(each.status.parent)) continue;
    httpds.push_back(with_children(std::move(*master), all));
  }
  const auto idle = [](const RunningHttpd& httpd) { return httpd.children.empty(); };
  if (!std::all_of(httpds.begin(), httpds.end(), idle)) std::erase_if(httpds, idle);
  return httpds;
}

std::optional<RunningHttpd> httpd_of_pid_file(const std::string& file) {
  constexpr std::size_t kLongestNumber = 32;
  const Result<std::string> text = SystemFilesystem().read(file, 0, kLongestNumber);
  std::string_view number = text.value;
  unsigned pid = 0;
  if (!text || !take_number(number, pid) || pid == 0 || pid > INT_MAX) return std::nullopt;
  auto master = httpd_process(static_cast<pid_t>(pid));
  return master ? std::optional(with_children(std::move(*master), all_processes())) : std::nullopt;
}

std::optional<std::string> path_of_process(const Process& process) {
  const std::string text = read_proc(process.path("environ"));
  constexpr std::string_view kName = "PATH=";
  for (std::size_t at = 0; at < text.size();) {
    const std::string variable = text.substr(at, text.find('\0', at) - at);
    if (variable.starts_with(kName)) return variable.substr(kName.size());
    at += variable.size() + 1;
  }
  return std::nullopt;
}

Result<bool> compare_view(const Process& process) {
  for (const char* what : {"ns/mnt", "ns/user", "root"}) {
    const Result<bool> shared = shares_with(process.path(), what);
    if (!shared || !shared.value) return shared;
  }
  return {0, true};
}

}  // namespace permguard::cli
