// SPDX-License-Identifier: Apache-2.0
#include "report/json_text.h"

#include <nlohmann/json.hpp>

#include "report/utf8.h"

namespace permguard {

void add_path(nlohmann::ordered_json& object, const std::string& key, const std::string& path) {
  object[key] = to_utf8(path);
  if (utf8_prefix(path) < path.size()) object[key + "_base64"] = base64(path);
}

}  // namespace permguard
