// SPDX-License-Identifier: Apache-2.0
//
// What chmod(1) and setfacl(1) would do, done to a value.
#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/remedy.h"

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

constexpr unsigned kSetuid = 04000;
constexpr unsigned kSetgid = 02000;
constexpr unsigned kSticky = 01000;

// Calls `use` with each part of a comma-separated list until one is refused.
template <class Use>
bool each_part(std::string_view list, Use use) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (!use(list.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

std::optional<unsigned> parse_number(std::string_view text, int base) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Permissions> permission(char letter) {
  switch (letter) {
    case 'r':
      return kRead;
    case 'w':
      return kWrite;
    case 'x':
      return kExecute;
    default:
      return std::nullopt;
  }
}

// --- chmod ------------------------------------------------------------------------------------

struct ClassMask {
  unsigned digits = 0;  // 0700, 0070, 0007 of the classes named
  unsigned set_id = 0;  // what "s" means for them
};

std::optional<ClassMask> classes(std::string_view letters) {
  ClassMask mask;
  for (const char letter : letters) {
    if (letter == 'u' || letter == 'a') mask = {mask.digits | 0700, mask.set_id | kSetuid};
    if (letter == 'g' || letter == 'a') mask = {mask.digits | 0070, mask.set_id | kSetgid};
    if (letter == 'o' || letter == 'a') mask = {mask.digits | 0007, mask.set_id};
  }
  const bool known = letters.find_first_not_of("ugoa") == std::string_view::npos;
  if (letters.empty() || !known) return std::nullopt;
  return mask;
}

std::optional<unsigned> bits_of(std::string_view letters, const ClassMask& mask) {
  unsigned bits = 0;
  for (const char letter : letters) {
    if (const auto perms = permission(letter)) {
      bits |= (*perms * 0111) & mask.digits;
    } else if (letter == 's') {
      bits |= mask.set_id;
    } else if (letter == 't') {
      bits |= kSticky;
    } else {
      return std::nullopt;
    }
  }
  return bits;
}

// One clause of a symbolic mode, such as "go-w".
bool change_mode(std::string_view clause, unsigned& mode) {
  const std::size_t sign = clause.find_first_of("+-");
  if (sign == std::string_view::npos) return false;
  const auto mask = classes(clause.substr(0, sign));
  const auto bits = mask ? bits_of(clause.substr(sign + 1), *mask) : std::nullopt;
  if (!bits) return false;
  mode = clause[sign] == '+' ? mode | *bits : mode & ~*bits;
  return true;
}

std::optional<unsigned> changed_mode(std::string_view spec, unsigned mode) {
  if (const auto octal = parse_number(spec, 8)) {
    return *octal <= 07777 ? octal : std::nullopt;
  }
  const bool understood =
      each_part(spec, [&mode](std::string_view clause) { return change_mode(clause, mode); });
  return understood ? std::optional(mode) : std::nullopt;
}

// --- ACLs -------------------------------------------------------------------------------------

bool is_named(Tag tag) {
  return tag == Tag::user || tag == Tag::group;
}
bool is_limited_by_mask(Tag tag) {
  return is_named(tag) || tag == Tag::group_obj;
}

AclEntry* find(Acl& acl, Tag tag, std::uint32_t id = 0) {
  const auto found = std::find_if(acl.begin(), acl.end(), [&](const AclEntry& entry) {
    return entry.tag == tag && entry.id == id;
  });
  return found == acl.end() ? nullptr : &*found;
}

// Entries stand in the order of their tags, named ones in the order of their ids, as the kernel
// and setfacl keep them.
void set_entry(Acl& acl, const AclEntry& entry) {
  if (AclEntry* known = find(acl, entry.tag, entry.id)) {
    known->perms = entry.perms;
    return;
  }
  const auto later = std::find_if(acl.begin(), acl.end(), [&](const AclEntry& other) {
    return std::pair(other.tag, other.id) > std::pair(entry.tag, entry.id);
  });
  acl.insert(later, entry);
}

Acl acl_of(const Rights& rights) {
  if (rights.acl) return *rights.acl;
  return {{Tag::user_obj, 0, rights.mode >> 6 & 7},
          {Tag::group_obj, 0, rights.mode >> 3 & 7},
          {Tag::other, 0, rights.mode & 7}};
}

Permissions union_below_mask(const Acl& acl) {
  Permissions perms = 0;
  for (const AclEntry& entry : acl) perms |= is_limited_by_mask(entry.tag) ? entry.perms : 0;
  return perms;
}

// The three digits of the mode that belong to a complete ACL.
Rights rights_with(unsigned mode, Acl acl) {
  const AclEntry* mask = find(acl, Tag::mask);
  const AclEntry* owner = find(acl, Tag::user_obj);
  const AclEntry* group = mask != nullptr ? mask : find(acl, Tag::group_obj);
  const AclEntry* other = find(acl, Tag::other);
  const auto digit = [](const AclEntry* entry) { return entry != nullptr ? entry->perms : 0; };
  Rights rights{(mode & 07000) | digit(owner) << 6 | digit(group) << 3 | digit(other)};
  if (mask != nullptr) rights.acl = std::move(acl);
  return rights;
}

// As the kernel does for chmod(2) on a file with an ACL: __posix_acl_chmod(), fs/posix_acl.c.
Rights with_mode(Rights rights, unsigned mode) {
  rights.mode = mode;
  if (!rights.acl) return rights;
  Acl& acl = *rights.acl;
  const Tag middle = find(acl, Tag::mask) != nullptr ? Tag::mask : Tag::group_obj;
  set_entry(acl, {Tag::user_obj, 0, mode >> 6 & 7});
  set_entry(acl, {middle, 0, mode >> 3 & 7});
  set_entry(acl, {Tag::other, 0, mode & 7});
  return rights;
}

std::optional<Tag> tag_of(std::string_view word, bool named) {
  if (word == "u") return named ? Tag::user : Tag::user_obj;
  if (word == "g") return named ? Tag::group : Tag::group_obj;
  if (word == "m" && !named) return Tag::mask;
  if (word == "o" && !named) return Tag::other;
  return std::nullopt;
}

std::optional<Permissions> perms_of(std::string_view letters) {
  Permissions perms = 0;
  for (const char letter : letters) {
    if (letter == '-') continue;
    const auto bit = permission(letter);
    if (!bit) return std::nullopt;
    perms |= *bit;
  }
  return letters.empty() ? std::nullopt : std::optional(perms);
}

// An entry of acl(5)'s short form, such as "u:www-data:rx" or "m::r-x".
std::optional<AclEntry> parse_entry(std::string_view text, const IdOfName& id_of_name) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == last) return std::nullopt;
  const std::string_view name = text.substr(first + 1, last - first - 1);
  const auto tag = tag_of(text.substr(0, first), !name.empty());
  const auto perms = perms_of(text.substr(last + 1));
  if (!tag || !perms) return std::nullopt;
  std::optional<std::uint32_t> id = 0;
  if (!name.empty()) id = parse_number(name, 10);
  if (!id) id = id_of_name(*tag, name);
  if (!id) return std::nullopt;
  return AclEntry{*tag, *id, *perms};
}

bool set_entries(std::string_view spec, const IdOfName& id_of_name, Acl& acl, bool& mask_given) {
  return each_part(spec, [&](std::string_view text) {
    const auto entry = parse_entry(text, id_of_name);
    if (!entry) return false;
    mask_given |= entry->tag == Tag::mask;
    set_entry(acl, *entry);
    return true;
  });
}

bool is_extended(const Acl& acl) {
  return std::any_of(acl.begin(), acl.end(),
                     [](const AclEntry& e) { return is_named(e.tag) || e.tag == Tag::mask; });
}

std::optional<Rights> apply_setfacl(const FixStep& step, const Rights& rights, Acl acl,
                                    const IdOfName& id_of_name) {
  bool mask_given = false;
  if (!set_entries(step.spec, id_of_name, acl, mask_given)) return std::nullopt;
  const bool kept = mask_given || (step.keep_mask && find(acl, Tag::mask) != nullptr);
  if (is_extended(acl) && !kept) set_entry(acl, {Tag::mask, 0, union_below_mask(acl)});
  return rights_with(rights.mode, std::move(acl));
}

// setfacl -b: what the mask took from the group stays taken.
Rights without_acl(const Rights& rights) {
  Acl acl = acl_of(rights);
  if (const AclEntry* mask = find(acl, Tag::mask)) {
    if (AclEntry* group = find(acl, Tag::group_obj)) group->perms &= mask->perms;
  }
  std::erase_if(acl, [](const AclEntry& e) { return is_named(e.tag) || e.tag == Tag::mask; });
  return rights_with(rights.mode, std::move(acl));
}

}  // namespace

std::optional<Rights> apply_step(const FixStep& step, const Rights& rights,
                                 const IdOfName& id_of_name) {
  switch (step.kind) {
    case FixStep::Kind::chmod: {
      const auto mode = changed_mode(step.spec, rights.mode);
      return mode ? std::optional(with_mode(rights, *mode)) : std::nullopt;
    }
    case FixStep::Kind::setfacl:
      return apply_setfacl(step, rights, acl_of(rights), id_of_name);
    case FixStep::Kind::restore_acl:
      return step.spec.empty() ? without_acl(rights) : apply_setfacl(step, rights, {}, id_of_name);
    case FixStep::Kind::chown:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace permguard
