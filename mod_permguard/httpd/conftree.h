// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "httpd/apache.h"

namespace permguard {

/// The words of a directive's raw arguments, unquoted as httpd does. A null `arguments` has none.
std::vector<std::string> words_of(apr_pool_t* pool, const char* arguments);

/// The argument of a section, whose raw text ends in '>'.
std::string section_argument(apr_pool_t* pool, const ap_directive_t& node);

/// Whether two names are the same but for case, as names of directives and handlers are.
bool equal(std::string_view one, std::string_view other);

}  // namespace permguard
