// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/finding.h"

namespace permguard::samples {

inline constexpr std::int64_t kChanged = 1699178292;  ///< 2023-11-05T09:58:12Z
inline constexpr std::int64_t kNow = kChanged + 108;  ///< 1m48s later

inline Identity www_data() {
  Identity who;
  who.uid = 33;
  who.gid = 33;
  who.groups = {33};
  who.name = "www-data";
  return who;
}

inline FileStatus status(FileType type, unsigned mode) {
  FileStatus file;
  file.type = type;
  file.mode = mode;
  file.device = 2049;
  file.inode = 131;
  file.changed = kChanged;
  return file;
}

inline FixStep chmod(const std::string& spec, const std::string& path) {
  return {FixStep::Kind::chmod, path, 131, spec, false};
}

/// The first example of contract section 3.
inline Finding not_executable() {
  Finding finding;
  finding.code = Code::not_executable;
  finding.target = finding.path = "/srv/www/cgi-bin/pay.cgi";
  finding.file = status(FileType::regular, 0644);
  finding.owner = finding.group = "root";
  finding.decided_by = DecidedBy::no_execute_bit;
  finding.error = 13;
  finding.target_seen = true;
  finding.remedy.steps = {chmod("a+x", finding.path)};
  return finding;
}

/// The second example.
inline Finding search_denied() {
  Finding finding;
  finding.code = Code::search_denied;
  finding.target = "/home/ann/cgi/a.cgi";
  finding.path = "/home/ann";
  finding.file = status(FileType::directory, 0700);
  finding.file->uid = finding.file->gid = 1000;
  finding.owner = finding.group = "ann";
  finding.decided_by = DecidedBy::other;
  finding.error = 13;
  finding.remedy.steps = {{FixStep::Kind::setfacl, finding.path, 132, "u:www-data:x", false}};
  return finding;
}

inline Finding of_code(Code code, Role role, const std::string& path) {
  Finding finding;
  finding.code = code;
  finding.role = role;
  finding.severity = info(code).severity;
  finding.target = "/srv/www/cgi-bin/pay.cgi";
  finding.path = path;
  return finding;
}

}  // namespace permguard::samples
