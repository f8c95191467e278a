// SPDX-License-Identifier: Apache-2.0
#include "report/puppet.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/drift.h"
#include "report/sentence.h"

namespace permguard {
namespace {

std::string octal(unsigned mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

/// A string of the Puppet language: within ' only backslash and quote need one.
std::string puppet_quote(std::string_view text) {
  std::string quoted = "'";
  for (const char character : text) {
    if (character == '\\' || character == '\'') quoted += '\\';
    quoted += character;
  }
  return quoted + '\'';
}

/// Whether a path can be a title: printable ASCII, as Puppet normalises nothing else safely.
bool is_plain(std::string_view path) {
  return std::all_of(path.begin(), path.end(),
                     [](char c) { return c >= 0x20 && c <= 0x7e && c != '\\'; });
}

/// A path for a comment or title: printable ASCII, one text for one path.
std::string comment_text(std::string_view text) {
  std::string safe;
  for (const char character : text) {
    std::array<char, 8> escape{};
    const auto byte = static_cast<unsigned char>(character);
    const bool plain = byte >= 0x20 && byte < 0x7f && byte != '\\';
    std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
    safe += plain ? std::string(1, character) : escape.data();
  }
  return safe;
}

/// `command` on `path`, in printable ASCII whatever bytes the path holds.
std::string run_on(const std::string& command, std::string_view path) {
  if (is_plain(path)) return command + " " + shell_quote(path);
  std::string bytes;
  for (const char character : path) {
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\%03o", static_cast<unsigned char>(character));
    bytes += escape.data();
  }
  return "printf '" + bytes + "\\000' | xargs -0 " + command;
}

std::string owner_name(uid_t uid, const Names& names) {
  const std::string name = names.user(uid);
  return name.front() == '#' ? name.substr(1) : name;
}

std::string group_name(gid_t gid, const Names& names) {
  const std::string name = names.group(gid);
  return name.front() == '#' ? name.substr(1) : name;
}

std::string file_resource(const Change& change, const Names& names) {
  const Permission& after = change.after;
  std::string text = "file { " + puppet_quote(change.path) + ":\n";
  if (after.rights.mode != change.before.rights.mode) {
    text += "  mode  => " + puppet_quote(octal(after.rights.mode)) + ",\n";
  }
  if (after.uid != change.before.uid) {
    text += "  owner => " + puppet_quote(owner_name(after.uid, names)) + ",\n";
  }
  if (after.gid != change.before.gid) {
    text += "  group => " + puppet_quote(group_name(after.gid, names)) + ",\n";
  }
  return text + "}\n";
}

std::string ids(const Permission& permission) {
  return std::to_string(permission.uid) + ":" + std::to_string(permission.gid);
}

/// One ACL as `getfacl -cpnE` prints it, each line after `prefix`, with printf's newlines.
std::string getfacl_lines(const Acl& acl, const std::string& prefix) {
  static constexpr std::array<const char*, 6> kTags = {"user",  "user", "group",
                                                       "group", "mask", "other"};
  std::string text;
  for (const AclEntry& entry : acl) {
    const bool named = entry.tag == AclEntry::Tag::user || entry.tag == AclEntry::Tag::group;
    text += prefix + kTags[static_cast<std::size_t>(entry.tag)] + ":" +
            (named ? std::to_string(entry.id) : "") + ":";
    text += {entry.perms & kRead ? 'r' : '-', entry.perms & kWrite ? 'w' : '-',
             entry.perms & kExecute ? 'x' : '-'};
    text += "\\n";
  }
  return text;
}

/// What `getfacl -cpnE` prints (no header, numbers, no comments on what is effective).
std::string getfacl_text(const Permission& permission) {
  using Tag = AclEntry::Tag;
  const unsigned mode = permission.rights.mode;
  const Acl base = {{Tag::user_obj, 0, mode >> 6 & 7},
                    {Tag::group_obj, 0, mode >> 3 & 7},
                    {Tag::other, 0, mode & 7}};
  return getfacl_lines(permission.rights.acl.value_or(base), "") +
         getfacl_lines(permission.default_acl.value_or(Acl{}), "default:");
}

bool has_acl(const Permission& permission) {
  return permission.rights.acl || permission.default_acl;
}

std::string exec_command(const Change& change) {
  const Permission& after = change.after;
  std::string command;
  if (after.uid != change.before.uid || after.gid != change.before.gid) {
    command += run_on("chown " + ids(after), change.path) + " && ";
  }
  // Five digits: with four, chmod(1) leaves a directory's setgid bit alone. The group digit is the
  // mask of an ACL: set before that is there, it would be the owning group's right.
  const std::string mode = run_on("chmod 0" + octal(after.rights.mode), change.path);
  if (!after.rights.acl) command += mode + " && ";
  if (has_acl(change.before) && (!after.rights.acl || !after.default_acl)) {
    command += run_on("setfacl -b", change.path) + " && ";
  }
  if (after.rights.acl) {
    command += run_on("setfacl --set " + acl_text(*after.rights.acl), change.path) + " && " + mode +
               " && ";
  }
  if (after.default_acl) {
    command += run_on("setfacl --set " + default_acl_spec(after.default_acl), change.path) + " && ";
  }
  return command.substr(0, command.size() - std::string_view(" && ").size());
}

/// Succeeds where owner, mode and ACLs are as wanted.
std::string exec_guard(const Change& change) {
  const Permission& after = change.after;
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%o", after.rights.mode);
  std::string guard = "test \"$(" + run_on("stat -c %u:%g:%a", change.path) +
                      ")\" = " + ids(after) + ":" + mode.data();
  if (has_acl(change.before) || has_acl(after)) {
    guard += " && test \"$(" + run_on("getfacl -cpnE", change.path) + ")\" = \"$(printf '" +
             getfacl_text(after) + "')\"";
  }
  return guard;
}

std::string exec_resource(const Change& change) {
  return "exec { " + puppet_quote("permguard: " + comment_text(change.path)) + ":\n  command  => " +
         puppet_quote(exec_command(change)) + ",\n  unless   => " +
         puppet_quote(exec_guard(change)) +
         ",\n  path     => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],\n"
         "  provider => shell,\n}\n";
}

std::string resource(const Change& change, const Names& names) {
  const bool by_file = !has_acl(change.before) && !has_acl(change.after) && is_plain(change.path);
  return by_file ? file_resource(change, names) : exec_resource(change);
}

}  // namespace

std::string puppet_manifest(std::span<const Change> changes, std::span<const Finding> remaining,
                            const Names& names, std::span<const std::string> whose) {
  std::string text = "# Written by permguard: the least changes that let the scripts run.\n";
  for (const std::string& words : whose) text += "# " + comment_text(words) + "\n";
  for (const Finding& finding : remaining) {
    const bool waits = finding.remedy.advice == kDesiredStateFirst;
    text += (waits ? "# to be seen again afterwards: " : "# not repaired: ") + tag(finding) + " " +
            comment_text(finding.path) + ": " + comment_text(pasteable_fix(finding.remedy)) + "\n";
  }
  text += "# lint:ignore:140chars\n";
  for (const Change& change : changes) text += "\n" + resource(change, names);
  return text + "# lint:endignore\n";
}

}  // namespace permguard
