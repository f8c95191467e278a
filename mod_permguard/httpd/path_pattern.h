// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace permguard {

/// Where what a directive names by a pattern may lie.
struct PatternPlace {
  std::string path;   ///< below it, or this file itself
  std::string whole;  ///< an expression that whole paths fit; empty: all below
};

/// The places of ScriptAliasMatch and WSGIScriptAliasMatch: `replacement` is an absolute path in
/// which $1 stands for what the first group of `expression` has matched (ap_pregsub()). Directories
/// of groups that cannot hold a slash are looked up by glob(3), so they are those that exist now.
std::vector<PatternPlace> places_of_match(const std::string& expression,
                                          const std::string& replacement);

/// Those of VirtualScriptAlias, `path` with parts of a host's name as %1 or %-2.1+
/// (mod_vhost_alias), and the rest of the URL behind it.
std::vector<PatternPlace> places_of_host(const std::string& path);

/// Those of ScriptAlias inside <Location>, whose `path` may be an expression with %{…}, and the
/// rest of the URL behind it.
std::vector<PatternPlace> places_of_expression(const std::string& path);

}  // namespace permguard
