// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace permguard {

/// Adds `path` under `key`, and its exact bytes under `key`_base64 where it is not UTF-8.
void add_path(nlohmann::ordered_json& object, const std::string& key, const std::string& path);

}  // namespace permguard
