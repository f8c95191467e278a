// SPDX-License-Identifier: Apache-2.0
#include "core/script_names.h"

#include <fnmatch.h>
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

}  // namespace

bool ScriptNames::fit(std::string_view path) const {
  if (empty()) return true;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::string text(name);
  const auto any = [](const std::vector<std::string>& rules, auto fits) {
    return std::any_of(rules.begin(), rules.end(), fits);
  };
  return any(extensions, [&](const std::string& rule) { return has_extension(name, rule); }) ||
         any(patterns,
             [&](const std::string& rule) {
               return fnmatch(rule.c_str(), text.c_str(), 0) == 0;
             }) ||
         any(expressions, [&](const std::string& rule) { return matches(text, rule); }) ||
         any(paths, [&](const std::string& rule) {
           return fnmatch(rule.c_str(), std::string(path).c_str(), FNM_PATHNAME) == 0;
         });
}

}  // namespace permguard
