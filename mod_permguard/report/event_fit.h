// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace permguard {

/// `event` as one line of at most kMaxEventLine bytes with its newline, cut as event.h says.
/// All its text is valid UTF-8.
std::string fitted_line(nlohmann::ordered_json event);

}  // namespace permguard
