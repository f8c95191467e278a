// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace permguard {

/// How many bytes `text` takes in httpd's error log, which writes a control byte or one outside
/// ASCII as \xHH and doubles backslashes (ap_escape_errorlog_item in server/util.c).
std::size_t logged_size(std::string_view text);

/// `text`, or its beginning and end with "..." between where it would take more than `limit`
/// bytes in the log. Never cuts through a UTF-8 character. `limit` is at least 8.
std::string cut_in_the_middle(std::string_view text, std::size_t limit);

/// The cut text between quotes as shell_quote writes them, so that a quote inside stays
/// unambiguous.
std::string quoted(std::string_view text, std::size_t limit);

}  // namespace permguard
