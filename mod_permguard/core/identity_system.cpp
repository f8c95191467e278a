// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/identity.h"

namespace permguard {
namespace {

constexpr gid_t kNoGroup = 65534;
constexpr std::size_t kMaxEntry = std::size_t{1} << 20;  // bytes of one passwd or group entry

// What getpwnam_r(3) and its kin say where there is no such entry, besides 0.
bool means_unknown(int error) {
  return error == 0 || error == ENOENT || error == ESRCH;
}

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Calls one of the *_r look-ups with a buffer that grows until the entry fits.
template <class Entry, class Key, class Value>
Result<Value> look_up(int (*call)(Key, Entry*, char*, std::size_t, Entry**), Key key,
                      Value (*convert)(const Entry&)) {
  for (std::size_t size = 1024; size <= kMaxEntry; size *= 2) {
    std::string buffer(size, '\0');
    Entry entry{};
    Entry* found = nullptr;
    const int error = call(key, &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) continue;
    if (found != nullptr) return {0, convert(*found)};
    return failure<Value>(means_unknown(error) ? ENOENT : error);
  }
  return failure<Value>(ERANGE);
}

Account account_of(const passwd& entry) {
  return {entry.pw_name, entry.pw_uid, entry.pw_gid};
}
std::string group_name_of(const group& entry) {
  return entry.gr_name;
}
gid_t group_id_of(const group& entry) {
  return entry.gr_gid;
}
// Its name, then those of its members.
std::vector<std::string> group_names_of(const group& entry) {
  std::vector<std::string> names{entry.gr_name};
  for (char** member = entry.gr_mem; *member != nullptr; ++member) names.emplace_back(*member);
  return names;
}

// The largest id is excluded: chown(2) and setuid(2) read it as "unchanged".
std::optional<unsigned> parse_id(std::string_view text) {
  unsigned id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id == ~0U) return std::nullopt;
  return id;
}

Result<Account> account_by_id(uid_t uid) {
  const Result<Account> known = look_up(&getpwuid_r, uid, &account_of);
  if (known.error != ENOENT) return known;
  return {0, Account{"#" + std::to_string(uid), uid, kNoGroup}};
}

Result<Account> find_account(const std::string& text) {
  if (text.starts_with('#')) {
    const auto uid = parse_id(std::string_view(text).substr(1));
    return uid ? account_by_id(*uid) : failure<Account>(EINVAL);
  }
  const Result<Account> known = look_up(&getpwnam_r, text.c_str(), &account_of);
  const auto uid = parse_id(text);
  return known.error == ENOENT && uid ? account_by_id(*uid) : known;
}

Result<gid_t> find_group(const std::string& text) {
  if (text.starts_with('#')) {
    const auto gid = parse_id(std::string_view(text).substr(1));
    return gid ? Result<gid_t>{0, *gid} : failure<gid_t>(EINVAL);
  }
  const Result<gid_t> known = look_up(&getgrnam_r, text.c_str(), &group_id_of);
  const auto gid = parse_id(text);
  return known.error == ENOENT && gid ? Result<gid_t>{0, *gid} : known;
}

void sort_groups(std::vector<gid_t>& groups) {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
}

// As initgroups(3) would set them: the primary group and every group that lists the user.
std::vector<gid_t> groups_of(const Account& account, gid_t primary) {
  if (account.name.starts_with('#')) return {primary};
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (getgrouplist(account.name.c_str(), primary, groups.data(), &count) < 0) {
    // glibc sets `count` to the need; other libraries may not.
    groups.resize(std::max(static_cast<std::size_t>(count), groups.size() * 2));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<std::size_t>(count));
  sort_groups(groups);
  return groups;
}

void set_capabilities(Identity& identity, std::uint64_t effective) {
  identity.dac_override = (effective >> CAP_DAC_OVERRIDE & 1) != 0;
  identity.dac_read_search = (effective >> CAP_DAC_READ_SEARCH & 1) != 0;
}

std::uint64_t own_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) return 0;
  return std::uint64_t{data[1].effective} << 32 | data[0].effective;
}

Result<std::string> read_whole(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failure<std::string>(errno);
  Result<std::string> text;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = ::read(file, buffer.data(), buffer.size())) > 0) {
    text.value.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (got < 0) text = failure<std::string>(errno);
  close(file);
  return text;
}

// The numbers after `key` on its line of /proc/PID/status.
std::vector<std::uint64_t> numbers_of(std::string_view status, std::string_view key, int base) {
  std::vector<std::uint64_t> numbers;
  const std::string start = "\n" + std::string(key) + ":";
  const std::size_t found = status.find(start);
  if (found == std::string_view::npos) return numbers;
  std::string_view line = status.substr(found + start.size());
  line = line.substr(0, line.find('\n'));
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
    if (error != std::errc{}) return numbers;
    numbers.push_back(number);
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  }
}

}  // namespace

std::string SystemNames::user(uid_t uid) const {
  const Result<Account> account = account_by_id(uid);
  return account ? account.value.name : "#" + std::to_string(uid);
}

std::string SystemNames::group(gid_t gid) const {
  const Result<std::string> name = look_up(&getgrgid_r, gid, &group_name_of);
  return name ? name.value : "#" + std::to_string(gid);
}

bool SystemNames::is_private_group(gid_t gid, uid_t uid) const {
  const Result<Account> account = look_up(&getpwuid_r, uid, &account_of);
  if (!account || account.value.gid != gid) return false;
  const Result<std::vector<std::string>> names = look_up(&getgrgid_r, gid, &group_names_of);
  return names && std::all_of(names.value.begin(), names.value.end(),
                              [&](const std::string& name) { return name == account.value.name; });
}

Result<Identity> lookup_identity(const std::string& spec) {
  const std::size_t colon = spec.find(':');
  const std::string user = spec.substr(0, colon);
  const bool group_given = colon != std::string::npos;
  if (user.empty() || spec.find('\0') != std::string::npos) return failure<Identity>(EINVAL);
  if (group_given && colon + 1 == spec.size()) return failure<Identity>(EINVAL);

  const Result<Account> account = find_account(user);
  if (!account) return failure<Identity>(account.error);
  Result<gid_t> group{0, account.value.gid};
  if (group_given) group = find_group(spec.substr(colon + 1));
  if (!group) return failure<Identity>(group.error);

  Identity identity{.uid = account.value.uid, .gid = group.value, .name = account.value.name};
  identity.groups = groups_of(account.value, group.value);
  identity.dac_override = identity.dac_read_search = identity.uid == 0;
  return {0, identity};
}

Identity current_identity() {
  Identity identity{.uid = geteuid(), .gid = getegid()};
  const int count = getgroups(0, nullptr);
  identity.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  const int got = getgroups(count, identity.groups.data());
  identity.groups.resize(static_cast<std::size_t>(std::max(got, 0)));
  sort_groups(identity.groups);
  identity.name = SystemNames().user(identity.uid);
  set_capabilities(identity, own_capabilities());
  return identity;
}

Result<Identity> process_identity(pid_t pid) {
  return process_identity("/proc/" + std::to_string(pid));
}

Result<Identity> process_identity(const std::string& directory) {
  const Result<std::string> status = read_whole(directory + "/status");
  if (!status) return failure<Identity>(status.error == ESRCH ? ENOENT : status.error);
  // Columns: real, effective, saved, file system.
  const auto uids = numbers_of(status.value, "Uid", 10);
  const auto gids = numbers_of(status.value, "Gid", 10);
  const auto capabilities = numbers_of(status.value, "CapEff", 16);
  if (uids.size() < 4 || gids.size() < 4 || capabilities.empty()) return failure<Identity>(ENOENT);

  Identity identity{.uid = static_cast<uid_t>(uids[1]), .gid = static_cast<gid_t>(gids[1])};
  for (const std::uint64_t group : numbers_of(status.value, "Groups", 10)) {
    identity.groups.push_back(static_cast<gid_t>(group));
  }
  sort_groups(identity.groups);
  identity.name = SystemNames().user(identity.uid);
  set_capabilities(identity, capabilities[0]);
  return {0, identity};
}

}  // namespace permguard
