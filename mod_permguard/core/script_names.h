// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace permguard {

/// Which names of a directory a handler is for. Empty: all.
struct ScriptNames {
  std::vector<std::string> extensions;   ///< of AddHandler and AddType, without the dot, any case
  std::vector<std::string> patterns;     ///< of <Files>, as fnmatch(3) reads them
  std::vector<std::string> expressions;  ///< of <FilesMatch> and <Files ~>

  bool empty() const { return extensions.empty() && patterns.empty() && expressions.empty(); }
  bool operator==(const ScriptNames&) const = default;

  /// Whether the handler is for the file `name` (without a directory). An extension fits at any
  /// dot but the first letter's, as mod_mime has it. An expression is read by matches(): rather a
  /// file too many than one too few.
  bool fit(std::string_view name) const;
};

/// Whether `text` fits `expression`, which is read as POSIX's extended ones (regcomp(3)) with
/// Perl's
/// (?:…) and \d; one that is none fits every text.
bool matches(const std::string& text, const std::string& expression);

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
    const std::string_view name = name_in(path);
    return handled.fit(name) && among.fit(name) && (except.empty() || !except.fit(name)) &&
           in_scope(path);
  }
  /// Whether settings and directive count for it, whatever its handler.
  bool in_scope(const std::string& path) const {
    const std::string_view name = name_in(path);
    return std::all_of(within.begin(), within.end(),
                       [name](const ScriptNames& each) { return each.fit(name); }) &&
           (outside.empty() || !outside.fit(name)) && (whole.empty() || matches(path, whole));
  }

 private:
  static std::string_view name_in(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
  }
};

}  // namespace permguard
