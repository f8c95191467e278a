// SPDX-License-Identifier: Apache-2.0
#include "httpd/discovery.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "httpd/conftree.h"

namespace permguard {
namespace {

/// How the first pass over the tree sees handlers and identities of one server.
struct ServerFacts {
  bool adds_cgi = false;    ///< AddHandler or AddType makes files CGI scripts
  bool adds_fcgid = false;  ///< … or fcgid scripts
  std::string suexec;       ///< USER:GROUP of SuexecUserGroup
  std::string assigned;     ///< of mpm-itk's AssignUserID
};

/// What the enclosing sections say.
struct Section {
  const server_rec* server = nullptr;
  std::string directory{};  ///< of the innermost <Directory>; empty outside
  bool exec_cgi = false;
  bool in_location = false;
  const ap_directive_t* node = nullptr;
};

bool names_cgi(std::string_view handler) {
  return equal(handler, "cgi-script") || equal(handler, "application/x-httpd-cgi");
}

class Finder {
 public:
  Finder(apr_pool_t* pool, server_rec* main_server) : pool_(pool), main_(main_server) {}

  std::vector<ScriptPlace> run(const ap_directive_t* tree) {
    learn(tree, main_);
    visit(tree, Section{.server = main_});
    std::erase_if(places_, [](const ScriptPlace& place) {
      return !server_config(place.server).finds_places.value_or(true);
    });
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

  void learn(const ap_directive_t* node, const server_rec* server) {
    for (; node; node = node->next) {
      const bool vhost = equal(node->directive, "<VirtualHost");
      learn_one(*node, facts_[server]);
      if (node->first_child) learn(node->first_child, vhost ? server_of(*node) : server);
    }
  }

  void learn_one(const ap_directive_t& node, ServerFacts& facts) {
    const std::vector<std::string> words = words_of(pool_, node.args);
    const std::string_view name = node.directive;
    if (words.empty()) return;
    if (equal(name, "AddHandler") || equal(name, "AddType")) {
      facts.adds_cgi = facts.adds_cgi || names_cgi(words[0]);
      facts.adds_fcgid = facts.adds_fcgid || equal(words[0], "fcgid-script");
    } else if (words.size() > 1 && equal(name, "SuexecUserGroup")) {
      facts.suexec = words[0] + ":" + words[1];
    } else if (words.size() > 1 && equal(name, "AssignUserID")) {
      facts.assigned = words[0] + ":" + words[1];
    }
  }

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
    section.in_location = section.in_location || equal(node.directive, "<Location");
    if (!equal(node.directive, "<Directory")) {
      visit(node.first_child, section);
      return;
    }
    const std::string pattern = section_argument(pool_, node);
    if (pattern.empty() || pattern[0] == '~') return;
    for (const std::string& directory : expand(rooted(pattern))) {
      section.directory = directory;
      section.exec_cgi = allows_exec_cgi(node);
      section.node = &node;
      if (section.exec_cgi) take_exec_cgi(section);
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

  void add_watched(const server_rec* server) {
    const apr_array_header_t* watches = server_config(server).watches;
    const auto* rules = watches ? reinterpret_cast<const WatchRule*>(watches->elts) : nullptr;
    for (int i = 0; rules && i < watches->nelts; ++i) {
      ap_directive_t node{};
      node.filename = rules[i].file;
      node.line_num = rules[i].line;
      add(Section{.server = server}, node, rules[i].directory, Handler::other);
      places_.back().need = rules[i].need;
      if (rules[i].who) take_user(places_.back(), *rules[i].who);
    }
  }

  void take_exec_cgi(const Section& section) {
    const ServerFacts& own = facts_[section.server];
    const ServerFacts& inherited = facts_[main_];
    const std::string handler = handler_set_in(*section.node);
    if (own.adds_cgi || inherited.adds_cgi || names_cgi(handler)) {
      add(section, *section.node, section.directory, Handler::cgi);
    }
    if (own.adds_fcgid || inherited.adds_fcgid || equal(handler, "fcgid-script")) {
      add(section, *section.node, section.directory, Handler::fcgid);
    }
  }

  std::string handler_set_in(const ap_directive_t& node) const {
    for (const ap_directive_t* child = node.first_child; child; child = child->next) {
      const std::vector<std::string> words = words_of(pool_, child->args);
      if (equal(child->directive, "SetHandler") && !words.empty()) return words[0];
      if (child->first_child) {
        if (std::string inner = handler_set_in(*child); !inner.empty()) return inner;
      }
    }
    return {};
  }

  void take(const ap_directive_t& node, const Section& section) {
    const std::vector<std::string> words = words_of(pool_, node.args);
    const std::string_view name = node.directive;
    if (words.empty()) return;
    const std::string& path = words.size() > 1 ? words[1] : words[0];
    const bool has_path = words.size() > 1 || section.in_location;
    if (equal(name, "ScriptAlias") && has_path) {
      add(section, node, rooted(path), Handler::cgi);
    } else if (equal(name, "ScriptAliasMatch") && has_path) {
      add(section, node, before_group(rooted(path), '$'), Handler::cgi);
    } else if (equal(name, "VirtualScriptAlias") || equal(name, "VirtualScriptAliasIP")) {
      add(section, node, before_group(rooted(words[0]), '%'), Handler::cgi);
    } else if (equal(name, "WSGIScriptAlias") && has_path) {
      add(section, node, rooted(path), Handler::wsgi);
    } else if (equal(name, "WSGIScriptAliasMatch") && has_path) {
      add(section, node, before_group(rooted(path), '$'), Handler::wsgi);
    } else if (equal(name, "FcgidWrapper")) {
      take_wrapper(node, section, words_of(pool_, words[0].c_str()));
    } else if (equal(name, "FcgidAuthenticator") || equal(name, "FcgidAuthorizer") ||
               equal(name, "FcgidAccessChecker")) {
      add(section, node, rooted(words[0]), Handler::fcgid);
      places_.back().kind = ScriptPlace::Kind::file;
    } else if (names_backends(name)) {
      take_socket(node, section, words);
    }
  }

  static bool names_backends(std::string_view directive) {
    constexpr std::array kAll = {"SetHandler", "ProxyPass", "ProxyPassMatch", "BalancerMember",
                                 "RewriteRule"};
    return std::any_of(kAll.begin(), kAll.end(),
                       [&](const char* name) { return equal(directive, name); });
  }

  /// The first argument is a command line.
  void take_wrapper(const ap_directive_t& node, const Section& section,
                    const std::vector<std::string>& command) {
    if (command.empty()) return;
    add(section, node, rooted(command[0]), Handler::fcgid);
    places_.back().kind = ScriptPlace::Kind::file;
    places_.back().role = Role::wrapper;
  }

  void take_socket(const ap_directive_t& node, const Section& section,
                   const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      const std::size_t at = word.find("unix:");
      if (at == std::string::npos) continue;
      const std::size_t end = std::min(word.find('|', at), word.size());
      const std::string name = word.substr(at + 5, end - at - 5);
      if (name.find_first_of("$%") != std::string::npos) continue;  // a request fills it in
      const char* socket = ap_runtime_dir_relative(pool_, name.c_str());
      add(section, node, socket ? socket : name, Handler::proxy);
      places_.back().kind = ScriptPlace::Kind::socket;
      places_.back().need = Need::connect;
      places_.back().role = Role::socket;
      name_connector(places_.back());
    }
  }

  /// httpd itself connects, under mpm-itk as the vhost's user.
  void name_connector(ScriptPlace& place) {
    const std::string& assigned = facts_[place.server].assigned;
    const Result<Identity> user =
        assigned.empty() ? failure<Identity>(ENOENT) : lookup_identity(assigned);
    take_user(place, user ? user.value : server_identity());
  }

  void add(const Section& section, const ap_directive_t& node, std::string path, Handler handler) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const auto known = std::find_if(places_.begin(), places_.end(), [&](const ScriptPlace& place) {
      return place.path == path && place.server == section.server && place.handler == handler;
    });
    if (known != places_.end()) {
      std::rotate(known, known + 1, places_.end());  // callers amend the last one
      return;
    }
    ScriptPlace place;
    place.path = std::move(path);
    place.kind = kind_of(place.path);
    place.handler = handler;
    place.need = handler == Handler::wsgi ? Need::read : Need::execute;
    place.server = section.server;
    place.file = node.filename ? node.filename : "";
    place.line = node.line_num;
    const DirectoryConfig settings = settings_for(pool_, section.server, place.path);
    apply(settings, place);
    name_user(place, settings);
    places_.push_back(std::move(place));
  }

  static void apply(const DirectoryConfig& settings, ScriptPlace& place) {
    place.mode = settings.effective_mode();
    const CodeSet forbidden = settings.forbidden.value_or(CodeSet());
    for (const CodeInfo& row : catalogue()) {
      if (forbidden.test(static_cast<std::size_t>(row.code))) place.forbidden.push_back(row.code);
    }
    if (const DesiredState* desired = settings.desired.value_or(nullptr)) place.desired = *desired;
  }

  ScriptPlace::Kind kind_of(const std::string& path) const {
    apr_finfo_t seen;
    const bool file = apr_stat(&seen, path.c_str(), APR_FINFO_TYPE, pool_) == APR_SUCCESS &&
                      seen.filetype != APR_DIR;
    return file ? ScriptPlace::Kind::file : ScriptPlace::Kind::directory;
  }

  void name_user(ScriptPlace& place, const DirectoryConfig& settings) {
    const ServerFacts& facts = facts_[place.server];
    const std::string spec = !facts.assigned.empty() ? facts.assigned
                             : ap_unixd_config.suexec_enabled && place.handler != Handler::wsgi
                                 ? facts.suexec
                                 : std::string();
    const Result<Identity> by_directive =
        spec.empty() ? failure<Identity>(ENOENT) : lookup_identity(spec);
    const Identity* named = settings.run_as.value_or(nullptr);
    take_user(place, named ? *named : by_directive ? by_directive.value : server_identity());
  }

  static void take_user(ScriptPlace& place, const Identity& who) {
    const Identity self = server_identity();
    const bool same = who.uid == self.uid && who.gid == self.gid;
    place.who = who;
    place.certainty = same ? Certainty::certain : Certainty::modelled;
  }

  std::string rooted(const std::string& path) const {
    const char* absolute = ap_server_root_relative(pool_, path.c_str());
    return absolute ? absolute : path;
  }

  /// "/srv/$1/cgi-bin/$2" → "/srv": the directory before the first part that a request fills in.
  static std::string before_group(const std::string& path, char mark) {
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

std::vector<ScriptPlace> discover_places(apr_pool_t* pool, const ap_directive_t* tree,
                                         server_rec* main_server) {
  return Finder(pool, main_server).run(tree);
}

}  // namespace permguard
