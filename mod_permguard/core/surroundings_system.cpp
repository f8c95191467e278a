// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "core/surroundings.h"

namespace permguard {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? text.str() : std::string();
}

/// The number after "Name:" in a /proc status file; 0 where it is absent.
long status_field(const std::string& status, const std::string& name) {
  const std::size_t at = status.find("\n" + name + ":");
  return at == std::string::npos ? 0
                                 : std::strtol(status.c_str() + at + name.size() + 2, nullptr, 10);
}

/// The set of capabilities after "Name:"; proc(5), status. All where it is absent.
std::uint64_t capability_field(const std::string& status, const std::string& name) {
  const std::size_t at = status.find("\n" + name + ":");
  return at == std::string::npos
             ? ~std::uint64_t{0}
             : std::strtoull(status.c_str() + at + name.size() + 2, nullptr, 16);
}

/// Capabilities that this kernel does not know limit nobody.
std::uint64_t bounding_set(const std::string& status) {
  const std::string last = read_file("/proc/sys/kernel/cap_last_cap");
  const unsigned long highest = last.empty() ? 63 : std::strtoul(last.c_str(), nullptr, 10);
  const std::uint64_t unknown = highest >= 63 ? 0 : ~std::uint64_t{0} << (highest + 1);
  return capability_field(status, "CapBnd") | unknown;
}

/// Field 5 of the mountinfo line whose file system type is binfmt_misc: proc(5).
std::string binfmt_mount_point(const std::string& mountinfo) {
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos || line.compare(separator + 3, 12, "binfmt_misc ") != 0) {
      continue;
    }
    std::istringstream fields(line);
    std::string id, parent, device, root, point;
    fields >> id >> parent >> device >> root >> point;
    return point;
  }
  return {};
}

std::vector<BinfmtEntry> read_entries(const std::string& directory, bool& readable) {
  std::vector<BinfmtEntry> entries;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(directory.c_str()), closedir);
  readable = dir != nullptr;
  if (read_file(directory + "/status") == "disabled\n") return entries;
  while (const dirent* name = readable ? readdir(dir.get()) : nullptr) {
    const std::string text = read_file(directory + "/" + name->d_name);
    if (auto entry = parse_binfmt_entry(name->d_name, text)) {
      entries.push_back(std::move(*entry));
    }
  }
  return entries;
}

/// Entries count also where the caller's namespace does not show them, so "absent" needs proof:
/// a kernel without binfmt_misc, or neither the caller nor the first process having it mounted.
BinfmtMisc read_binfmt_misc() {
  BinfmtMisc misc;
  if (read_file("/proc/filesystems").find("\tbinfmt_misc\n") == std::string::npos) {
    return misc;
  }
  const std::string point = binfmt_mount_point(read_file("/proc/self/mountinfo"));
  const std::string first = read_file("/proc/1/mountinfo");
  bool readable = false;
  if (!point.empty()) {
    misc.entries = read_entries(point, readable);
  } else if (!first.empty() && binfmt_mount_point(first).empty()) {
    return misc;
  }
  misc.state = readable ? BinfmtMisc::State::readable : BinfmtMisc::State::unreadable;
  return misc;
}

std::string process_label(const std::string& process) {
  std::string label = read_file(process + "/attr/current");
  const std::size_t end = label.find_last_not_of(std::string_view("\n\0 ", 3));
  label.resize(end == std::string::npos ? 0 : end + 1);
  return label == "unconfined" ? std::string() : label;
}

/// Empty is what nobody has written to yet; without proc(5) nothing is known.
MappedIds mapped_ids(const std::string& process, bool from_inside, const char* map) {
  if (access((process + map).c_str(), R_OK) != 0) return {};
  return parse_id_map(read_file(process + map), from_inside);
}

/// Field 1 of the mountinfo line whose mount point is "/": proc(5). Empty where it cannot be read.
std::string id_of_root_mount(const std::string& process) {
  std::istringstream lines(read_file(process + "/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point;
    if (fields >> id >> parent >> device >> root >> point && point == "/") return id;
  }
  return {};
}

/// A new mount namespace has copies of all mounts, with ids of their own. False where the caller
/// may not look at the first process.
bool has_private_mounts(const std::string& process) {
  const std::string own = id_of_root_mount(process);
  const std::string first = id_of_root_mount("/proc/1");
  return !own.empty() && !first.empty() && own != first;
}

}  // namespace

Result<bool> shares_with(const std::string& process, const char* what) {
  struct stat theirs {
  }, ours{};
  if (stat((process + '/' + what).c_str(), &theirs) != 0 ||
      stat((std::string("/proc/self/") + what).c_str(), &ours) != 0) {
    return failure<bool>(errno);
  }
  return {0, theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino};
}

Surroundings read_surroundings(pid_t pid) {
  return read_surroundings("/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)));
}

Surroundings read_surroundings(const std::string& process) {
  const std::string status = read_file(process + "/status");
  Surroundings result;
  result.machine = native_machine();
  result.binfmt = read_binfmt_misc();
  result.protected_symlinks = read_file("/proc/sys/fs/protected_symlinks") == "1\n";
  result.no_new_privs = status_field(status, "NoNewPrivs") != 0;
  const bool from_inside = shares_with(process, "ns/user").value;
  result.users = mapped_ids(process, from_inside, "/uid_map");
  result.groups = mapped_ids(process, from_inside, "/gid_map");
  result.bounding = bounding_set(status);
  if (!status.empty()) result.inheritable = capability_field(status, "CapInh");
  result.seccomp = status_field(status, "Seccomp") == 2;
  result.private_mounts = has_private_mounts(process);
  result.process_label = process_label(process);
  return result;
}

}  // namespace permguard
