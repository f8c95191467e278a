// SPDX-License-Identifier: Apache-2.0
#include "oracle/shrink.h"

#include <array>

#include "oracle/bodies.h"

namespace permguard::oracle {
namespace {

using Edit = void (*)(TreePlan&, std::size_t);

void drop(TreePlan& plan, std::size_t at) {
  const std::string path = plan.files[at].path, below = path + "/";
  std::erase_if(plan.files, [&](const PlannedFile& file) {
    return file.path == path || file.path.starts_with(below);
  });
}

void drop_acl(TreePlan& plan, std::size_t at) {
  plan.files[at].acl.clear();
}
void ordinary_mode(TreePlan& plan, std::size_t at) {
  plan.files[at].mode = 0755;
}
void ordinary_owner(TreePlan& plan, std::size_t at) {
  plan.files[at].uid = 0;
}
void ordinary_group(TreePlan& plan, std::size_t at) {
  plan.files[at].gid = 0;
}

void ordinary_content(TreePlan& plan, std::size_t at) {
  auto& file = plan.files[at];
  if (file.kind == PlannedFile::Kind::directory) return;
  file.kind = PlannedFile::Kind::regular;
  file.content = "#!/bin/sh\n" + script_body();
}

void ordinary_path(TreePlan& plan, std::size_t) {
  plan.search_path = "/usr/bin:/bin";
}

constexpr std::array<Edit, 7> kEdits = {
    drop, drop_acl, ordinary_content, ordinary_mode, ordinary_owner, ordinary_group, ordinary_path};

std::string fingerprint(const TreePlan& plan) {
  std::string text = plan.search_path;
  for (const auto& file : plan.files) {
    text += file.path + '\n' + std::to_string(file.mode) + '\n' + std::to_string(file.uid) + '\n' +
            std::to_string(file.gid) + '\n' + file.acl + '\n' + file.content + '\n';
  }
  return text;
}

// One pass over all edits; whether any of them could be made.
bool pass(TreePlan& plan, const std::function<bool(const TreePlan&)>& still_fails) {
  bool changed = false;
  for (const Edit edit : kEdits) {
    for (std::size_t at = plan.files.size(); at-- > 0;) {
      if (at >= plan.files.size()) continue;
      TreePlan smaller = plan;
      edit(smaller, at);
      if (fingerprint(smaller) == fingerprint(plan) || !still_fails(smaller)) continue;
      plan = std::move(smaller);
      changed = true;
    }
  }
  return changed;
}

}  // namespace

TreePlan shrink(TreePlan plan, const std::function<bool(const TreePlan&)>& still_fails) {
  while (pass(plan, still_fails)) {
  }
  return plan;
}

}  // namespace permguard::oracle
