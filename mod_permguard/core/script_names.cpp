// SPDX-License-Identifier: Apache-2.0
#include "core/script_names.h"

#include <fnmatch.h>
#include <regex.h>
#include <strings.h>

#include <algorithm>

namespace permguard {
namespace {

bool has_extension(std::string_view name, const std::string& extension) {
  std::size_t dot = name.find('.', 1);
  while (dot != std::string_view::npos) {
    const std::size_t next = std::min(name.find('.', dot + 1), name.size());
    const std::string_view part = name.substr(dot + 1, next - dot - 1);
    if (part.size() == extension.size() &&
        strncasecmp(part.data(), extension.data(), part.size()) == 0) {
      return true;
    }
    dot = next < name.size() ? next : std::string_view::npos;
  }
  return false;
}

/// Of what Perl's have more, the two that names are told apart by.
std::string as_posix(std::string expression) {
  const auto replace = [&](std::string_view perl, std::string_view posix) {
    for (std::size_t at = 0; (at = expression.find(perl, at)) != std::string::npos;) {
      expression.replace(at, perl.size(), posix);
      at += posix.size();
    }
  };
  replace("(?:", "(");
  replace("\\d", "[0-9]");
  return expression;
}

}  // namespace

bool matches(const std::string& text, const std::string& expression) {
  regex_t compiled{};
  if (regcomp(&compiled, as_posix(expression).c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
    return true;
  }
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

bool ScriptNames::fit(std::string_view name) const {
  if (empty()) return true;
  const std::string text(name);
  const auto any = [](const std::vector<std::string>& rules, auto fits) {
    return std::any_of(rules.begin(), rules.end(), fits);
  };
  return any(extensions, [&](const std::string& rule) { return has_extension(name, rule); }) ||
         any(patterns,
             [&](const std::string& rule) {
               return fnmatch(rule.c_str(), text.c_str(), 0) == 0;
             }) ||
         any(expressions, [&](const std::string& rule) { return matches(text, rule); });
}

}  // namespace permguard
