// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/access.h"
#include "core/file_status.h"
#include "core/identity.h"

namespace permguard {

enum class Severity : std::uint8_t { error, warning, drift };
enum class Certainty : std::uint8_t { certain, modelled };
enum class Need : std::uint8_t { execute, read, connect };

enum class Code : std::uint8_t {
#define PERMGUARD_CODE(enumerator, name, severity, cause, action) enumerator,
#include "core/catalogue.inc"
};

/// The part a file plays for the target. A wrapper's own chain has joined roles.
enum class Role : std::uint8_t {
  script,
  interpreter,
  command,
  loader,
  socket,
  wrapper,
  wrapper_interpreter,
  wrapper_command,
  wrapper_loader,
  htaccess,
  suexec,
  directory
};

/// One row of the catalogue.
struct CodeInfo {
  Code code;
  const char* name;    ///< public, stable: "not-executable"
  Severity severity;   ///< before PermGuardForbid
  const char* cause;   ///< one clause, for the manual
  const char* action;  ///< what the operator does about it
};

/// All rows, in the order of the enum. Constant data: nothing is constructed or destroyed.
std::span<const CodeInfo> catalogue();
const CodeInfo& info(Code code);
const char* name_of(Code code);
const char* name_of(Role role);  ///< "script", "interpreter", "wrapper-interpreter", …
const char* name_of(Severity severity);
const char* name_of(Certainty certainty);
const char* name_of(Need need);
const char* name_of(FileType type);  ///< "regular", "directory", "character-device", …
std::optional<Code> code_from_name(std::string_view name);
std::optional<Role> role_from_name(std::string_view name);
std::optional<Need> need_from_name(std::string_view name);

/// How many codes and roles there are: the bound of every table indexed by them.
inline constexpr std::size_t kCodeCount = 0
#define PERMGUARD_CODE(enumerator, name, severity, cause, action) +1
#include "core/catalogue.inc"
    ;
inline constexpr std::size_t kRoleCount = static_cast<std::size_t>(Role::directory) + 1;

/// One change that would help. Structured, so that the log, Puppet and `permguard fix` say the
/// same. Never a write bit added, never recursive.
struct FixStep {
  enum class Kind : std::uint8_t { chmod, setfacl, chown, restore_acl };
  Kind kind = Kind::chmod;
  std::string path{};       ///< link-free path of the file to change
  std::uint64_t inode = 0;  ///< of that file, for `find -inum` where the name cannot be pasted
  std::string spec{};  ///< chmod: "a+x"; setfacl: "u:www-data:x" or "u:www-data:x,m::rx"; chown:
                       ///< "ann:ann"; restore_acl: the whole ACL for --set, or "" for none (-b)
  bool keep_mask = false;  ///< setfacl -n: the mask stands in `spec`

  bool operator==(const FixStep&) const = default;
};

/// The least change: steps to run in this order, or, where no command can help, advice.
struct Remedy {
  std::vector<FixStep> steps{};
  std::string advice{};  ///< a sentence; used only where `steps` is empty
  /// There is a command, and it is not told: `advice` says why.
  bool withheld = false;

  bool operator==(const Remedy&) const = default;
};

/// What stands in the way of one target.
struct Finding {
  Code code = Code::not_found;
  Role role = Role::script;
  Severity severity = Severity::error;
  Certainty certainty = Certainty::certain;
  Need need = Need::execute;
  std::string target;              ///< what was asked for
  std::string path;                ///< the culprit
  std::optional<FileStatus> file;  ///< of the culprit, where it could be looked at
  std::string owner;               ///< name of file->uid
  std::string group;               ///< name of file->gid
  DecidedBy decided_by = DecidedBy::none;
  AccessDecision decision;  ///< for denials: the entry that decided
  std::string entry_name;   ///< user or group name of the deciding named entry
  int error = 0;            ///< errno of the refused call; 0: none was made
  /// What only this code knows, as the sentence shows it; empty where there is nothing to say.
  /// not-found of a command: the PATH searched (`path` is then the command's name), or why env runs
  /// none; search-denied and not-found on the way to an interpreter: that interpreter;
  /// dangling-symlink and symlink-loop: the link's text, or that its mount is nosymfollow;
  /// noexec-mount and nosuid: the mount point; lsm-denied: the visible reason; format faults:
  /// FileHead::detail; drift: the desired value, of missing what was there; uid-too-low and
  /// gid-too-low: the minimum; owner-mismatch: the wanted "user:group"; outside-docroot: the
  /// document root; wrong-caller, bad-config, disabled: what it was built for, or what is wrong
  /// with its file; user-unknown and group-unknown: the id; search-denied and not-found of suexec:
  /// where the way leads; not-regular-file, not-a-socket: nothing (the type tells).
  std::string detail;
  /// A mount of the process's own namespace that explains it, with the systemd setting that makes
  /// such mounts; of a command that is not found, the part of PATH that could not be searched; of
  /// an interpreter with a set-id bit, as whom it reads; else empty.
  std::string hint;
  /// Holds only if the file is a script: its first bytes could not be read. Never answered for.
  bool conditional = false;
  bool target_seen = false;  ///< the target was seen to exist
  Remedy remedy;
};

/// How many findings of each kind.
using FindingCounts = std::map<std::tuple<Code, Role, Severity>, std::uint64_t>;

/// Adds one.
void count(FindingCounts& counts, const Finding& finding);

/// Of all kinds together, or of one severity.
std::uint64_t total(const FindingCounts& counts);
std::uint64_t total(const FindingCounts& counts, Severity severity);

}  // namespace permguard
