// SPDX-License-Identifier: Apache-2.0
#include "core/lead.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/chain.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

// As whom the kernel and NFS show everybody they cannot map: user_namespaces(7). Two such files
// need not have one owner.
constexpr uid_t kOverflowId = 65534;

constexpr const char* kUnknown = "somebody unknown";

/// Looks for a stranger among all who may change one file.
class Strangers {
 public:
  Strangers(uid_t owner, const Names& names) : owner_(owner), names_(names) {}

  std::string among_users(uid_t user) const { return is_known(user) ? "" : names_.user(user); }

  /// Whoever may write it: its owner, who can always have himself a w, and by mode or ACL others.
  std::string among_writers(const FileStatus& file, const std::optional<Acl>& acl) const {
    if (std::string user = among_users(file.uid); !user.empty()) return user;
    if ((file.mode & S_IWOTH) != 0) return "everybody";
    if ((file.mode & S_IWGRP) == 0) return {};  // with an ACL the mask: acl(5)
    if (!acl) return among_groups(file.gid);
    for (const AclEntry& entry : *acl) {
      if ((entry.perms & kWrite) == 0) continue;
      if (std::string found = among_entry(entry, file); !found.empty()) return found;
    }
    return {};
  }

 private:
  bool is_known(uid_t user) const { return user == 0 || (user == owner_ && owner_ != kOverflowId); }

  std::string among_groups(gid_t group) const {
    const bool known = names_.is_private_group(group, 0) || names_.is_private_group(group, owner_);
    return known ? "" : "group " + names_.group(group);
  }

  std::string among_entry(const AclEntry& entry, const FileStatus& file) const {
    switch (entry.tag) {
      case Tag::user:
        return among_users(entry.id);
      case Tag::group_obj:
        return among_groups(file.gid);
      case Tag::group:
        return among_groups(entry.id);
      default:
        return {};  // owner and others are the mode's; the mask grants nothing
    }
  }

  uid_t owner_;
  const Names& names_;
};

const Step* step_at(const Walk& walk, const std::string& path) {
  const auto found = std::find_if(walk.steps.begin(), walk.steps.end(),
                                  [&](const Step& step) { return step.path == path; });
  return found == walk.steps.end() ? nullptr : &*found;
}

Lead lead_of_link(const Walk& walk, const Step& link) {
  Lead lead{.kind = Lead::Kind::link, .path = link.path, .file = link.status};
  if (const Step* directory = step_at(walk, directory_of(link.path))) {
    lead.directory = directory->status;
    lead.directory_acl = directory->acl;
  }
  return lead;
}

/// `path` from `directory`, which has no links, so that ".." at its beginning can be taken by name.
std::string joined_path(std::string directory, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  while (path.starts_with("../")) {
    path.remove_prefix(3);
    directory = directory_of(directory);
  }
  return absolute(std::string(path), directory);
}

}  // namespace

std::string stranger_to(const Lead& lead, uid_t owner, const Names& names) {
  const Strangers strangers(owner, names);
  if (!lead.file) return kUnknown;
  if (lead.kind != Lead::Kind::link) return strangers.among_writers(*lead.file, lead.acl);
  if (std::string user = strangers.among_users(lead.file->uid); !user.empty()) return user;
  if (!lead.directory) return kUnknown;
  const bool sticky = (lead.directory->mode & S_ISVTX) != 0;
  return sticky ? strangers.among_users(lead.directory->uid)
                : strangers.among_writers(*lead.directory, lead.directory_acl);
}

std::vector<Lead> links_before(const Walk& walk, const std::string& path) {
  std::vector<Lead> links;
  for (const Step& step : walk.steps) {
    if (step.path == path) break;
    if (step.status.type == FileType::symlink) links.push_back(lead_of_link(walk, step));
  }
  return links;
}

std::vector<Lead> links_of(const Walk& walk) {
  std::vector<Lead> links;
  for (const Step& step : walk.steps) {
    if (step.status.type == FileType::symlink) links.push_back(lead_of_link(walk, step));
  }
  return links;
}

Lead lead_of_file(Lead::Kind kind, const Step& step) {
  return {.kind = kind, .path = step.path, .file = step.status, .acl = step.acl};
}

std::vector<Lead> leads_of_setting(const Filesystem& filesystem, const std::string& path,
                                   const Identity& who) {
  const Walk walk = walk_path(filesystem, path, who);
  std::vector<Lead> leads = links_of(walk);
  const Step* end = walk.end();
  leads.push_back(end != nullptr ? lead_of_file(Lead::Kind::setting, *end)
                                 : Lead{.kind = Lead::Kind::setting, .path = path, .file = {}});
  return leads;
}

std::string goal_of(const Walk& walk, const std::string& named) {
  if (walk.complete) return walk.resolved;
  const auto last = std::find_if(walk.steps.rbegin(), walk.steps.rend(), [](const Step& step) {
    return step.status.type == FileType::symlink;
  });
  if (last == walk.steps.rend()) return named;
  const std::string goal = joined_path(directory_of(last->path), last->link_target);
  const bool lies_below = named.starts_with(last->path + '/');
  return lies_below ? goal + named.substr(last->path.size()) : goal;
}

}  // namespace permguard
