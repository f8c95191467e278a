// SPDX-License-Identifier: Apache-2.0
#include "core/repair.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "core/drift.h"

namespace permguard {
namespace {

std::optional<std::uint32_t> id_of(AclEntry::Tag tag, std::string_view name,
                                   const IdOfName& id_of_name) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool numeric = error == std::errc{} && end == name.data() + name.size();
  return numeric ? std::optional(number) : id_of_name(tag, name);
}

bool is_unchanged(const FileStatus& now, const FileStatus& then) {
  return now.device == then.device && now.inode == then.inode && now.changed == then.changed &&
         now.changed_ns == then.changed_ns;
}

/// `user`, `user:group` or `:group`.
bool change_owner(std::string_view spec, Permission& permission, const IdOfName& id_of_name) {
  const std::size_t colon = std::min(spec.find(':'), spec.size());
  const std::string_view user = spec.substr(0, colon);
  const std::string_view group = spec.substr(std::min(colon + 1, spec.size()));
  const auto uid = user.empty() ? std::optional<std::uint32_t>(permission.uid)
                                : id_of(AclEntry::Tag::user, user, id_of_name);
  const auto gid = group.empty() ? std::optional<std::uint32_t>(permission.gid)
                                 : id_of(AclEntry::Tag::group, group, id_of_name);
  if (!uid || !gid) {
    return false;
  }
  permission.uid = *uid;
  permission.gid = *gid;
  return true;
}

bool restore_default_acl(std::string_view spec, Permission& permission,
                         const IdOfName& id_of_name) {
  permission.default_acl.reset();
  if (spec == "d:") return true;
  const std::optional<AclPair> acls = parse_acl_pair(spec, id_of_name);
  if (acls) permission.default_acl = acls->fallback;
  return acls.has_value();
}

/// As notify_change() does for chown(2), fs/attr.c: else a file of somebody's own making would get
/// the new owner's rights with the bits that he had set for himself.
void drop_set_id_bits(FileType type, Rights& rights) {
  if (type == FileType::directory) return;
  const bool group_executes = (rights.mode & S_IXGRP) != 0;
  rights.mode &= ~static_cast<unsigned>(group_executes ? S_ISUID | S_ISGID : S_ISUID);
}

bool apply(const FixStep& step, FileType type, Permission& permission, const IdOfName& id_of_name) {
  if (step.kind == FixStep::Kind::chown) {
    drop_set_id_bits(type, permission.rights);
    return change_owner(step.spec, permission, id_of_name);
  }
  if (step.kind == FixStep::Kind::restore_acl && step.spec.starts_with("d:")) {
    return restore_default_acl(step.spec, permission, id_of_name);
  }
  const bool ends_both = step.kind == FixStep::Kind::restore_acl && step.spec.empty();
  if (ends_both) permission.default_acl.reset();  // setfacl -b
  const std::optional<Rights> rights = apply_step(step, permission.rights, id_of_name);
  if (rights) {
    permission.rights = *rights;
  }
  return rights.has_value();
}

Result<Change> present_state(const Filesystem& filesystem, const std::string& path) {
  const Result<FileStatus> file = filesystem.status(path);
  if (!file) {
    return failure<Change>(file.error);
  }
  const Result<std::optional<Acl>> acl = filesystem.acl(path);
  const Result<std::optional<Acl>> fallback = filesystem.default_acl(path);
  if (!acl || !fallback) {
    return failure<Change>(acl ? fallback.error : acl.error);
  }
  const Permission now{
      file.value.uid, file.value.gid, {file.value.mode, acl.value}, fallback.value};
  return {0, {path, file.value, now, now}};
}

/// The state of `step`'s file, if it is still the one that was examined.
Result<Change> examined_state(const Filesystem& filesystem, const FixStep& step,
                              const Examined& examined) {
  Result<Change> present = present_state(filesystem, step.path);
  if (!present) return present;
  const FileStatus& file = present.value.examined;
  const auto seen = examined.find(step.path);
  const bool changed = seen != examined.end() && !is_unchanged(file, seen->second);
  const bool other = step.inode != 0 && step.inode != file.inode;
  return changed || other ? failure<Change>(ESTALE) : present;
}

/// Nothing where what the step asks for is done by those before, as for another name of the inode.
void take(const FixStep& step, Change& change, const IdOfName& id_of_name,
          std::vector<Unplanned>& unplanned) {
  Permission after = change.after;
  if (!apply(step, change.examined.type, after, id_of_name)) {
    unplanned.push_back({step.path, EINVAL});
  } else if (after != change.after) {
    change.after = std::move(after);
    change.steps.push_back(step);
  }
}

bool comes_first(const Change& a, const Change& b) {
  const bool a_directory = a.examined.type == FileType::directory;
  const bool b_directory = b.examined.type == FileType::directory;
  const auto depth = [](const Change& change) {
    return std::count(change.path.begin(), change.path.end(), '/');
  };
  return a_directory != b_directory ? b_directory : depth(a) > depth(b);
}

}  // namespace

Plan plan_changes(const Filesystem& filesystem, const std::vector<FixStep>& steps,
                  const IdOfName& id_of_name, const Examined& examined) {
  Plan plan;
  std::unordered_map<std::string, std::size_t> by_path;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> by_inode;
  for (const FixStep& step : steps) {
    auto place = by_path.find(step.path);
    if (place == by_path.end()) {
      Result<Change> present = examined_state(filesystem, step, examined);
      if (!present) {
        plan.unplanned.push_back({step.path, present.error});
        continue;
      }
      const FileStatus& file = present.value.examined;
      const auto [known, is_new] =
          by_inode.emplace(std::pair(file.device, file.inode), plan.changes.size());
      place = by_path.emplace(step.path, known->second).first;
      if (is_new) plan.changes.push_back(std::move(present.value));
    }
    take(step, plan.changes[place->second], id_of_name, plan.unplanned);
  }
  std::erase_if(plan.changes, [](const Change& change) { return change.before == change.after; });
  std::stable_sort(plan.changes.begin(), plan.changes.end(), comes_first);
  return plan;
}

}  // namespace permguard
