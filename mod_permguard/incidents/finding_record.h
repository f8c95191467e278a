// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/finding.h"
#include "core/identity.h"

namespace permguard::shared {

/// How much of each part a record keeps. Longer text is cut at its end; a remedy that does not
/// fit is given up as a whole for a sentence, so that no command is ever half.
inline constexpr std::size_t kPathBytes = 4096;  ///< target and path; PATH_MAX, path_resolution(7)
inline constexpr std::size_t kNameBytes = 256;   ///< names of users, groups and virtual hosts
inline constexpr std::size_t kDetailBytes = 1024;  ///< detail, and a remedy's advice
inline constexpr std::size_t kRemedyBytes = 8192;  ///< all steps together
inline constexpr std::size_t kGroupsKept = 64;

/// No record is longer.
inline constexpr std::size_t kRecordBytes =
    2 * kPathBytes + 5 * kNameBytes + 2 * kDetailBytes + kRemedyBytes + 4 * kGroupsKept + 256;

/// A finding, whom it concerns and where it was met, as bytes: no pointer, fit for shared
/// memory.
struct FindingRecord {
  std::array<char, kRecordBytes> storage;  // uninitialised: 20 kB, of which little is used
  std::size_t size = 0;
  /// Hash of all but target and virtual host: equal as long as there is nothing new to tell.
  std::uint64_t fingerprint = 0;

  std::string_view bytes() const { return {storage.data(), size}; }
};

/// Allocates nothing.
void encode(const Finding& finding, const Identity& who, std::string_view vhost,
            FindingRecord& record) noexcept;

struct DecodedFinding {
  Finding finding;
  Identity who;
  std::string vhost;
};
/// The values encoded, equal where nothing was cut; nullopt for bytes that encode() never
/// wrote, and for what no finding holds: a mode beyond 07777, a command that gives a write
/// bit. A date that is none becomes 0. Throws std::bad_alloc.
std::optional<DecodedFinding> decode(std::string_view bytes);

}  // namespace permguard::shared
