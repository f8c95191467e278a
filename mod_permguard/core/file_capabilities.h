// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/checker.h"

namespace permguard {

/// The capabilities that a program brings with it, capabilities(7): bit N is capability N.
struct FileCapabilities {
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  bool effective = false;  ///< the program relies on them, so execve wants all or nothing

  bool operator==(const FileCapabilities&) const = default;
};

/// The value of the attribute security.capability: struct vfs_cap_data, linux/capability.h. None
/// where it is no such value, or is for the root of another user namespace. Pure.
std::optional<FileCapabilities> decode_file_capabilities(const std::string& bytes);

/// What the program `path` (links followed) has permitted and the process of `around` cannot get,
/// so that execve fails with EPERM: bprm_caps_from_vfs_caps(), security/commoncap.c. 0: nothing
/// stands in the way. File capabilities count for nothing on a nosuid mount. Asks nothing where
/// the process is limited in nothing.
std::uint64_t capabilities_refused(const Filesystem& filesystem, const Surroundings& around,
                                   const std::string& path);

/// Whether the program `path` brings CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH with it, so that no
/// file is unreadable for it where the kernel honours that.
bool brings_reading(const Filesystem& filesystem, const std::string& path);

}  // namespace permguard
