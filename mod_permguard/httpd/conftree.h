// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "httpd/apache.h"

namespace permguard {

/// The words of a directive's raw arguments, unquoted as httpd does. A null `arguments` has none.
std::vector<std::string> words_of(apr_pool_t* pool, const char* arguments);

/// The argument of a section, whose raw text ends in '>'.
std::string section_argument(apr_pool_t* pool, const ap_directive_t& node);

/// `path` below ServerRoot where it is relative; as it is where that cannot be told.
std::string rooted(apr_pool_t* pool, const std::string& path);

/// `path` without the slashes that end it; "/" stays.
std::string without_slash(std::string path);

/// The directories of a <Directory> section: wildcards are expanded by glob(3) to those that exist,
/// hidden ones too, as httpd's apr_fnmatch has it; a regular expression names none. Absolute, and
/// without a slash at the end.
std::vector<std::string> directories_of_section(apr_pool_t* pool, const ap_directive_t& node);

/// What glob(3) finds for `pattern`, with `flags` of its own: hidden names too, but neither "." nor
/// "..", which no URL and no section names.
std::vector<std::string> existing_paths(const std::string& pattern, int flags = 0);

/// Whether `name` is one of `names`, as equal() has it.
bool is_any(std::string_view name, std::initializer_list<std::string_view> names);

/// Whether two names are the same but for case, as names of directives and handlers are.
bool equal(std::string_view one, std::string_view other);

}  // namespace permguard
