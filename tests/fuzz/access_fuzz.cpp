// SPDX-License-Identifier: Apache-2.0
//
// decide_access() against a second implementation of the kernel's rules, written from the text
// of acl(5), path_resolution(7) and capabilities(7) and not from the first: it collects what
// each class would grant instead of walking the entries in the kernel's order.
#include <algorithm>
#include <array>

#include "core/access.h"
#include "fuzz.h"

namespace permguard {
namespace {

using fuzz::Input;
using fuzz::require;
using Tag = AclEntry::Tag;

struct Case {
  FileStatus file;
  std::optional<Acl> acl;
  Identity who;
  Permissions wanted = 0;
};

/// Distinct ids in ascending order, few enough to meet those of the file and the user.
void add_named(Input& input, Tag tag, Acl& acl) {
  const unsigned ids = input.byte();
  for (std::uint32_t id = 0; id < 4; ++id) {
    if ((ids >> id & 1) != 0) acl.push_back({tag, id, input.below(8)});
  }
}

/// An ACL as the kernel keeps it (acl(5), "Valid ACLs"): sorted, and with the mode's digits equal
/// to owner, mask and others.
Acl make_acl(Input& input, FileStatus& file) {
  Acl acl{{Tag::user_obj, 0, file.mode >> 6 & 7}};
  add_named(input, Tag::user, acl);
  acl.push_back({Tag::group_obj, 0, input.below(8)});
  add_named(input, Tag::group, acl);
  acl.push_back({Tag::mask, 0, file.mode >> 3 & 7});
  acl.push_back({Tag::other, 0, file.mode & 7});
  return acl;
}

Case make_case(Input& input) {
  Case made;
  made.file.type = input.below(2) == 0 ? FileType::regular : FileType::directory;
  made.file.mode = (input.byte() << 8 | input.byte()) & 07777;
  made.file.uid = input.below(4);
  made.file.gid = input.below(4);
  made.who.uid = input.below(4);
  made.who.gid = input.below(4);
  const unsigned groups = input.byte();
  for (gid_t id = 0; id < 4; ++id) {
    if ((groups >> id & 1) != 0) made.who.groups.push_back(id);
  }
  made.who.dac_override = (groups & 0x40) != 0;
  made.who.dac_read_search = (groups & 0x80) != 0;
  made.wanted = input.below(7) + 1;
  if (input.below(4) != 0) made.acl = make_acl(input, made.file);
  return made;
}

bool member(const Identity& who, gid_t group) {
  return who.gid == group || std::count(who.groups.begin(), who.groups.end(), group) != 0;
}

/// Whether one of the sets of rights holds all that is wanted.
struct Grants {
  bool any_matched = false;
  bool one_suffices = false;

  void add(Permissions rights, Permissions wanted) {
    any_matched = true;
    one_suffices = one_suffices || (wanted & ~rights) == 0;
  }
};

Grants group_class(const Case& asked) {
  Grants grants;
  const Permissions mask = asked.file.mode >> 3 & 7;
  if (!asked.acl || mask == 0) {
    if (member(asked.who, asked.file.gid)) grants.add(mask, asked.wanted);
    return grants;
  }
  for (const AclEntry& entry : *asked.acl) {
    const bool own = entry.tag == Tag::group_obj && member(asked.who, asked.file.gid);
    const bool named = entry.tag == Tag::group && member(asked.who, entry.id);
    if (own || named) grants.add(entry.perms & mask, asked.wanted);
  }
  return grants;
}

std::optional<bool> by_named_user(const Case& asked) {
  const Permissions mask = asked.file.mode >> 3 & 7;
  if (!asked.acl || mask == 0) return std::nullopt;
  for (const AclEntry& entry : *asked.acl) {
    if (entry.tag == Tag::user && entry.id == asked.who.uid) {
      return (asked.wanted & ~(entry.perms & mask)) == 0;
    }
  }
  return std::nullopt;
}

bool by_bits(const Case& asked) {
  if (asked.who.uid == asked.file.uid) return (asked.wanted & ~(asked.file.mode >> 6)) == 0;
  if (const auto named = by_named_user(asked)) return *named;
  const Grants group = group_class(asked);
  if (group.any_matched) return group.one_suffices;
  return (asked.wanted & ~asked.file.mode) == 0;
}

bool by_capability(const Case& asked) {
  const bool directory = asked.file.type == FileType::directory;
  const bool writes = (asked.wanted & kWrite) != 0;
  const bool executes = (asked.wanted & kExecute) != 0;
  if (asked.who.dac_read_search && !writes && (directory || !executes)) return true;
  return asked.who.dac_override && (directory || !executes || (asked.file.mode & 0111) != 0);
}

/// The entry that is named must be one of the file's, and must explain the answer.
void check_reason(const Case& asked, const AccessDecision& decision) {
  require(decision.by_capability == (decision.allowed && !by_bits(asked)),
          "a capability is named where the bits refuse");
  if (decision.allowed) return;
  const bool nobody = asked.file.type == FileType::regular && (asked.file.mode & 0111) == 0;
  require((decision.by == DecidedBy::no_execute_bit) <= nobody, "no x means nobody's");
  require((decision.by == DecidedBy::owner) <= (asked.who.uid == asked.file.uid), "the owner owns");
  require((decision.by == DecidedBy::mask || decision.by == DecidedBy::named_user ||
           decision.by == DecidedBy::named_group) <= asked.acl.has_value(),
          "an ACL entry needs an ACL");
}

void check(const Case& asked) {
  const AccessDecision decision = decide_access(asked.file, asked.acl, asked.who, asked.wanted);
  require(decision.allowed == (by_bits(asked) || by_capability(asked)), "the kernel's answer");
  check_reason(asked, decision);
  Case more = asked;
  more.wanted = 7;
  require(decision.allowed || !decide_access(more.file, more.acl, more.who, 7).allowed ||
              asked.wanted == 7,
          "who may do everything may do each");
}

}  // namespace
}  // namespace permguard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  permguard::fuzz::Input input(data, size);
  do {
    permguard::check(permguard::make_case(input));
  } while (!input.empty());
  return 0;
}
