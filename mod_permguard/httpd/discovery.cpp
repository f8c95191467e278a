// SPDX-License-Identifier: Apache-2.0
#include "httpd/discovery.h"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>

#include "core/chain.h"
#include "httpd/conftree.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/handler_rules.h"
#include "httpd/place_user.h"

namespace permguard {
namespace {

/// What the first pass over the tree finds out about one server.
struct ServerFacts {
  ServerUsers users;
  ScriptHandlers handlers;  ///< for all its directories
  std::vector<std::pair<std::string, ScriptHandlers>> by_directory;
  std::vector<std::pair<std::string, ScriptHandlers>> by_url;
  std::string document_root;
  std::vector<std::pair<std::string, std::string>> aliases;  ///< URL prefix, directory
};

/// What the enclosing sections say.
struct Section {
  const server_rec* server = nullptr;
  std::string directory{};  ///< of the innermost <Directory>; empty outside
  bool in_location = false;
};

/// One place on its way into the list.
struct Found {
  std::string path;
  Handler handler = Handler::cgi;
  Role role = Role::script;
  Need need = Need::execute;
  ScriptPlace::Kind kind = ScriptPlace::Kind::directory;
  ScriptChoice names{};
  bool wrapped = false;  ///< a wrapper reads it
  std::string wsgi_group{};
  const Identity* who = nullptr;  ///< named by a directive
};

bool is_asked_the_same(const ScriptPlace& one, const ScriptPlace& other) {
  return one.path == other.path && one.handler == other.handler && one.role == other.role &&
         one.need == other.need && one.who.uid == other.who.uid && one.who.gid == other.who.gid &&
         one.names == other.names;
}

class Finder {
 public:
  Finder(apr_pool_t* pool, server_rec* main_server) : pool_(pool), main_(main_server) {}

  std::vector<ScriptPlace> run(const ap_directive_t* tree) {
    learn(tree, main_);
    add_handlers(facts_[main_].handlers, handlers_set_by(pool_, tree));
    visit(tree, Section{.server = main_});
    for (const server_rec* server = main_; server; server = server->next) add_watched(server);
    return std::move(places_);
  }

 private:
  const server_rec* server_of(const ap_directive_t& node) const {
    for (const server_rec* server = main_; server; server = server->next) {
      if (server->is_virtual && server->defn_name && node.filename &&
          server->defn_line_number == static_cast<unsigned>(node.line_num) &&
          std::string_view(server->defn_name) == node.filename) {
        return server;
      }
    }
    return main_;
  }

  // --- first pass: what is said anywhere and counts elsewhere ---

  void learn(const ap_directive_t* node, const server_rec* server) {
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

  void learn_one(const ap_directive_t& node, ServerFacts& facts) {
    const std::vector<std::string> words = words_of(pool_, node.args);
    learn_users(node, words, facts.users);
    if (equal(node.directive, "<Location")) {
      const std::string url = section_argument(pool_, node);
      facts.by_url.emplace_back(url, handlers_set_by(pool_, node.first_child));
    } else if (equal(node.directive, "<Directory")) {
      const std::string pattern = section_argument(pool_, node);
      if (pattern.empty() || pattern[0] == '~') return;
      for (const std::string& directory : expand(rooted(pattern))) {
        facts.by_directory.emplace_back(directory, handlers_set_by(pool_, node.first_child));
      }
    } else if (equal(node.directive, "DocumentRoot") && !words.empty()) {
      facts.document_root = rooted(words[0]);
    } else if (equal(node.directive, "Alias") && words.size() > 1) {
      facts.aliases.emplace_back(words[0], rooted(words[1]));
    }
  }

  // --- second pass: the places ---

  void visit(const ap_directive_t* node, const Section& section) {
    for (; node; node = node->next) {
      if (node->first_child || node->directive[0] == '<') {
        enter(*node, section);
      } else {
        take(*node, section);
      }
    }
  }

  void enter(const ap_directive_t& node, Section section) {
    if (equal(node.directive, "<VirtualHost")) section.server = server_of(node);
    if (is_section(node, "Location")) {
      section.in_location = true;
      take_location(node, section);
    }
    if (!equal(node.directive, "<Directory")) {
      visit(node.first_child, section);
      return;
    }
    const std::string pattern = section_argument(pool_, node);
    if (pattern.empty() || pattern[0] == '~') return;
    for (const std::string& directory : expand(rooted(pattern))) {
      section.directory = directory;
      if (allows_exec_cgi(node)) take_exec_cgi(node, section);
      visit(node.first_child, section);
    }
  }

  /// Whether `Options` of this section, not of one inside, allows CGI.
  bool allows_exec_cgi(const ap_directive_t& node) const {
    bool allowed = false;
    for (const ap_directive_t* child = node.first_child; child; child = child->next) {
      if (!equal(child->directive, "Options")) continue;
      for (const std::string& word : words_of(pool_, child->args)) {
        if (equal(word, "ExecCGI") || equal(word, "+ExecCGI") || equal(word, "All")) allowed = true;
        if (equal(word, "-ExecCGI") || equal(word, "None")) allowed = false;
      }
    }
    return allowed;
  }

  /// All handlers that hold in `directory` of `server`.
  ScriptHandlers handlers_in(const std::string& directory, const server_rec* server) {
    ScriptHandlers handlers = facts_[server].handlers;
    if (server != main_) add_handlers(handlers, facts_[main_].handlers);
    for (const server_rec* each : {server, static_cast<const server_rec*>(main_)}) {
      for (const auto& [place, set] : facts_[each].by_directory) {
        if (lies_in(directory, without_slash(place))) add_handlers(handlers, set);
      }
      for (const auto& [url, set] : facts_[each].by_url) {
        const std::string place = directory_of_url(url, server);
        if (!place.empty() && lies_in(directory, without_slash(place))) add_handlers(handlers, set);
      }
      if (server == main_) break;
    }
    return handlers;
  }

  /// SetEnv PATH as mod_env merges it: the innermost directory's, a virtual host's before the main
  /// server's. What <Files>, <Location> or <If> set depends on the request.
  std::string search_path_in(const std::string& directory, const server_rec* server) {
    const std::string* found = nullptr;
    std::size_t depth = 0;
    for (const server_rec* each : {static_cast<const server_rec*>(main_), server}) {
      for (const auto& [place, set] : facts_[each].by_directory) {
        if (set.search_path.empty() || !lies_in(directory, without_slash(place)) ||
            place.size() < depth)
          continue;
        found = &set.search_path;
        depth = place.size();
      }
    }
    if (found) return *found;
    const std::string& own = facts_[server].handlers.search_path;
    return own.empty() ? facts_[main_].handlers.search_path : own;
  }

  void take_exec_cgi(const ap_directive_t& node, const Section& section) {
    add_handled(node, section, section.directory, handlers_in(section.directory, section.server));
  }

  void add_handled(const ap_directive_t& node, const Section& section, const std::string& directory,
                   const ScriptHandlers& handlers) {
    const auto add_set = [&](const SetFor& set, Found found) {
      if (!set.any()) return;
      found.path = directory;
      if (!set.all) found.names.handled = set.names;
      add(section, node, std::move(found));
    };
    add_set(handlers.cgi, {.path = {}});
    add_set(handlers.wsgi, {.path = {}, .handler = Handler::wsgi, .need = Need::read});
    const SetFor &wrapped = handlers.wrapped, &unneeded = handlers.unneeded;
    if (unneeded.all) return;
    Found fcgid{.path = {}, .handler = Handler::fcgid};
    fcgid.names.except = unneeded.names;
    if (wrapped.any()) {
      Found read = fcgid;
      read.need = Need::read;
      read.wrapped = true;
      if (!wrapped.all) read.names.among = wrapped.names;
      add_set(handlers.fcgid, std::move(read));
    }
    add_names(fcgid.names.except, wrapped.names);
    if (!wrapped.all) add_set(handlers.fcgid, std::move(fcgid));
  }

  /// <Location "/tools"> with ExecCGI and a handler: the directory that the URL stands for.
  void take_location(const ap_directive_t& node, const Section& section) {
    const std::string url = section_argument(pool_, node);
    if (!equal(node.directive, "<Location") || !url.starts_with('/') || !allows_exec_cgi(node)) {
      return;
    }
    const std::string directory = directory_of_url(url, section.server);
    if (directory.empty()) return;
    add_handled(node, section, directory, handlers_set_by(pool_, node.first_child));
  }

  std::string directory_of_url(const std::string& url, const server_rec* server) {
    if (!url.starts_with('/')) return {};
    for (const server_rec* each : {server, static_cast<const server_rec*>(main_)}) {
      for (const auto& [prefix, directory] : facts_[each].aliases) {
        const std::string start = without_slash(prefix);
        if (lies_in(url, start)) return without_slash(directory) + url.substr(start.size());
      }
      if (!facts_[each].document_root.empty()) return facts_[each].document_root + url;
    }
    return {};
  }

  static std::string without_slash(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
  }

  void add_watched(const server_rec* server) {
    const apr_array_header_t* watches = server_config(server).watches;
    const auto* rules = watches ? reinterpret_cast<const WatchRule*>(watches->elts) : nullptr;
    for (int i = 0; rules && i < watches->nelts; ++i) {
      const WatchRule& rule = rules[i];
      ap_directive_t node{};
      node.filename = rule.file;
      node.line_num = rule.line;
      // A directory's sockets are found by its audit.
      const bool socket = rule.need == Need::connect && !is_directory(rule.directory);
      add(Section{.server = server}, node,
          {.path = rule.directory,
           .handler = Handler::other,
           .role = socket ? Role::socket : Role::script,
           .need = rule.need,
           .kind = socket ? ScriptPlace::Kind::socket : ScriptPlace::Kind::directory,
           .who = rule.who});
    }
  }

  void take(const ap_directive_t& node, const Section& section) {
    const std::vector<std::string> words = words_of(pool_, node.args);
    const std::string_view name = node.directive;
    if (words.empty()) return;
    const std::string& path = words.size() > 1 ? words[1] : words[0];
    const bool has_path = words.size() > 1 || section.in_location;
    if (equal(name, "ScriptAlias") && has_path) {
      add(section, node, {.path = before(rooted(path), "%{")});
    } else if (equal(name, "ScriptAliasMatch") && has_path) {
      add(section, node, {.path = before(rooted(path), "$")});
    } else if (equal(name, "VirtualScriptAlias") || equal(name, "VirtualScriptAliasIP")) {
      add(section, node, {.path = before(rooted(words[0]), "%")});
    } else if ((equal(name, "WSGIScriptAlias") || equal(name, "WSGIScriptAliasMatch")) &&
               words.size() > 1) {
      add(section, node,
          {.path = before(rooted(path), "$"),
           .handler = Handler::wsgi,
           .need = Need::read,
           .wsgi_group = process_group(words)});
    } else if (equal(name, "FcgidWrapper")) {
      take_wrapper(node, section, words_of(pool_, words[0].c_str()));
    } else if (equal(name, "FcgidAuthenticator") || equal(name, "FcgidAuthorizer") ||
               equal(name, "FcgidAccessChecker")) {
      add(section, node,
          {.path = rooted(words[0]), .handler = Handler::fcgid, .kind = ScriptPlace::Kind::file});
    } else if (may_name_a_socket(name)) {
      take_sockets(node, section, words);
    }
  }

  static bool may_name_a_socket(std::string_view directive) {
    constexpr std::string_view kDirectives[] = {"SetHandler",     "AddHandler",  "ProxyPass",
                                                "ProxyPassMatch", "RewriteRule", "BalancerMember"};
    return std::any_of(std::begin(kDirectives), std::end(kDirectives),
                       [&](std::string_view each) { return equal(directive, each); });
  }

  static std::string process_group(const std::vector<std::string>& words) {
    constexpr std::string_view kOption = "process-group=";
    for (const std::string& word : words) {
      if (word.starts_with(kOption)) return word.substr(kOption.size());
    }
    return {};
  }

  /// The first argument is a command line.
  void take_wrapper(const ap_directive_t& node, const Section& section,
                    const std::vector<std::string>& command) {
    if (command.empty()) return;
    add(section, node,
        {.path = rooted(command[0]),
         .handler = Handler::fcgid,
         .role = Role::wrapper,
         .kind = ScriptPlace::Kind::file});
  }

  /// httpd itself connects, under mpm-itk as the vhost's user.
  void take_sockets(const ap_directive_t& node, const Section& section,
                    const std::vector<std::string>& words) {
    const std::string& assigned = facts_[section.server].users.assigned;
    const Result<Identity> user =
        assigned.empty() ? failure<Identity>(ENOENT) : lookup_identity(assigned);
    const Identity self = user ? user.value : server_identity();
    for (const std::string& word : words) {
      const std::size_t at = word.find("unix:");
      if (at == std::string::npos) continue;
      const std::size_t end = std::min(word.find('|', at), word.size());
      const std::string path = word.substr(at + 5, end - at - 5);
      if (path.find_first_of("$%") != std::string::npos) continue;  // each request has its own
      const char* socket = ap_runtime_dir_relative(pool_, path.c_str());
      add(section, node,
          {.path = socket ? socket : path,
           .handler = Handler::proxy,
           .role = Role::socket,
           .need = Need::connect,
           .kind = ScriptPlace::Kind::socket,
           .who = &self});
    }
  }

  /// PermGuardHandler for the handler of `found`; null where nothing is said.
  static const HandlerRule* rule_for(const Found& found, const server_rec* server) {
    if (found.handler == Handler::other) return nullptr;  // named by PermGuardWatch
    const char* name =
        found.role == Role::socket ? "proxy:unix:" : dispatcher_of(found.handler)->name;
    return handler_rule(name, server_config(server));
  }

  void add(const Section& section, const ap_directive_t& node, Found found) {
    if (const HandlerRule* rule = rule_for(found, section.server)) {
      if (rule->use == HandlerUse::off) return;
      const bool reads = rule->use == HandlerUse::read;
      if (found.role == Role::script && !found.wrapped)
        found.need = reads ? Need::read : Need::execute;
    }
    ScriptPlace place;
    place.path = without_slash(std::move(found.path));
    place.handler = found.handler;
    place.role = found.role;
    place.need = found.need;
    place.kind = found.kind == ScriptPlace::Kind::directory ? kind_of(place.path) : found.kind;
    place.names = std::move(found.names);
    place.server = section.server;
    place.file = node.filename ? node.filename : "";
    place.line = node.line_num;
    const DirectoryConfig settings = settings_for(pool_, section.server, place.path);
    apply(settings, place);
    if (place.handler == Handler::cgi) {
      place.search_path = search_path_in(place.path, section.server);
    }
    name_user(place, settings, users_of(section.server), found.wsgi_group);
    if (found.who) take_user(place, *found.who);
    if (!is_known(place)) places_.push_back(std::move(place));
  }

  /// A virtual host without a UserDir of its own has the main server's; SuexecUserGroup is not
  /// inherited (mod_suexec has no merger).
  ServerUsers users_of(const server_rec* server) {
    ServerUsers users = facts_[server].users;
    if (users.user_dirs.empty()) users.user_dirs = facts_[main_].users.user_dirs;
    return users;
  }

  bool is_known(const ScriptPlace& place) const {
    return std::any_of(places_.begin(), places_.end(), [&](const ScriptPlace& known) {
      return known.server == place.server && is_asked_the_same(known, place);
    });
  }

  static void apply(const DirectoryConfig& settings, ScriptPlace& place) {
    place.mode = settings.effective_mode();
    const CodeSet forbidden = settings.forbidden.value_or(CodeSet());
    for (const CodeInfo& row : catalogue()) {
      if (forbidden.test(static_cast<std::size_t>(row.code))) place.forbidden.push_back(row.code);
    }
    if (const DesiredState* desired = settings.desired.value_or(nullptr)) place.desired = *desired;
  }

  /// APR_NOFILE where nothing can be seen.
  apr_filetype_e type_of(const std::string& path) const {
    apr_finfo_t seen;
    const bool known = apr_stat(&seen, path.c_str(), APR_FINFO_TYPE, pool_) == APR_SUCCESS;
    return known ? seen.filetype : APR_NOFILE;
  }

  bool is_directory(const std::string& path) const { return type_of(path) == APR_DIR; }

  ScriptPlace::Kind kind_of(const std::string& path) const {
    const apr_filetype_e type = type_of(path);
    const bool file = type != APR_NOFILE && type != APR_DIR;
    return file ? ScriptPlace::Kind::file : ScriptPlace::Kind::directory;
  }

  std::string rooted(const std::string& path) const {
    const char* absolute = ap_server_root_relative(pool_, path.c_str());
    return absolute ? absolute : path;
  }

  /// "/srv/$1/cgi-bin/$2" → "/srv": the directory before the first part that a request fills in.
  static std::string before(const std::string& path, const char* mark) {
    const std::size_t at = path.find(mark);
    if (at == std::string::npos) return path;
    const std::size_t slash = path.rfind('/', at);
    return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
  }

  static std::vector<std::string> expand(const std::string& pattern) {
    if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
    glob_t found{};
    std::vector<std::string> paths;
    if (glob(pattern.c_str(), GLOB_ONLYDIR, nullptr, &found) == 0) {
      paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    globfree(&found);
    return paths;
  }

  apr_pool_t* pool_;
  server_rec* main_;
  std::map<const server_rec*, ServerFacts> facts_;
  std::vector<ScriptPlace> places_;
};

}  // namespace

std::vector<ScriptPlace> distinct_places(const std::vector<ScriptPlace>& places) {
  std::vector<ScriptPlace> distinct;
  for (const ScriptPlace& place : places) {
    const bool known = std::any_of(distinct.begin(), distinct.end(), [&](const ScriptPlace& other) {
      return is_asked_the_same(place, other) && place.forbidden == other.forbidden &&
             place.desired == other.desired && place.search_path == other.search_path &&
             place.suexec.has_value() == other.suexec.has_value();
    });
    if (!known && place.mode.mode != Mode::off) distinct.push_back(place);
  }
  return distinct;
}

std::vector<ScriptPlace> discover_places(apr_pool_t* pool, const ap_directive_t* tree,
                                         server_rec* main_server) {
  return Finder(pool, main_server).run(tree);
}

}  // namespace permguard
