// SPDX-License-Identifier: Apache-2.0
#include "core/finding.h"

#include <array>

namespace permguard {
namespace {

constexpr Severity error = Severity::error;
constexpr Severity warning = Severity::warning;
constexpr Severity drift = Severity::drift;

constexpr CodeInfo kCatalogue[] = {
#define PERMGUARD_CODE(enumerator, name, severity, cause, action) \
  {Code::enumerator, name, severity, cause, action},
#include "core/catalogue.inc"
};
static_assert(std::size(kCatalogue) == kCodeCount);

// In the order of the enums.
constexpr std::array<const char*, kRoleCount> kRoles = {"script",
                                                        "interpreter",
                                                        "command",
                                                        "loader",
                                                        "socket",
                                                        "wrapper",
                                                        "wrapper-interpreter",
                                                        "wrapper-command",
                                                        "wrapper-loader",
                                                        "htaccess",
                                                        "suexec",
                                                        "directory"};
constexpr std::array kSeverities = {"error", "warning", "drift"};
constexpr std::array kCertainties = {"certain", "modelled"};
constexpr std::array kNeeds = {"execute", "read", "connect"};
constexpr std::array kFileTypes = {"regular", "directory",        "symlink",      "fifo",
                                   "socket",  "character-device", "block-device", "unknown"};

template <class Enum, std::size_t Count>
constexpr const char* name_in(const std::array<const char*, Count>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

template <class Enum, std::size_t Count>
std::optional<Enum> value_in(const std::array<const char*, Count>& names, std::string_view name) {
  for (std::size_t i = 0; i < Count; ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::span<const CodeInfo> catalogue() {
  return kCatalogue;
}

const CodeInfo& info(Code code) {
  return kCatalogue[static_cast<std::size_t>(code)];
}

const char* name_of(Code code) {
  return info(code).name;
}
const char* name_of(Role role) {
  return name_in(kRoles, role);
}
const char* name_of(Severity severity) {
  return name_in(kSeverities, severity);
}
const char* name_of(Certainty certainty) {
  return name_in(kCertainties, certainty);
}
const char* name_of(Need need) {
  return name_in(kNeeds, need);
}
const char* name_of(FileType type) {
  return name_in(kFileTypes, type);
}

std::optional<Code> code_from_name(std::string_view name) {
  for (const CodeInfo& row : kCatalogue) {
    if (name == row.name) return row.code;
  }
  return std::nullopt;
}

std::optional<Role> role_from_name(std::string_view name) {
  return value_in<Role>(kRoles, name);
}
std::optional<Need> need_from_name(std::string_view name) {
  return value_in<Need>(kNeeds, name);
}

void count(FindingCounts& counts, const Finding& finding) {
  ++counts[{finding.code, finding.role, finding.severity}];
}

std::uint64_t total(const FindingCounts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [kind, number] : counts) sum += number;
  return sum;
}

std::uint64_t total(const FindingCounts& counts, Severity severity) {
  std::uint64_t sum = 0;
  for (const auto& [kind, number] : counts) {
    if (std::get<Severity>(kind) == severity) sum += number;
  }
  return sum;
}

}  // namespace permguard
