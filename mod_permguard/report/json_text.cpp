// SPDX-License-Identifier: Apache-2.0
#include "report/json_text.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "report/utf8.h"

namespace permguard {

nlohmann::ordered_json parse_json(std::string_view text) {
  using Json = nlohmann::ordered_json;
  return Json::parse(text, [](int depth, Json::parse_event_t, const Json&) {
    if (depth <= kMostLevels) return true;
    throw std::length_error("nested deeper than " + std::to_string(kMostLevels) + " levels");
  });
}

void add_path(nlohmann::ordered_json& object, const std::string& key, const std::string& path) {
  object[key] = to_utf8(path);
  if (utf8_prefix(path) < path.size()) object[key + "_base64"] = base64(path);
}

}  // namespace permguard
