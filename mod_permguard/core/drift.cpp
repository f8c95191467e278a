// SPDX-License-Identifier: Apache-2.0
#include "core/drift.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <system_error>

namespace permguard {
namespace {

std::string octal(unsigned mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", mode);
  return text;
}

std::string perms_text(Permissions perms) {
  return {perms & kRead ? 'r' : '-', perms & kWrite ? 'w' : '-', perms & kExecute ? 'x' : '-'};
}

std::string qualifier(const AclEntry& entry, const Names* names) {
  using Tag = AclEntry::Tag;
  if (entry.tag != Tag::user && entry.tag != Tag::group) {
    return {};
  }
  std::string name = names == nullptr         ? "#"
                     : entry.tag == Tag::user ? names->user(entry.id)
                                              : names->group(entry.id);
  // setfacl(1) takes a number, but not the form "#1000".
  return name.front() == '#' ? std::to_string(entry.id) : name;
}

/// Whether the mode has drifted, seen past the ACL.
bool mode_differs(const DesiredState& desired, const ActualState& actual) {
  const bool wants_acl = desired.acl && *desired.acl;
  const bool loses_acl = desired.acl && !*desired.acl;
  const unsigned group = wants_acl ? static_cast<unsigned>(S_IRWXG) : 0U;
  const unsigned mode =
      loses_acl ? mode_without_acl(actual.file.mode, actual.acl) : actual.file.mode;
  return (*desired.mode & ~group) != (mode & ~group);
}

/// Whether a set-id bit would go to a program together with the owner whose rights it gives. Who
/// owned it until now may have written it.
bool would_arm(const DesiredState& desired, const FileStatus& file) {
  if (!desired.mode || file.type == FileType::directory) return false;
  const bool owner = desired.uid && *desired.uid != file.uid;
  const bool group = desired.gid && *desired.gid != file.gid;
  return ((*desired.mode & S_ISUID) != 0 && owner) || ((*desired.mode & S_ISGID) != 0 && group);
}

constexpr const char* kPutBackWhatIsSetId =
    "put the program back from its package or a backup: who owned it meanwhile may have written "
    "it, so no command gives it a set-id bit";

class DriftList {
 public:
  DriftList(const Names& names, const std::string& target, const ActualState& actual)
      : names_(names), target_(target), actual_(actual) {}

  /// Another step for the finding before.
  void add_step(FixStep::Kind kind, std::string spec) {
    list.back().remedy.steps.push_back(
        {kind, actual_.path, actual_.file.inode, std::move(spec), false});
  }

  void add(Code code, std::string desired) {
    Finding finding;
    finding.code = code;
    finding.severity = info(code).severity;
    finding.target = target_;
    finding.path = actual_.path;
    finding.file = actual_.file;
    finding.owner = names_.user(actual_.file.uid);
    finding.group = names_.group(actual_.file.gid);
    finding.detail = std::move(desired);
    finding.target_seen = true;
    list.push_back(std::move(finding));
  }

  std::vector<Finding> list;

 private:
  const Names& names_;
  const std::string& target_;
  const ActualState& actual_;
};

/// `setfacl -b`, which ends the access ACL, takes the default ACL with it.
void add_acl_drift(DriftList& drift, const Names& names, const ActualState& actual,
                   const DesiredState& desired) {
  const std::optional<Acl> access = desired.acl.value_or(actual.acl);
  const std::optional<Acl> fallback = desired.default_acl.value_or(actual.default_acl);
  const bool other_access = access != actual.acl;
  if (!other_access && fallback == actual.default_acl) return;
  const std::string text = acl_pair_text({access, fallback}, &names);
  drift.add(Code::acl_drift, text.empty() ? "none" : text);
  if (other_access) {
    drift.add_step(FixStep::Kind::restore_acl, access ? acl_text(*access, &names) : "");
  }
  const bool taken = other_access && !access && actual.default_acl;
  const bool remains = taken && !fallback;
  if (remains || (fallback == actual.default_acl && !taken)) return;
  drift.add_step(FixStep::Kind::restore_acl, default_acl_spec(fallback, &names));
}

std::string what_was_there(std::optional<FileType> type) {
  if (type == FileType::directory) return "the directory";
  if (type == FileType::socket) return "the socket";
  return type ? "the regular file" : "the file or directory";
}

std::optional<AclEntry::Tag> tag_of(std::string_view letter, bool named) {
  using Tag = AclEntry::Tag;
  if (letter == "u") return named ? Tag::user : Tag::user_obj;
  if (letter == "g") return named ? Tag::group : Tag::group_obj;
  if (letter == "m" && !named) return Tag::mask;
  if (letter == "o" && !named) return Tag::other;
  return std::nullopt;
}

std::optional<Permissions> perms_of(std::string_view text) {
  Permissions perms = 0;
  for (const char letter : text) {
    if (letter != 'r' && letter != 'w' && letter != 'x' && letter != '-') return std::nullopt;
    perms |= letter == 'r' ? kRead : letter == 'w' ? kWrite : letter == 'x' ? kExecute : 0;
  }
  return perms;
}

std::optional<std::uint32_t> id_of(AclEntry::Tag tag, std::string_view name,
                                   const IdOfName& id_of_name) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool numeric = error == std::errc{} && end == name.data() + name.size();
  return numeric ? std::optional(number) : id_of_name(tag, name);
}

std::optional<AclEntry> entry_of(std::string_view text, const IdOfName& id_of_name) {
  const std::size_t first = text.find(':');
  const std::size_t second = text.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(first + 1, second - first - 1);
  const auto tag = tag_of(text.substr(0, first), !name.empty());
  const auto perms = perms_of(text.substr(second + 1));
  if (!tag || !perms) return std::nullopt;
  const auto id = name.empty() ? std::optional<std::uint32_t>(0) : id_of(*tag, name, id_of_name);
  return id ? std::optional(AclEntry{*tag, *id, *perms}) : std::nullopt;
}

}  // namespace

std::optional<Acl> parse_acl_text(std::string_view text, const IdOfName& id_of_name) {
  Acl acl;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::optional<AclEntry> entry = entry_of(text.substr(0, end), id_of_name);
    if (!entry) return std::nullopt;
    acl.push_back(*entry);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::sort(acl.begin(), acl.end(), [](const AclEntry& a, const AclEntry& b) {
    return std::pair(a.tag, a.id) < std::pair(b.tag, b.id);
  });
  return acl;
}

std::string default_acl_spec(const std::optional<Acl>& acl, const Names* names) {
  if (!acl) return "d:";
  std::string text;
  for (const AclEntry& entry : *acl) {
    text += (text.empty() ? "d:" : ",d:") + acl_text({entry}, names);
  }
  return text;
}

std::string acl_pair_text(const AclPair& acls, const Names* names) {
  std::string text = acls.access ? acl_text(*acls.access, names) : "";
  if (acls.fallback) text += (text.empty() ? "" : ",") + default_acl_spec(acls.fallback, names);
  return text;
}

std::optional<AclPair> parse_acl_pair(std::string_view text, const IdOfName& id_of_name) {
  std::string access;
  std::string fallback;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view entry = text.substr(0, end);
    std::string& part = entry.starts_with("d:") ? fallback : access;
    if (&part == &fallback) entry.remove_prefix(2);
    part += (part.empty() ? "" : ",") + std::string(entry);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  AclPair pair;
  if (!access.empty() && !(pair.access = parse_acl_text(access, id_of_name))) return std::nullopt;
  if (!fallback.empty() && !(pair.fallback = parse_acl_text(fallback, id_of_name))) {
    return std::nullopt;
  }
  return pair;
}

std::string acl_text(const Acl& acl, const Names* names) {
  static constexpr const char* kTags[] = {"u", "u", "g", "g", "m", "o"};
  std::string text;
  for (const AclEntry& entry : acl) {
    text += (text.empty() ? "" : ",") + std::string(kTags[static_cast<int>(entry.tag)]) + ":" +
            qualifier(entry, names) + ":" + perms_text(entry.perms);
  }
  return text;
}

unsigned mode_without_acl(unsigned mode, const std::optional<Acl>& acl) {
  const FixStep step{FixStep::Kind::restore_acl, {}, 0, {}, false};
  return apply_step(step, {mode, acl}, {}).value_or(Rights{mode}).mode;
}

std::vector<Finding> drift_of(const Names& names, const std::string& target,
                              const ActualState& actual, const DesiredState& desired) {
  DriftList drift(names, target, actual);
  if (desired.uid && *desired.uid != actual.file.uid) {
    const std::string owner = names.user(*desired.uid);
    drift.add(Code::owner_drift, owner);
    drift.add_step(FixStep::Kind::chown, owner.front() == '#' ? owner.substr(1) : owner);
  }
  if (desired.gid && *desired.gid != actual.file.gid) {
    const std::string group = names.group(*desired.gid);
    drift.add(Code::group_drift, group);
    drift.add_step(FixStep::Kind::chown, ":" + (group.front() == '#' ? group.substr(1) : group));
  }
  add_acl_drift(drift, names, actual, desired);
  if (desired.mode && mode_differs(desired, actual)) {
    drift.add(Code::mode_drift, octal(*desired.mode));
    drift.add_step(FixStep::Kind::chmod, octal(*desired.mode));
  }
  if (would_arm(desired, actual.file)) {
    for (Finding& finding : drift.list) finding.remedy = {{}, kPutBackWhatIsSetId};
  }
  return std::move(drift.list);
}

bool waits_for_drift(const Finding& finding, const FixStep& step, std::span<const Finding> all) {
  if (finding.severity == Severity::drift) return false;
  return std::any_of(all.begin(), all.end(), [&](const Finding& other) {
    if (other.severity != Severity::drift || other.remedy.steps.empty()) return false;
    // A target that is a link is named as such by its drift, as what it leads to by its fault.
    const bool same_inode = finding.path == step.path && finding.file && other.file &&
                            finding.file->device == other.file->device &&
                            finding.file->inode == other.file->inode;
    return same_inode || other.remedy.steps.front().path == step.path;
  });
}

Finding replaced_finding(const Names& names, const std::string& target, const ActualState& actual,
                         std::optional<FileType> desired) {
  DriftList drift(names, target, actual);
  const std::string wanted = what_was_there(desired);
  drift.add(Code::missing, wanted);
  Finding& finding = drift.list.front();
  const bool link = actual.file.type == FileType::symlink;
  finding.remedy.advice =
      "put " + wanted + " back in its place" +
      (link ? "; a command would change what the link leads to, not what was there" : "");
  return std::move(finding);
}

Finding missing_finding(const std::string& target) {
  Finding finding;
  finding.code = Code::missing;
  finding.severity = info(Code::missing).severity;
  finding.target = finding.path = target;
  finding.remedy = general_remedy(finding);
  return finding;
}

}  // namespace permguard
