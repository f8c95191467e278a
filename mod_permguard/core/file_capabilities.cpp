// SPDX-License-Identifier: Apache-2.0
#include "core/file_capabilities.h"

#include <linux/capability.h>

namespace permguard {
namespace {

constexpr std::uint32_t kEffectiveFlag = 0x000001;
constexpr std::uint32_t kRevisionMask = 0xFF000000;
constexpr std::uint64_t kReading =
    std::uint64_t{1} << CAP_DAC_OVERRIDE | std::uint64_t{1} << CAP_DAC_READ_SEARCH;

std::uint32_t word(const std::string& bytes, std::size_t index) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[index * 4 + i]);
  }
  return value;
}

/// How many words a value of that revision has; 0: there is no such revision.
std::size_t words_of_revision(std::uint32_t revision) {
  switch (revision) {
    case 0x01000000:
      return 3;
    case 0x02000000:
      return 5;
    case 0x03000000:
      return 6;
    default:
      return 0;
  }
}

std::optional<FileCapabilities> effective_ones(const Filesystem& filesystem,
                                               const std::string& path) {
  const auto bytes = filesystem.target_attribute(path, "security.capability");
  auto file = bytes ? decode_file_capabilities(bytes.value) : std::nullopt;
  return file && file->effective ? file : std::nullopt;
}

}  // namespace

std::optional<FileCapabilities> decode_file_capabilities(const std::string& bytes) {
  const std::uint32_t magic = bytes.size() < 4 ? 0 : word(bytes, 0);
  const std::size_t words = words_of_revision(magic & kRevisionMask);
  if (words == 0 || bytes.size() != words * 4) return std::nullopt;
  // The kernel shows its own namespace's root in revision 2.
  if (words == 6 && word(bytes, 5) != 0) return std::nullopt;
  FileCapabilities found;
  found.effective = (magic & kEffectiveFlag) != 0;
  found.permitted = word(bytes, 1);
  found.inheritable = word(bytes, 2);
  if (words > 3) {
    found.permitted |= std::uint64_t{word(bytes, 3)} << 32;
    found.inheritable |= std::uint64_t{word(bytes, 4)} << 32;
  }
  return found;
}

std::uint64_t capabilities_refused(const Filesystem& filesystem, const Surroundings& around,
                                   const std::string& path) {
  if (around.bounding == ~std::uint64_t{0}) return 0;
  const auto file = effective_ones(filesystem, path);
  if (!file) return 0;
  const std::uint64_t gained =
      (around.bounding & file->permitted) | (around.inheritable & file->inheritable);
  const std::uint64_t missing = file->permitted & ~gained;
  return missing != 0 && filesystem.mount(path).value.nosuid ? 0 : missing;
}

bool brings_reading(const Filesystem& filesystem, const std::string& path) {
  const auto file = effective_ones(filesystem, path);
  return file && (file->permitted & kReading) != 0;
}

}  // namespace permguard
