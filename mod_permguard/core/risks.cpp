// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/chain.h"
#include "core/checker.h"
#include "core/remedy_limits.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

bool is_of_a_group(const AclEntry& entry) {
  return entry.tag == Tag::group_obj || entry.tag == Tag::group;
}

/// With an ACL the mode's group digit is the mask and says nothing of any group: acl(5).
bool a_group_may_write(const Step& step) {
  if ((step.status.mode & S_IWGRP) == 0) return false;
  const auto writes = [](const AclEntry& entry) {
    return is_of_a_group(entry) && (entry.perms & kWrite) != 0;
  };
  return !step.acl || std::any_of(step.acl->begin(), step.acl->end(), writes);
}

std::string without_write(const AclEntry& entry) {
  const bool named = entry.tag == Tag::user || entry.tag == Tag::group;
  return std::string(is_of_a_group(entry) ? "g:" : "u:") +
         (named ? std::to_string(entry.id) : std::string()) + ":" +
         (entry.perms & kRead ? 'r' : '-') + '-' + (entry.perms & kExecute ? 'x' : '-');
}

FixStep chmod_step(const Step& step, const char* spec) {
  return {FixStep::Kind::chmod, step.path, step.status.inode, spec, false};
}

/// Takes the write bit out of the entries that `chosen` names. The mask stays: it limits others'
/// entries too.
template <class Chosen>
FixStep entries_step(const Step& step, Chosen chosen) {
  std::string spec;
  for (const AclEntry& entry : *step.acl) {
    if (!chosen(entry) || (entry.perms & kWrite) == 0) continue;
    spec += (spec.empty() ? "" : ",") + without_write(entry);
  }
  return {FixStep::Kind::setfacl, step.path, step.status.inode, spec, true};
}

Remedy take_from_groups(const Step& step) {
  return {{step.acl ? entries_step(step, is_of_a_group) : chmod_step(step, "g-w")}, {}};
}

/// Takes the write bit where the user has it from; an owner gets it back by chmod(2) at will.
Remedy take_from_user(const Step& step, const AccessDecision& decision) {
  switch (decision.by) {
    case DecidedBy::owning_group:
    case DecidedBy::named_group:
      return take_from_groups(step);
    case DecidedBy::named_user:
      return {{entries_step(step,
                            [&](const AclEntry& entry) {
                              return entry.tag == Tag::user && entry.id == decision.entry_id;
                            })},
              {}};
    default:
      return {{}, "give the file an owner who does not execute it"};
  }
}

class RiskList {
 public:
  RiskList(const Examiner& examiner, const Question& question)
      : examiner_(examiner), question_(question) {}

  void add(Code code, const Step& step, Remedy remedy) {
    Finding finding;
    finding.code = code;
    finding.severity = info(code).severity;
    finding.need = question_.need;
    finding.target = question_.target;
    finding.path = step.path;
    finding.file = step.status;
    finding.owner = examiner_.names.user(step.status.uid);
    finding.group = examiner_.names.group(step.status.gid);
    finding.target_seen = true;
    finding.remedy = std::move(remedy);
    list_.push_back(std::move(finding));
  }

  void add(Code code, const Step& step, const char* spec) {
    add(code, step, Remedy{{chmod_step(step, spec)}, {}});
  }

  void judge_file(const Step& step) {
    const unsigned mode = step.status.mode;
    if ((mode & S_IWOTH) != 0) add(Code::world_writable, step, "o-w");
    if (a_group_may_write(step)) add(Code::group_writable, step, take_from_groups(step));
    const AccessDecision write = decide_access(step.status, step.acl, question_.who, kWrite);
    // Who may write everything does so whatever this file's rights are; what everybody may is told.
    const bool own = write.allowed && !write.by_capability && write.by != DecidedBy::other;
    if (question_.who.uid != 0 && own) {
      add(Code::server_writable, step, take_from_user(step, write));
    }
    if ((mode & S_ISUID) != 0) add(Code::setuid, step, "u-s");
    if ((mode & S_ISGID) != 0) add(Code::setgid, step, "g-s");
  }

  /// Where the file lies, and where a link to it lies: who may replace either replaces the script.
  void judge_directory(const Step& step) {
    const bool open = (step.status.mode & S_IWOTH) != 0 && (step.status.mode & S_ISVTX) == 0;
    const bool told = std::any_of(list_.begin(), list_.end(), [&](const Finding& finding) {
      return finding.code == Code::dir_world_writable && finding.path == step.path;
    });
    if (open && !told) add(Code::dir_world_writable, step, "o-w");
  }

  std::vector<Finding> take(const Walk& walk) {
    for (Finding& finding : list_) {
      heed_links(examiner_.names, walk, question_.target, finding);
      heed_mount(examiner_.filesystem.mount(finding.path).value, examiner_.surroundings, finding);
      heed_refusals(examiner_.filesystem, examiner_.surroundings, finding);
    }
    return std::move(list_);
  }

 private:
  const Examiner& examiner_;
  const Question& question_;
  std::vector<Finding> list_;
};

const Step* parent_of(const Walk& walk, const Step& file) {
  for (auto step = walk.steps.rbegin(); step != walk.steps.rend(); ++step) {
    if (!step->last && step->path == directory_of(file.path)) {
      return &*step;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<Finding> risks(const Examiner& examiner, const Question& question, const Walk& walk) {
  const Step* end = walk.end();
  if (end == nullptr || end->status.type != FileType::regular) return {};
  RiskList list(examiner, question);
  list.judge_file(*end);
  for (const Step& step : walk.steps) {
    const Step* parent =
        step.last || step.status.type == FileType::symlink ? parent_of(walk, step) : nullptr;
    if (parent != nullptr) list.judge_directory(*parent);
  }
  return list.take(walk);
}

}  // namespace permguard
