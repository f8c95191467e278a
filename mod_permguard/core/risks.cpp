// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include "core/chain.h"
#include "core/checker.h"

namespace permguard {
namespace {

class RiskList {
 public:
  RiskList(const Examiner& examiner, const Question& question)
      : examiner_(examiner), question_(question) {}

  void add(Code code, const Step& step, const char* remove) {
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
    if (remove != nullptr) {
      finding.remedy.steps.push_back(
          {FixStep::Kind::chmod, step.path, step.status.inode, remove, false});
    } else {
      finding.remedy.advice = "give the file an owner who does not execute it";
    }
    list_.push_back(std::move(finding));
  }

  std::vector<Finding> take() { return std::move(list_); }

 private:
  const Examiner& examiner_;
  const Question& question_;
  std::vector<Finding> list_;
};

const Step* parent_of(const Walk& walk, const Step& end) {
  for (auto step = walk.steps.rbegin(); step != walk.steps.rend(); ++step) {
    if (!step->last && step->path == directory_of(end.path)) {
      return &*step;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<Finding> risks(const Examiner& examiner, const Question& question, const Walk& walk) {
  RiskList list(examiner, question);
  const Step* end = walk.end();
  if (end == nullptr || end->status.type != FileType::regular) {
    return {};
  }
  const FileStatus& file = end->status;
  if ((file.mode & S_IWOTH) != 0) {
    list.add(Code::world_writable, *end, "o-w");
  }
  if ((file.mode & S_IWGRP) != 0) {
    list.add(Code::group_writable, *end, "g-w");
  }
  if (question.who.uid != 0 && decide_access(file, end->acl, question.who, kWrite).allowed &&
      (file.mode & (S_IWOTH | S_IWGRP)) == 0) {
    list.add(Code::server_writable, *end, nullptr);
  }
  if ((file.mode & S_ISUID) != 0) {
    list.add(Code::setuid, *end, "u-s");
  }
  if ((file.mode & S_ISGID) != 0) {
    list.add(Code::setgid, *end, "g-s");
  }
  const Step* parent = parent_of(walk, *end);
  if (parent != nullptr && (parent->status.mode & S_IWOTH) != 0 &&
      (parent->status.mode & S_ISVTX) == 0) {
    list.add(Code::dir_world_writable, *parent, "o-w");
  }
  return list.take();
}

}  // namespace permguard
