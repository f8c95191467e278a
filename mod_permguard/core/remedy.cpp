// SPDX-License-Identifier: Apache-2.0
#include "core/remedy.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/access.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

constexpr const char* kMaskAdvice =
    "raising the ACL\'s mask would change what others may as well: set its entries and its mask "
    "by hand";
constexpr const char* kWriteAdvice =
    "the ACL entry by which the user may write lacks the permission: add it there by hand, or take "
    "the entry's write permission away";
constexpr const char* kNoAclAdvice =
    "the file system keeps no ACLs: give the file an owner or a group by which the user may read "
    "it";
constexpr const char* kDamagedAclAdvice = "the ACL is damaged: set it anew";

FileStatus with_mode(FileStatus file, unsigned mode) {
  file.mode = mode;
  return file;
}

// One inode and one user on the way from refused to allowed.
class Grant {
 public:
  Grant(const std::string& path, const FileStatus& file, const std::optional<Acl>& acl,
        const Identity& who, Permissions wanted, bool acl_possible)
      : path_(path),
        file_(file),
        who_(who),
        wanted_(wanted),
        acl_possible_(acl_possible),
        rights_{file.mode, acl} {}

  Remedy find() {
    Remedy remedy;
    // At most two: x for all, then what else this user lacks.
    while (!decide(rights_, who_, wanted_).allowed) {
      const std::optional<FixStep> step = remedy.steps.size() < 2 ? next_step() : std::nullopt;
      if (!step) return {.steps = {}, .advice = advice_};
      remedy.steps.push_back(*step);
    }
    if (!remedy.steps.empty() && everybody_may_all()) close_to_others(remedy.steps);
    return remedy;
  }

 private:
  AccessDecision decide(const Rights& rights, const Identity& who, Permissions wanted) const {
    return decide_access(with_mode(file_, rights.mode), rights.acl, who, wanted);
  }

  std::optional<FixStep> next_step() {
    const AccessDecision decision = decide(rights_, who_, wanted_);
    if (decision.by == DecidedBy::none) return give_up(kDamagedAclAdvice);
    if (missing() & kWrite) return give_up(info(Code::connect_denied).action);
    if (decision.by == DecidedBy::no_execute_bit) return execute_for_all();
    if (decision.by == DecidedBy::owner) return chmod("u+" + letters(missing()));
    if (const auto spec = class_change(decision.by)) return chmod(*spec);
    if (!acl_possible_) return give_up(kNoAclAdvice);
    return held() & kWrite ? give_up(kWriteAdvice) : named_entry();
  }

  std::optional<FixStep> give_up(const char* advice) {
    advice_ = advice;
    return std::nullopt;
  }

  // Changing the deciding class is least for a file's x; for reading and searching it would let
  // more people in than an entry for this user, so only where there can be no entry, or where the
  // entry would have to repeat the w that the class gives. The group digit of a file with an ACL
  // is its mask and no class.
  std::optional<std::string> class_change(DecidedBy by) const {
    const bool least = missing() == kExecute && file_.type == FileType::regular;
    if (!least && acl_possible_ && (held() & kWrite) == 0) return std::nullopt;
    if (by == DecidedBy::other) return "o+" + letters(missing());
    if (by == DecidedBy::owning_group && !rights_.acl) return "g+" + letters(missing());
    return std::nullopt;
  }

  // A sticky directory, such as /tmp, may be open to all.
  bool everybody_may_all() const {
    const bool sticky = file_.type == FileType::directory && (rights_.mode & 01000) != 0;
    return (rights_.mode & 0777) == 0777 && !sticky;
  }

  // What everybody may run or enter not everybody may change.
  void close_to_others(std::vector<FixStep>& steps) {
    if (steps.back().kind == FixStep::Kind::chmod) {
      steps.back().spec += ",o-w";
    } else {
      steps.push_back(FixStep{.path = path_, .inode = file_.inode, .spec = "o-w"});
    }
  }

  std::optional<FixStep> chmod(const std::string& spec) {
    return take({.kind = FixStep::Kind::chmod, .path = path_, .inode = file_.inode, .spec = spec});
  }

  // With an empty mask the kernel ignores the ACL; a+x would wake it, with all it says.
  std::optional<FixStep> execute_for_all() {
    const Rights before = rights_;
    const Permissions had = held();
    const std::optional<FixStep> step = chmod("a+x");
    return leaves_others(before, kExecute) && (had & ~held()) == 0 ? step : give_up(kMaskAdvice);
  }

  std::optional<FixStep> named_entry() {
    const Permissions entry = held() | wanted_;
    const std::string spec = "u:" + user_word() + ":" + letters(entry);
    FixStep step{.kind = FixStep::Kind::setfacl, .path = path_, .inode = file_.inode, .spec = spec};
    if (rights_.acl) {
      const Permissions mask = (rights_.mode >> 3 & 7) | entry;
      step.spec += ",m::" + letters(mask);
      step.keep_mask = true;
    }
    const Rights before = rights_;
    const std::optional<FixStep> taken = take(step);
    return taken && leaves_others(before, 0) ? taken : give_up(kMaskAdvice);
  }

  std::optional<FixStep> take(const FixStep& step) {
    const auto id = [this](Tag, std::string_view) { return std::optional(who_.uid); };
    const std::optional<Rights> after = apply_step(step, rights_, id);
    if (!after) return std::nullopt;
    rights_ = *after;
    return step;
  }

  // What the bits give the user now, one by one: groups may add up.
  Permissions held() const {
    Identity plain = who_;
    plain.dac_override = plain.dac_read_search = false;
    Permissions bits = 0;
    for (const Permissions bit : {kRead, kWrite, kExecute}) {
      bits |= decide(rights_, plain, bit).allowed ? bit : 0;
    }
    return bits;
  }
  Permissions missing() const { return wanted_ & ~held(); }

  bool leaves_others(const Rights& before, Permissions ignored) const;
  std::vector<Identity> others() const;

  bool is_other_user(const AclEntry& entry) const {
    return entry.tag == Tag::user && entry.id != who_.uid;
  }

  static std::string letters(Permissions perms) {
    std::string text;
    if (perms & kRead) text += 'r';
    if (perms & kWrite) text += 'w';
    if (perms & kExecute) text += 'x';
    return text;
  }

  // A number where setfacl or sh could read the name otherwise.
  std::string user_word() const {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const std::string& name = who_.name;
    const bool plain = name.find_first_not_of(kPlain) == std::string::npos &&
                       name.find_first_not_of("0123456789.-") == 0;
    return plain ? name : std::to_string(who_.uid);
  }

  const std::string& path_;
  const FileStatus& file_;
  const Identity& who_;
  const Permissions wanted_;
  const bool acl_possible_;
  Rights rights_;
  const char* advice_ = "set mode and ACL by hand";
};

// A stranger and, for each entry, somebody to whom only that entry applies.
std::vector<Identity> Grant::others() const {
  const Acl acl = rights_.acl.value_or(Acl{});
  const auto is_taken = [&](std::uint32_t id) {
    return id == file_.uid || id == file_.gid || id == who_.uid ||
           std::any_of(acl.begin(), acl.end(), [id](const AclEntry& e) { return e.id == id; });
  };
  std::uint32_t nobody = 1;
  while (is_taken(nobody)) ++nobody;
  std::vector<Identity> list{{.uid = nobody, .gid = nobody}, {.uid = nobody, .gid = file_.gid}};
  for (const AclEntry& entry : acl) {
    if (is_other_user(entry)) list.push_back({.uid = entry.id, .gid = nobody});
    if (entry.tag == Tag::group) list.push_back({.uid = nobody, .gid = entry.id});
  }
  return list;
}

// Whether a step left all other people where they were, but for the `ignored` bits. A mask that
// uncovers something is refused even where nobody of others() gains: somebody in two groups might.
bool Grant::leaves_others(const Rights& before, Permissions ignored) const {
  const Permissions bits = (kRead | kWrite | kExecute) & ~ignored;
  const Permissions uncovered = (rights_.mode >> 3) & ~(before.mode >> 3) & bits;
  for (const AclEntry& entry : rights_.acl.value_or(Acl{})) {
    const bool limited =
        is_other_user(entry) || entry.tag == Tag::group_obj || entry.tag == Tag::group;
    if (limited && (entry.perms & uncovered) != 0) return false;
  }
  for (const Identity& other : others()) {
    for (Permissions wanted = bits; wanted != 0; wanted = (wanted - 1) & bits) {
      const bool had = decide(before, other, wanted).allowed;
      if (had != decide(rights_, other, wanted).allowed) return false;
    }
  }
  return true;
}

// Findings that one chmod repairs.
struct ModeRemedy {
  Code code;
  const char* spec;
};
constexpr std::array kModeRemedies = {
    ModeRemedy{Code::world_writable, "o-w"},
    ModeRemedy{Code::group_writable, "g-w"},
    ModeRemedy{Code::dir_world_writable, "o-w"},
    ModeRemedy{Code::writable, "go-w"},
    ModeRemedy{Code::dir_writable, "go-w"},
    ModeRemedy{Code::setuid, "u-s"},
    ModeRemedy{Code::setgid, "g-s"},
    ModeRemedy{Code::setid, "ug-s"},
    ModeRemedy{Code::owner_cannot_execute, "u+x"},
};

// Where the part a file plays says more than the catalogue can.
const char* advice_for_missing(Role role) {
  switch (role) {
    case Role::interpreter:
    case Role::wrapper_interpreter:
      return "install the interpreter or correct the script's first line";
    case Role::command:
    case Role::wrapper_command:
      return "install the command or add its directory to the PATH that httpd hands to scripts";
    case Role::loader:
    case Role::wrapper_loader:
      return "install the libc of the program\'s architecture, or the program for this system";
    case Role::socket:
      return "start the service that makes the socket, or correct its path";
    case Role::wrapper:
      return "install the wrapper or correct the directive that names it";
    default:
      return info(Code::not_found).action;
  }
}

bool is_command(Role role) {
  return role == Role::command || role == Role::wrapper_command;
}

/// Where it is the words after env that are wrong, installing something does not help. The detail
/// of a command that was looked up is the PATH, or the way to it; env's own words are neither.
const char* advice_for_first_line(const Finding& finding) {
  const bool looked_up = finding.path.find('/') == std::string::npos;
  const bool complaint = !looked_up && !finding.detail.empty() && !finding.detail.starts_with('/');
  if (complaint) return "correct the words after env in the script's first line";
  if (finding.path.find_first_of(" \t") != std::string::npos) {
    return "write env -S in the script's first line, so that env splits its words";
  }
  return nullptr;
}

std::string advice_for(const Finding& finding) {
  if (finding.code == Code::not_found && is_command(finding.role)) {
    if (const char* advice = advice_for_first_line(finding)) return advice;
  }
  switch (finding.code) {
    case Code::not_found:
      return advice_for_missing(finding.role);
    // No sed: the error log would double the backslash of its \r.
    case Code::shebang_crlf:
      return "convert the line ends to LF, for instance with dos2unix";
    default:
      return info(finding.code).action;
  }
}

FixStep step_on(const Finding& finding, FixStep::Kind kind, const std::string& spec) {
  return {.kind = kind,
          .path = finding.path,
          .inode = finding.file ? finding.file->inode : 0,
          .spec = spec};
}

}  // namespace

Remedy least_grant(const std::string& path, const FileStatus& file, const std::optional<Acl>& acl,
                   const Identity& who, Permissions wanted, bool acl_possible) {
  return Grant(path, file, acl, who, wanted, acl_possible).find();
}

Remedy general_remedy(const Finding& finding) {
  Remedy remedy;
  for (const ModeRemedy& row : kModeRemedies) {
    if (row.code != finding.code) continue;
    remedy.steps.push_back(step_on(finding, FixStep::Kind::chmod, row.spec));
  }
  // The wanted "user:group"; a "#" marks an id without a name, which chown does not know.
  const bool named = !finding.detail.empty() && finding.detail.find('#') == std::string::npos;
  if (finding.code == Code::owner_mismatch && named) {
    remedy.steps.push_back(step_on(finding, FixStep::Kind::chown, finding.detail));
  }
  if (remedy.steps.empty()) remedy.advice = advice_for(finding);
  return remedy;
}

void heed_immutability(const Filesystem& filesystem, Finding& finding) {
  const auto& steps = finding.remedy.steps;
  const bool immutable = std::any_of(steps.begin(), steps.end(), [&](const FixStep& step) {
    return filesystem.is_immutable(step.path);
  });
  if (!immutable) return;
  std::string words = "it is immutable or append-only: take that away with chattr -ia";
  for (const FixStep& step : steps) {
    switch (step.kind) {
      case FixStep::Kind::chmod:
        words += ", then chmod " + step.spec;
        break;
      case FixStep::Kind::setfacl:
        words += ", then setfacl -m " + step.spec;
        break;
      case FixStep::Kind::chown:
        words += ", then chown " + step.spec;
        break;
      case FixStep::Kind::restore_acl:
        words += ", then restore its ACL";
        break;
    }
  }
  finding.remedy = {.steps = {}, .advice = std::move(words)};
}

}  // namespace permguard
