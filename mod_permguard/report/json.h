// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/checker.h"
#include "core/finding.h"
#include "incidents/status.h"

namespace permguard {

/// The finding object of contract section 4. Keys keep the contract's order. A path that is not
/// UTF-8 has U+FFFD for each bad byte and the member `path_base64` / `target_base64`.
nlohmann::ordered_json finding_json(const Finding& finding, const Identity& who, std::int64_t now);

/// The user object: name, uid, gid, groups.
nlohmann::ordered_json user_json(const Identity& who);

/// A path the command could not examine.
struct Unexamined {
  std::string path;
  int error = 0;  ///< errno
};

/// `{"path","errno"}`.
nlohmann::ordered_json unexamined_json(const Unexamined& unexamined);

/// The document of `permguard explain` and `permguard audit` (contract, section 7).
nlohmann::ordered_json findings_document(const Identity& who, std::uint64_t checked,
                                         std::span<const Finding> findings,
                                         std::span<const Unexamined> unexamined, std::int64_t now);

/// `?json` of the status handler.
nlohmann::ordered_json status_json(const StatusSnapshot& snapshot);

/// `?health`: application/health+json, without any path.
nlohmann::ordered_json health_json(const StatusSnapshot& snapshot);

/// Serialised with error_handler_t::replace: never throws for strange bytes.
std::string dump(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace permguard
