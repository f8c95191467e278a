// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace permguard {

/// How many bytes at the beginning of `text` are valid UTF-8 (RFC 3629: no surrogates, nothing
/// over-long, nothing above U+10FFFF).
std::size_t utf8_prefix(std::string_view text);

/// `text` with U+FFFD for each byte that is not part of valid UTF-8.
std::string to_utf8(std::string_view text);

/// RFC 4648 base64 with padding.
std::string base64(std::string_view bytes);

/// The bytes that base64() wrote as `text`; nullopt: not such a text.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace permguard
