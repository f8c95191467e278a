// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/expression.h"

namespace permguard {

/// Which files a handler, or a section, is for. Empty: all.
struct ScriptNames {
  std::vector<std::string> extensions;   ///< of AddHandler and AddType, without the dot, any case
  std::vector<std::string> patterns;     ///< of <Files>, as fnmatch(3) reads them
  std::vector<std::string> expressions;  ///< of <FilesMatch> and <Files ~>
  std::vector<std::string> paths{};      ///< of <Directory>: fnmatch(3) of whole paths

  bool empty() const {
    return extensions.empty() && patterns.empty() && expressions.empty() && paths.empty();
  }
  bool operator==(const ScriptNames&) const = default;

  /// Whether they are for the file `path`; of a name alone only its name counts. An extension fits
  /// at any dot but the first letter's, as mod_mime has it. An expression is read by matches():
  /// rather a file too many than one too few.
  bool fit(std::string_view path) const;
};

/// The files of a directory that are run or read in one way.
struct ScriptChoice {
  ScriptNames handled;   ///< those a handler is for
  ScriptNames among{};   ///< and of them only these
  ScriptNames except{};  ///< and not these; empty: none is left out
  /// Those one set of settings counts for, whatever their handler: each of these fits them.
  std::vector<ScriptNames> within{};
  ScriptNames outside{};  ///< and not these; empty: none is left out
  std::string whole{};    ///< an expression that the whole path fits; empty: any path

  bool operator==(const ScriptChoice&) const = default;
  /// Whether any rule chooses by the handler.
  bool empty() const { return handled.empty() && among.empty() && except.empty(); }
  bool fit(const std::string& path) const {
    return handled.fit(path) && among.fit(path) && (except.empty() || !except.fit(path)) &&
           in_scope(path);
  }
  /// Whether settings and directive count for it, whatever its handler.
  bool in_scope(const std::string& path) const {
    return std::all_of(within.begin(), within.end(),
                       [&](const ScriptNames& each) { return each.fit(path); }) &&
           (outside.empty() || !outside.fit(path)) && (whole.empty() || matches(path, whole));
  }
};

}  // namespace permguard
