// SPDX-License-Identifier: Apache-2.0
#include "httpd/conftree.h"

#include <glob.h>
#include <strings.h>

#include <algorithm>
#include <utility>

namespace permguard {
std::vector<std::string> words_of(apr_pool_t* pool, const char* arguments) {
  std::vector<std::string> words;
  while (arguments && *arguments) words.emplace_back(ap_getword_conf(pool, &arguments));
  return words;
}

std::string section_argument(apr_pool_t* pool, const ap_directive_t& node) {
  std::string text = node.args ? node.args : "";
  const std::size_t end = text.rfind('>');
  if (end != std::string::npos) text.resize(end);
  const std::vector<std::string> words = words_of(pool, text.c_str());
  return words.empty() ? std::string() : words[0];
}

std::string rooted(apr_pool_t* pool, const std::string& path) {
  const char* absolute = ap_server_root_relative(pool, path.c_str());
  return absolute ? absolute : path;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::vector<std::string> directories_of_section(apr_pool_t* pool, const ap_directive_t& node) {
  const std::string pattern = section_argument(pool, node);
  if (pattern.empty() || pattern[0] == '~') return {};
  const std::string path = rooted(pool, pattern);
  const bool wild = path.find_first_of("*?[") != std::string::npos;
  std::vector<std::string> directories =
      wild ? existing_paths(path, GLOB_ONLYDIR) : std::vector{path};
  for (std::string& directory : directories) directory = without_slash(std::move(directory));
  return directories;
}

std::vector<std::string> existing_paths(const std::string& pattern, int flags) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), GLOB_PERIOD | flags, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  std::erase_if(paths, [](const std::string& path) {
    return (path + '/').find("/./") != std::string::npos ||
           (path + '/').find("/../") != std::string::npos;
  });
  return paths;
}

bool is_any(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view each) { return equal(name, each); });
}

bool equal(std::string_view one, std::string_view other) {
  return one.size() == other.size() && strncasecmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace permguard
