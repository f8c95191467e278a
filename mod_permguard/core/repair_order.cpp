// SPDX-License-Identifier: Apache-2.0
//
// In which order permissions change, so that nobody has for a moment what he never should have.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "core/repair.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

constexpr unsigned kSticky = S_ISVTX;

Permissions class_of(unsigned mode, unsigned shift) {
  return mode >> shift & 7;
}

bool is_limited_by_mask(Tag tag) {
  return tag == Tag::user || tag == Tag::group || tag == Tag::group_obj;
}

/// The entry's rights as the mask, which is the mode's group digit, leaves them.
Permissions effective(const AclEntry& entry, unsigned mode) {
  return is_limited_by_mask(entry.tag) ? entry.perms & class_of(mode, 3) : entry.perms;
}

/// What the owning group has.
Permissions group_rights(const Rights& rights) {
  if (!rights.acl) return class_of(rights.mode, 3);
  for (const AclEntry& entry : *rights.acl) {
    if (entry.tag == Tag::group_obj) return effective(entry, rights.mode);
  }
  return 0;
}

Permissions named_rights(const Rights& rights, const AclEntry& wanted) {
  for (const AclEntry& entry : rights.acl.value_or(Acl{})) {
    if (entry.tag == wanted.tag && entry.id == wanted.id) return effective(entry, rights.mode);
  }
  return 0;
}

bool narrows_an_entry(const Rights& before, const Rights& after) {
  const Acl entries = before.acl.value_or(Acl{});
  return std::any_of(entries.begin(), entries.end(), [&](const AclEntry& entry) {
    const bool named = entry.tag == Tag::user || entry.tag == Tag::group;
    return named && (effective(entry, before.mode) & ~named_rights(after, entry)) != 0;
  });
}

/// Where an entry that is new denies what its user had as one of the others. That he might have had
/// more by a group is not known.
bool denies_by_a_new_entry(const Rights& before, const Rights& after) {
  const Acl known = before.acl.value_or(Acl{});
  const Acl entries = after.acl.value_or(Acl{});
  return std::any_of(entries.begin(), entries.end(), [&](const AclEntry& entry) {
    const bool is_new = entry.tag == Tag::user &&
                        std::none_of(known.begin(), known.end(), [&](const AclEntry& old) {
                          return old.tag == entry.tag && old.id == entry.id;
                        });
    return is_new && (class_of(before.mode, 0) & ~effective(entry, after.mode)) != 0;
  });
}

/// With an empty group digit the kernel goes by the mode alone (fs/namei.c,
/// acl_permission_check()), and who has an entry is one of the others.
bool ignores_acl(const Rights& rights) {
  return rights.acl && class_of(rights.mode, 3) == 0;
}

/// What everybody has, whoever he is.
Permissions common_rights(const Rights& rights) {
  Permissions common = class_of(rights.mode, 6) & class_of(rights.mode, 0) & group_rights(rights);
  for (const AclEntry& entry : rights.acl.value_or(Acl{})) {
    if (entry.tag != Tag::mask) common &= effective(entry, rights.mode);
  }
  return common;
}

void limit(Rights& rights, unsigned mode) {
  rights.mode = mode;
  if (!rights.acl) return;
  for (AclEntry& entry : *rights.acl) {
    if (entry.tag == Tag::user_obj) entry.perms = class_of(mode, 6);
    if (entry.tag == Tag::mask) entry.perms = class_of(mode, 3);
    if (entry.tag == Tag::other) entry.perms = class_of(mode, 0);
  }
}

bool is_below(const std::string& path, const std::string& directory) {
  return directory == "/" || path.starts_with(directory + "/");
}

std::ptrdiff_t depth(const Change& change) {
  return std::count(change.path.begin(), change.path.end(), '/');
}

bool is_directory(const Change& change) {
  return change.examined.type == FileType::directory;
}

/// The work of apply_plan().
class Order {
 public:
  Order(const std::vector<Change>& changes, const ApplyOptions& options)
      : options_(options), rest_(changes), errors_(changes.size()), by_depth_(changes.size()) {
    std::iota(by_depth_.begin(), by_depth_.end(), std::size_t{0});
    std::stable_sort(by_depth_.begin(), by_depth_.end(), [&](std::size_t a, std::size_t b) {
      return depth(rest_[a]) < depth(rest_[b]);
    });
  }

  std::vector<int> run() {
    for (const std::size_t i : by_depth_) {
      if (is_directory(rest_[i])) narrow(i);
    }
    for (const std::size_t i : by_depth_) {
      if (!is_directory(rest_[i])) change(i, above_failed(i));
    }
    for (auto i = by_depth_.rbegin(); i != by_depth_.rend(); ++i) {
      if (is_directory(rest_[*i]) && errors_[*i] == 0) change(*i, below_failed(*i));
    }
    return errors_;
  }

 private:
  void narrow(std::size_t i) {
    Change& rest = rest_[i];
    if (!takes_away(rest.before, rest.after)) return;
    Change first = rest;
    first.after = narrowed(rest.before, rest.after);
    if (first.after == first.before) return;
    note(i, apply_change(first, options_, &rest.examined));
    if (errors_[i] == 0) rest.before = first.after;
  }

  void change(std::size_t i, bool cancelled) {
    if (rest_[i].before == rest_[i].after) return;
    note(i, cancelled ? ECANCELED : apply_change(rest_[i], options_));
  }

  void note(std::size_t i, int error) {
    errors_[i] = error;
    if (error != 0) failed_.push_back(i);
  }

  bool above_failed(std::size_t i) const {
    return std::any_of(failed_.begin(), failed_.end(), [&](std::size_t other) {
      return is_directory(rest_[other]) && is_below(rest_[i].path, rest_[other].path);
    });
  }
  bool below_failed(std::size_t i) const {
    return std::any_of(failed_.begin(), failed_.end(), [&](std::size_t other) {
      return is_below(rest_[other].path, rest_[i].path);
    });
  }

  const ApplyOptions& options_;
  std::vector<Change> rest_;  ///< what is still to be done
  std::vector<int> errors_;
  std::vector<std::size_t> failed_;
  std::vector<std::size_t> by_depth_;
};

}  // namespace

bool takes_away(const Permission& before, const Permission& after) {
  if (before.uid != after.uid || before.gid != after.gid) return true;
  const Rights& from = before.rights;
  const Rights& to = after.rights;
  const bool narrower = (class_of(from.mode, 6) & ~class_of(to.mode, 6)) != 0 ||
                        (class_of(from.mode, 0) & ~class_of(to.mode, 0)) != 0 ||
                        (group_rights(from) & ~group_rights(to)) != 0;
  return narrower || (to.mode & ~from.mode & kSticky) != 0 || narrows_an_entry(from, to) ||
         denies_by_a_new_entry(from, to) || (ignores_acl(from) && from != to);
}

Permission narrowed(const Permission& before, const Permission& after) {
  const bool same_people =
      before.uid == after.uid && before.gid == after.gid && !before.rights.acl && !after.rights.acl;
  const unsigned common = common_rights(after.rights);
  const unsigned most = same_people ? after.rights.mode & 0777U : common * 0111U;
  const unsigned sticky = (before.rights.mode | after.rights.mode) & kSticky;
  Permission less = before;
  limit(less.rights, (before.rights.mode & most) | sticky);
  if (ignores_acl(less.rights)) limit(less.rights, less.rights.mode & ~07U);
  return less;
}

std::vector<int> apply_plan(const std::vector<Change>& changes, const ApplyOptions& options) {
  return Order(changes, options).run();
}

}  // namespace permguard
