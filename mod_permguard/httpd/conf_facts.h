// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "httpd/apache.h"
#include "httpd/handler_rules.h"
#include "httpd/place_user.h"

namespace permguard {

/// What the configuration says anywhere that counts for places named elsewhere. Paths are absolute
/// and end with no slash.
class ConfFacts {
 public:
  /// Learns from the whole configuration `tree` (ap_conftree).
  ConfFacts(apr_pool_t* pool, server_rec* main_server, const ap_directive_t* tree);

  /// The virtual host that a <VirtualHost> at `node` makes; the main server where there is none.
  const server_rec* server_of(const ap_directive_t& node) const;

  /// All handlers that hold in `directory` of `server`.
  ScriptHandlers handlers_in(const std::string& directory, const server_rec* server);

  /// SetEnv PATH as mod_env merges it: the innermost directory's, a virtual host's before the main
  /// server's. What <Files>, <Location> or <If> set depends on the request.
  std::string search_path_in(const std::string& directory, const server_rec* server);

  /// Below which directory of `server` a path of URL `url` lies, by Alias and DocumentRoot; empty
  /// where that cannot be told.
  std::string directory_of_url(const std::string& url, const server_rec* server);

  /// What aliases that count for `server` give to URLs below `url`.
  std::vector<std::string> aliased_below_url(const std::string& url, const server_rec* server);

  /// Whether a <Directory> section for just `directory` has handlers or Options.
  bool speaks_of_scripts(const std::string& directory, const server_rec* server);

  /// Whether a URL of `server`, which is a virtual host, may lead to what lies in `directory`: in
  /// or around its DocumentRoot, or what an alias stands for.
  bool can_reach(const server_rec* server, const std::string& directory);

  /// Whether `server` itself, not the main server, has an alias for URL `url` or one around it.
  bool has_own_alias(const server_rec* server, const std::string& url);

  /// The directories of <Directory> sections that count for `server` and lie below `directory`,
  /// each once, one above another before it; none behind a link, which no audit follows.
  std::vector<std::string> sections_below(const std::string& directory, const server_rec* server);

  /// A virtual host without a UserDir of its own has the main server's; SuexecUserGroup is not
  /// inherited (mod_suexec has no merger).
  ServerUsers users_of(const server_rec* server);

 private:
  struct ServerFacts {
    ServerUsers users;
    ScriptHandlers handlers;  ///< for all its directories
    std::vector<std::pair<std::string, ScriptHandlers>> by_directory;
    std::vector<std::pair<std::string, ScriptHandlers>> by_url;
    std::string document_root;
    std::vector<std::pair<std::string, std::string>> aliases;         ///< URL prefix, directory
    std::vector<std::pair<std::string, std::string>> script_aliases;  ///< likewise
    bool has_patterns = false;  ///< a URL may lead anywhere, by AliasMatch and the like
  };

  void learn(const ap_directive_t* node, const server_rec* server);
  void learn_one(const ap_directive_t& node, ServerFacts& facts);
  std::vector<const server_rec*> main_and(const server_rec* server) const;

  apr_pool_t* pool_;
  const server_rec* main_;
  std::map<const server_rec*, ServerFacts> facts_;
};

}  // namespace permguard
