// SPDX-License-Identifier: Apache-2.0
#include "core/drift.h"

#include <sys/stat.h>

#include <cstdio>

#include "core/remedy.h"

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
  std::string name = names == nullptr       ? "#"
                     : entry.tag == Tag::user ? names->user(entry.id)
                                              : names->group(entry.id);
  // setfacl(1) takes a number, but not the form "#1000".
  return name.front() == '#' ? std::to_string(entry.id) : name;
}

/// The modes compared: without the group digit where an ACL says what it means.
unsigned comparable(unsigned mode, bool acl_is_compared) {
  return acl_is_compared ? mode & ~static_cast<unsigned>(S_IRWXG) : mode;
}

class DriftList {
 public:
  DriftList(const Names& names, const std::string& target, const ActualState& actual)
      : names_(names), target_(target), actual_(actual) {}

  void add(Code code, std::string desired, FixStep::Kind kind, std::string spec) {
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
    finding.remedy.steps.push_back(
        {kind, actual_.path, actual_.file.inode, std::move(spec), false});
    list.push_back(std::move(finding));
  }

  std::vector<Finding> list;

 private:
  const Names& names_;
  const std::string& target_;
  const ActualState& actual_;
};

}  // namespace

std::string acl_text(const Acl& acl, const Names* names) {
  static constexpr const char* kTags[] = {"u", "u", "g", "g", "m", "o"};
  std::string text;
  for (const AclEntry& entry : acl) {
    text += (text.empty() ? "" : ",") + std::string(kTags[static_cast<int>(entry.tag)]) + ":" +
            qualifier(entry, names) + ":" + perms_text(entry.perms);
  }
  return text;
}

std::vector<Finding> drift_of(const Names& names, const std::string& target,
                              const ActualState& actual, const DesiredState& desired) {
  DriftList drift(names, target, actual);
  const bool with_acl = desired.acl && (*desired.acl || actual.acl);
  if (desired.uid && *desired.uid != actual.file.uid) {
    const std::string owner = names.user(*desired.uid);
    drift.add(Code::owner_drift, owner, FixStep::Kind::chown,
              owner.front() == '#' ? owner.substr(1) : owner);
  }
  if (desired.gid && *desired.gid != actual.file.gid) {
    const std::string group = names.group(*desired.gid);
    drift.add(Code::group_drift, group, FixStep::Kind::chown,
              ":" + (group.front() == '#' ? group.substr(1) : group));
  }
  if (desired.mode && comparable(*desired.mode, with_acl) !=
                          comparable(actual.file.mode, with_acl)) {
    drift.add(Code::mode_drift, octal(*desired.mode), FixStep::Kind::chmod, octal(*desired.mode));
  }
  if (desired.acl && *desired.acl != actual.acl) {
    drift.add(Code::acl_drift, *desired.acl ? acl_text(**desired.acl, &names) : "none",
              FixStep::Kind::restore_acl, *desired.acl ? acl_text(**desired.acl, &names) : "");
  }
  return std::move(drift.list);
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
