// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace permguard {

/// `text` as one word of sh, always quoted with ': a quote inside is written '"'"'.
std::string shell_quote(std::string_view text);

}  // namespace permguard
