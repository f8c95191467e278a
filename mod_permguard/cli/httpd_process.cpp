// SPDX-License-Identifier: Apache-2.0
#include "cli/httpd_process.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "core/surroundings.h"

namespace permguard::cli {
namespace {

namespace fs = std::filesystem;

std::string proc(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What proc(5), status, says of a process.
struct ProcessStatus {
  std::string name;
  pid_t parent = 0;
  uid_t uid = 0;  ///< effective
};

ProcessStatus status_of(pid_t pid) {
  ProcessStatus status;
  std::istringstream lines(contents(proc(pid, "status")));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string key;
    fields >> key;
    uid_t real = 0;
    if (key == "Name:") fields >> status.name;
    if (key == "PPid:") fields >> status.parent;
    if (key == "Uid:") fields >> real >> status.uid;
  }
  return status;
}

bool is_httpd(const ProcessStatus& process) {
  return process.name == "apache2" || process.name == "httpd";
}

bool is_httpd_child(pid_t pid) {
  const ProcessStatus child = status_of(pid);
  if (!is_httpd(child) || child.uid == 0) return false;
  const ProcessStatus parent = status_of(child.parent);
  return parent.name == child.name && parent.uid == 0;
}

std::optional<pid_t> pid_of(const fs::path& directory) {
  const std::string name = directory.filename();
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

}  // namespace

std::optional<pid_t> running_httpd_child() {
  std::optional<pid_t> lowest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto pid = pid_of(entry.path());
    if (!pid || (lowest && *pid > *lowest) || !is_httpd_child(*pid)) continue;
    lowest = pid;
  }
  return lowest;
}

std::optional<pid_t> httpd_of_pid_file(const std::string& file) {
  pid_t pid = 0;
  if (!(std::istringstream(contents(file)) >> pid) || pid <= 0) return std::nullopt;
  return is_httpd(status_of(pid)) ? std::optional(pid) : std::nullopt;
}

std::optional<std::string> path_of_process(pid_t pid) {
  std::istringstream variables(contents(proc(pid, "environ")));
  constexpr std::string_view kName = "PATH=";
  for (std::string variable; std::getline(variables, variable, '\0');) {
    if (variable.starts_with(kName)) return variable.substr(kName.size());
  }
  return std::nullopt;
}

Result<bool> compare_view(pid_t pid) {
  for (const char* what : {"ns/mnt", "ns/user", "root"}) {
    const Result<bool> shared = shares_with(pid, what);
    if (!shared || !shared.value) return shared;
  }
  return {0, true};
}

}  // namespace permguard::cli
