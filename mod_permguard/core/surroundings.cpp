// SPDX-License-Identifier: Apache-2.0
#include "core/surroundings.h"

#include <algorithm>
#include <initializer_list>
#include <sstream>

namespace permguard {
namespace {

/// What an id that is not mapped shows as: fs.overflowuid and overflowgid, proc_sys_fs(5).
constexpr std::uint32_t kOverflowId = 65534;
constexpr std::uint32_t kAllIds = 4294967295;

bool is_below(const std::string& path, std::string_view directory) {
  return path.compare(0, directory.size(), directory) == 0 &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_one_of(const std::string& point, std::initializer_list<const char*> paths) {
  return std::find(paths.begin(), paths.end(), point) != paths.end();
}

bool is_of_homes(const std::string& point) {
  return is_below(point, "/home") || is_below(point, "/root") || is_below(point, "/run/user");
}

/// systemd hides a file by mounting one of mode 000 over it, a directory's contents by a tmpfs.
const char* setting_for(Code code, const std::string& culprit, const Mount& mount,
                        const FileStatus& file) {
  if (code == Code::noexec_mount) {
    return mount.point == "/" ? nullptr : "NoExecPaths=";
  }
  if (code == Code::not_found) {
    if (is_one_of(mount.point, {"/tmp", "/var/tmp"})) {
      return "PrivateTmp=";
    }
    return mount.fstype == "tmpfs" && is_of_homes(mount.point) ? "ProtectHome=" : nullptr;
  }
  if (mount.point != culprit || file.mode != 0) {
    return nullptr;
  }
  return is_one_of(mount.point, {"/home", "/root", "/run/user"}) ? "ProtectHome="
         : is_of_homes(mount.point) ? "ProtectHome= or InaccessiblePaths="
                                    : "InaccessiblePaths=";
}

void append(std::string& list, const std::string& part) {
  list += (list.empty() ? "" : ", ") + part;
}

}  // namespace

bool MappedIds::hold(std::uint32_t id) const {
  if (all) return true;
  if (from_inside && id == kOverflowId) return false;
  return std::any_of(ranges.begin(), ranges.end(), [id](const Range& range) {
    return id >= range.first && id - range.first < range.count;
  });
}

MappedIds parse_id_map(std::string_view text, bool from_inside) {
  MappedIds mapped{.all = false, .from_inside = from_inside};
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::uint32_t inside = 0, outside = 0, count = 0;
    if (!(fields >> inside >> outside >> count)) continue;
    mapped.ranges.push_back({from_inside ? inside : outside, count});
    mapped.all = mapped.all || count == kAllIds;
  }
  return mapped;
}

std::string sandbox_hint(const Surroundings& surroundings, Code code, const std::string& culprit,
                         const Mount& mount, const FileStatus& file) {
  const char* setting =
      surroundings.private_mounts ? setting_for(code, culprit, mount, file) : nullptr;
  if (setting == nullptr) {
    return {};
  }
  return "the mount '" + mount.point + "'" +
         (mount.fstype.empty() ? std::string() : " (" + mount.fstype + ")") +
         " may come from systemd's " + setting;
}

std::string visible_reason(const Examiner& examiner, const std::string& path,
                           const FileStatus& file) {
  const Surroundings& around = examiner.surroundings;
  std::string seen;
  if (!around.process_label.empty()) {
    const Result<std::string> label = examiner.filesystem.attribute(path, "security.selinux");
    append(seen, "process label " + around.process_label);
    if (label) append(seen, "file label " + label.value.substr(0, label.value.find('\0')));
  }
  if (!around.users.hold(file.uid) || !around.groups.hold(file.gid)) {
    append(seen, "the user namespace does not map the owner");
  }
  if (around.seccomp) append(seen, "a seccomp filter is installed");
  if (seen.empty()) seen = "no visible reason";
  // Refuses nothing by itself, but whoever sets up a sandbox sets it: Landlock needs it.
  return around.no_new_privs ? seen + " (no_new_privs is set)" : seen;
}

}  // namespace permguard
