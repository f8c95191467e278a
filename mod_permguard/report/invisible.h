// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace permguard {

/// Whether a terminal obeys the character instead of showing it, or a person sees nothing of it, or
/// sees what stands around it in another order: controls, characters without a width, and those
/// that turn the direction of writing. The one table of what may reach neither a terminal nor a
/// command as it is.
bool is_invisible(std::uint32_t character);

/// The first character of `text`, which begins with valid UTF-8.
std::uint32_t first_character(std::string_view text);

/// How many bytes the first character of `text` has, where that is_invisible(); else 0, also within
/// a character. `text` is of valid UTF-8, or empty.
std::size_t invisible_prefix(std::string_view text);

}  // namespace permguard
