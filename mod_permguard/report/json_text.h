// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace permguard {

/// Levels of lists and objects that a document of ours may have; the deepest has 8.
inline constexpr int kMostLevels = 32;

/// Reads a document that others may have written. Throws nlohmann::json::parse_error, and
/// std::length_error where it is nested deeper than kMostLevels: a value is destroyed level by
/// level on the stack.
nlohmann::ordered_json parse_json(std::string_view text);

/// Adds `path` under `key`, and its exact bytes under `key`_base64 where it is not UTF-8.
void add_path(nlohmann::ordered_json& object, const std::string& key, const std::string& path);

}  // namespace permguard
