// SPDX-License-Identifier: Apache-2.0
#include "httpd/conftree.h"

#include <strings.h>

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

bool equal(std::string_view one, std::string_view other) {
  return one.size() == other.size() && strncasecmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace permguard
