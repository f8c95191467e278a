// SPDX-License-Identifier: Apache-2.0
#include "core/surroundings.h"

namespace permguard {
namespace {

// The kernel shows an id that a user namespace does not map as this one: user_namespaces(7).
constexpr uid_t kOverflowId = 65534;

bool is_below(const std::string& path, std::string_view directory) {
  return path.compare(0, directory.size(), directory) == 0 &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

const char* setting_for(Code code, const Mount& mount, const FileStatus& file) {
  if (code == Code::noexec_mount) {
    return mount.point == "/" ? nullptr : "NoExecPaths=";
  }
  const bool hidden = file.mode == 0;
  const bool empty_over = mount.fstype == "tmpfs" || hidden;
  if (empty_over && (is_below(mount.point, "/home") || is_below(mount.point, "/root") ||
                     is_below(mount.point, "/run/user"))) {
    return "ProtectHome=";
  }
  if (is_below(mount.point, "/tmp") || is_below(mount.point, "/var/tmp")) {
    return mount.point == "/tmp" || mount.point == "/var/tmp" ? "PrivateTmp=" : nullptr;
  }
  return hidden && mount.point.size() > 1 ? "InaccessiblePaths=" : nullptr;
}

}  // namespace

std::string sandbox_hint(const Surroundings& surroundings, Code code, const Mount& mount,
                         const FileStatus& file) {
  const char* setting = surroundings.private_mounts ? setting_for(code, mount, file) : nullptr;
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
  if (!around.process_label.empty()) {
    const Result<std::string> label = examiner.filesystem.attribute(path, "security.selinux");
    return "process label " + around.process_label +
           (label ? ", file label " + label.value.substr(0, label.value.find('\0')) : "");
  }
  if (around.partial_id_map && (file.uid == kOverflowId || file.gid == kOverflowId)) {
    return "the user namespace does not map the owner";
  }
  return around.seccomp ? "a seccomp filter is installed" : "no visible reason";
}

}  // namespace permguard
