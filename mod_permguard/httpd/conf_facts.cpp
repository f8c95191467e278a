// SPDX-License-Identifier: Apache-2.0
#include "httpd/conf_facts.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "core/chain.h"
#include "core/filesystem.h"
#include "httpd/conftree.h"

namespace permguard {
ConfFacts::ConfFacts(apr_pool_t* pool, server_rec* main_server, const ap_directive_t* tree)
    : pool_(pool), main_(main_server) {
  learn(tree, main_);
  add_handlers(facts_[main_].handlers, handlers_set_by(pool_, tree));
}

const server_rec* ConfFacts::server_of(const ap_directive_t& node) const {
  for (const server_rec* server = main_; server; server = server->next) {
    if (server->is_virtual && server->defn_name && node.filename &&
        server->defn_line_number == static_cast<unsigned>(node.line_num) &&
        std::string_view(server->defn_name) == node.filename) {
      return server;
    }
  }
  return main_;
}

void ConfFacts::learn(const ap_directive_t* node, const server_rec* server) {
  for (; node; node = node->next) {
    if (equal(node->directive, "<VirtualHost")) {
      const server_rec* own = server_of(*node);
      add_handlers(facts_[own].handlers, handlers_set_by(pool_, node->first_child));
      learn(node->first_child, own);
      continue;
    }
    learn_one(*node, facts_[server]);
    if (node->first_child) learn(node->first_child, server);
  }
}

void ConfFacts::learn_one(const ap_directive_t& node, ServerFacts& facts) {
  const std::vector<std::string> words = words_of(pool_, node.args);
  learn_users(node, words, facts.users);
  if (equal(node.directive, "<Location")) {
    const std::string url = section_argument(pool_, node);
    facts.by_url.emplace_back(url, handlers_set_by(pool_, node.first_child));
  } else if (equal(node.directive, "<Directory")) {
    for (const std::string& directory : directories_of_section(pool_, node)) {
      facts.by_directory.emplace_back(directory, handlers_set_by(pool_, node.first_child));
    }
  } else if (equal(node.directive, "DocumentRoot") && !words.empty()) {
    facts.document_root = rooted(pool_, words[0]);
  } else if (equal(node.directive, "Alias") && words.size() > 1) {
    facts.aliases.emplace_back(words[0], rooted(pool_, words[1]));
  } else if (words.size() > 1 &&
             (equal(node.directive, "ScriptAlias") || equal(node.directive, "WSGIScriptAlias"))) {
    facts.script_aliases.emplace_back(words[0], rooted(pool_, words[1]));
  } else if (is_any(node.directive, {"AliasMatch", "RewriteRule", "UserDir", "VirtualDocumentRoot",
                                     "VirtualDocumentRootIP"})) {
    facts.has_patterns = true;
  }
}

std::vector<const server_rec*> ConfFacts::main_and(const server_rec* server) const {
  return server == main_ ? std::vector{main_} : std::vector{main_, server};
}

ScriptHandlers ConfFacts::handlers_in(const std::string& directory, const server_rec* server) {
  ScriptHandlers handlers = facts_[main_].handlers;
  if (server != main_) add_handlers(handlers, facts_[server].handlers);
  std::vector<const std::pair<std::string, ScriptHandlers>*> around;
  for (const server_rec* each : main_and(server)) {
    for (const auto& section : facts_[each].by_directory) {
      if (lies_in(directory, section.first)) around.push_back(&section);
    }
  }
  // As httpd: the shorter path first, else in the order of the configuration.
  std::stable_sort(around.begin(), around.end(), [](const auto* one, const auto* other) {
    return one->first.size() < other->first.size();
  });
  for (const auto* section : around) add_handlers(handlers, section->second);
  for (const server_rec* each : main_and(server)) {
    for (const auto& [url, set] : facts_[each].by_url) {
      const std::string place = directory_of_url(url, server);
      if (!place.empty() && lies_in(directory, without_slash(place))) add_handlers(handlers, set);
    }
  }
  return handlers;
}

std::string ConfFacts::search_path_in(const std::string& directory, const server_rec* server) {
  const std::string* found = nullptr;
  std::size_t depth = 0;
  for (const server_rec* each : main_and(server)) {
    for (const auto& [place, set] : facts_[each].by_directory) {
      if (set.search_path.empty() || !lies_in(directory, place) || place.size() < depth) continue;
      found = &set.search_path;
      depth = place.size();
    }
  }
  if (found) return *found;
  const std::string& own = facts_[server].handlers.search_path;
  return own.empty() ? facts_[main_].handlers.search_path : own;
}

std::string ConfFacts::directory_of_url(const std::string& url, const server_rec* server) {
  if (!url.starts_with('/')) return {};
  for (const server_rec* each : {server, main_}) {
    for (const auto& [prefix, directory] : facts_[each].aliases) {
      const std::string start = without_slash(prefix);
      if (lies_in(url, start)) return without_slash(directory) + url.substr(start.size());
    }
  }
  const std::string& own = facts_[server].document_root;
  const std::string& root = own.empty() ? facts_[main_].document_root : own;
  return root.empty() ? root : root + url;
}

std::vector<std::string> ConfFacts::aliased_below_url(const std::string& url,
                                                      const server_rec* server) {
  std::vector<std::string> directories;
  for (const server_rec* each : main_and(server)) {
    for (const auto& [prefix, directory] : facts_[each].aliases) {
      const std::string start = without_slash(prefix);
      const bool below = start != without_slash(url) && lies_in(start, without_slash(url));
      const bool counts = directory_of_url(start, server) == without_slash(directory);
      if (below && counts) directories.push_back(without_slash(directory));
    }
  }
  return directories;
}

bool ConfFacts::speaks_of_scripts(const std::string& directory, const server_rec* server) {
  const std::vector<const server_rec*> servers = main_and(server);
  return std::any_of(servers.begin(), servers.end(), [&](const server_rec* each) {
    const auto& sections = facts_[each].by_directory;
    return std::any_of(sections.begin(), sections.end(), [&](const auto& section) {
      return section.first == directory && section.second.speaks;
    });
  });
}

bool ConfFacts::can_reach(const server_rec* server, const std::string& directory) {
  const auto overlaps = [&](const std::string& other) {
    return !other.empty() &&
           (lies_in(directory, without_slash(other)) || lies_in(without_slash(other), directory));
  };
  for (const server_rec* each : main_and(server)) {
    const ServerFacts& facts = facts_[each];
    const auto leads = [&](const auto& alias) { return overlaps(alias.second); };
    if (facts.has_patterns || std::any_of(facts.aliases.begin(), facts.aliases.end(), leads) ||
        std::any_of(facts.script_aliases.begin(), facts.script_aliases.end(), leads)) {
      return true;
    }
  }
  const std::string& own = facts_[server].document_root;
  return overlaps(own.empty() ? facts_[main_].document_root : own);
}

bool ConfFacts::has_own_alias(const server_rec* server, const std::string& url) {
  const ServerFacts& facts = facts_[server];
  const auto is_around = [&](const auto& alias) {
    return lies_in(without_slash(url), without_slash(alias.first));
  };
  return std::any_of(facts.aliases.begin(), facts.aliases.end(), is_around) ||
         std::any_of(facts.script_aliases.begin(), facts.script_aliases.end(), is_around);
}

std::vector<std::string> ConfFacts::sections_below(const std::string& directory,
                                                   const server_rec* server) {
  std::set<std::string> below;
  for (const server_rec* each : main_and(server)) {
    for (const auto& [place, set] : facts_[each].by_directory) {
      if (place != directory && lies_in(place, directory)) below.insert(place);
    }
  }
  std::erase_if(below, [&](const std::string& place) {
    return link_free_path(place) && !leads_to(directory, place);
  });
  return {below.begin(), below.end()};
}

ServerUsers ConfFacts::users_of(const server_rec* server) {
  ServerUsers users = facts_[server].users;
  if (users.user_dirs.empty()) users.user_dirs = facts_[main_].users.user_dirs;
  return users;
}

}  // namespace permguard
