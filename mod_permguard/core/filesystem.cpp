// SPDX-License-Identifier: Apache-2.0
#include "core/filesystem.h"

#include <cerrno>

namespace permguard {
namespace {

using Tag = AclEntry::Tag;

// struct posix_acl_xattr_header and _entry, linux/posix_acl_xattr.h: little endian.
constexpr std::size_t kHeaderSize = 4;
constexpr std::size_t kEntrySize = 8;
constexpr std::uint32_t kVersion = 2;

std::uint32_t little_endian(const std::string& bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

std::string little_endian_bytes(std::uint32_t value, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes += static_cast<char>(value >> (8 * i) & 0xff);
  }
  return bytes;
}

constexpr std::uint32_t kNoId = 0xffffffff;  // ACL_UNDEFINED_ID

// The e_tag values of acl(5), linux/posix_acl.h.
std::optional<Tag> tag_from(std::uint32_t number) {
  switch (number) {
    case 0x01:
      return Tag::user_obj;
    case 0x02:
      return Tag::user;
    case 0x04:
      return Tag::group_obj;
    case 0x08:
      return Tag::group;
    case 0x10:
      return Tag::mask;
    case 0x20:
      return Tag::other;
    default:
      return std::nullopt;
  }
}

bool is_named(Tag tag) {
  return tag == Tag::user || tag == Tag::group;
}

std::optional<AclEntry> entry_at(const std::string& bytes, std::size_t at) {
  const std::optional<Tag> tag = tag_from(little_endian(bytes, at, 2));
  const Permissions perms = little_endian(bytes, at + 2, 2);
  if (!tag || perms > (kRead | kWrite | kExecute)) return std::nullopt;
  return AclEntry{*tag, is_named(*tag) ? little_endian(bytes, at + 4, 4) : 0, perms};
}

// The order and number of entries the kernel insists on: posix_acl_valid(), fs/posix_acl.c.
bool well_formed(const Acl& acl) {
  std::size_t at = 0;
  const auto skip = [&](Tag tag) {
    const std::size_t start = at;
    while (at < acl.size() && acl[at].tag == tag) ++at;
    return at - start;
  };
  const bool owner = skip(Tag::user_obj) == 1;
  const std::size_t users = skip(Tag::user);
  const bool group = skip(Tag::group_obj) == 1;
  const std::size_t groups = skip(Tag::group);
  const std::size_t masks = skip(Tag::mask);
  const bool other = skip(Tag::other) == 1;
  const bool masked = masks == 1 || (masks == 0 && users + groups == 0);
  return owner && group && other && masked && at == acl.size();
}

constexpr std::size_t kMinimalEntries = 3;  // owner, group, other: no more than the mode says

}  // namespace

Result<std::vector<std::string>> Filesystem::list(const std::string& path,
                                                  std::size_t limit) const {
  Result<std::vector<std::string>> names;
  names.error = each_name(path, [&](std::string_view name) {
    if (names.value.size() < limit) names.value.emplace_back(name);
    return names.value.size() < limit;
  });
  if (!names) names.value.clear();
  return names;
}

Result<std::optional<Acl>> decode_acl(const std::string& bytes, bool keep_minimal) {
  using Decoded = std::optional<Acl>;
  if (bytes.size() < kHeaderSize || (bytes.size() - kHeaderSize) % kEntrySize != 0 ||
      little_endian(bytes, 0, kHeaderSize) != kVersion) {
    return failure<Decoded>(EINVAL);
  }
  Acl acl;
  for (std::size_t at = kHeaderSize; at < bytes.size(); at += kEntrySize) {
    const std::optional<AclEntry> entry = entry_at(bytes, at);
    if (!entry) return failure<Decoded>(EINVAL);
    acl.push_back(*entry);
  }
  if (acl.empty()) return {};  // as the kernel reads it: no ACL
  if (!well_formed(acl)) return failure<Decoded>(EINVAL);
  if (acl.size() == kMinimalEntries && !keep_minimal) return {};
  return {0, std::move(acl)};
}

bool Filesystem::follows_links(const std::string& directory) const {
  const Result<Mount> seen = mount(directory);
  return !seen || !seen.value.nosymfollow;
}

bool Filesystem::is_immutable(const std::string&) const {
  return false;
}

std::string encode_acl(const Acl& acl) {
  std::string bytes = little_endian_bytes(kVersion, kHeaderSize);
  for (const AclEntry& entry : acl) {
    bytes += little_endian_bytes(1U << static_cast<unsigned>(entry.tag), 2);
    bytes += little_endian_bytes(entry.perms, 2);
    bytes += little_endian_bytes(is_named(entry.tag) ? entry.id : kNoId, 4);
  }
  return bytes;
}

}  // namespace permguard
