// SPDX-License-Identifier: Apache-2.0
#include "httpd/discovery.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "core/chain.h"
#include "httpd/conf_facts.h"
#include "httpd/conftree.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/handler_rules.h"
#include "httpd/place_user.h"

namespace permguard {
namespace {

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

/// Whether the same settings count for both, but for PermGuard's mode.
bool is_judged_alike(const ScriptPlace& one, const ScriptPlace& other) {
  return one.who == other.who && one.forbidden == other.forbidden && one.desired == other.desired &&
         one.search_path == other.search_path && one.suexec.has_value() == other.suexec.has_value();
}

/// Whether no <Files> section counts for `part` alone: those that count around it count in it too.
bool has_the_files_of(const ScriptPlace& part, const ScriptPlace& around) {
  return files_sections_for(part.server, part.path).size() ==
         files_sections_for(around.server, around.path).size();
}

class Finder {
 public:
  Finder(apr_pool_t* pool, const ap_directive_t* tree, server_rec* main_server)
      : pool_(pool), main_(main_server), facts_(pool, main_server, tree) {}

  std::vector<ScriptPlace> run(const ap_directive_t* tree) {
    visit(tree, Section{.server = main_});
    for (const server_rec* server = main_; server; server = server->next) add_watched(server);
    return std::move(places_);
  }

 private:
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
    if (equal(node.directive, "<VirtualHost")) section.server = facts_.server_of(node);
    if (is_section(node, "Location")) {
      section.in_location = true;
      take_location(node, section);
    }
    if (!equal(node.directive, "<Directory")) {
      visit(node.first_child, section);
      return;
    }
    for (const std::string& directory : directories_of_section(pool_, node)) {
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

  void take_exec_cgi(const ap_directive_t& node, const Section& section) {
    add_handled(node, section, section.directory,
                facts_.handlers_in(section.directory, section.server));
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
    const std::string directory = facts_.directory_of_url(url, section.server);
    if (directory.empty()) return;
    add_handled(node, section, directory, handlers_set_by(pool_, node.first_child));
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
      add(section, node, {.path = before(rooted(pool_, path), "%{")});
    } else if (equal(name, "ScriptAliasMatch") && has_path) {
      add(section, node, {.path = before(rooted(pool_, path), "$")});
    } else if (equal(name, "VirtualScriptAlias") || equal(name, "VirtualScriptAliasIP")) {
      add(section, node, {.path = before(rooted(pool_, words[0]), "%")});
    } else if ((equal(name, "WSGIScriptAlias") || equal(name, "WSGIScriptAliasMatch")) &&
               words.size() > 1) {
      add(section, node,
          {.path = before(rooted(pool_, path), "$"),
           .handler = Handler::wsgi,
           .need = Need::read,
           .wsgi_group = process_group(words)});
    } else if (equal(name, "FcgidWrapper")) {
      take_wrapper(node, section, words_of(pool_, words[0].c_str()));
    } else if (equal(name, "FcgidAuthenticator") || equal(name, "FcgidAuthorizer") ||
               equal(name, "FcgidAccessChecker")) {
      add(section, node,
          {.path = rooted(pool_, words[0]),
           .handler = Handler::fcgid,
           .kind = ScriptPlace::Kind::file});
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
        {.path = rooted(pool_, command[0]),
         .handler = Handler::fcgid,
         .role = Role::wrapper,
         .kind = ScriptPlace::Kind::file});
  }

  /// httpd itself connects, under mpm-itk as the vhost's user.
  void take_sockets(const ap_directive_t& node, const Section& section,
                    const std::vector<std::string>& words) {
    const std::string assigned = facts_.users_of(section.server).assigned;
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
    found.path = without_slash(std::move(found.path));
    std::vector<ScriptPlace> parts{place_of(section, node, found)};
    if (parts[0].kind == ScriptPlace::Kind::directory) {
      split(section, node, found, parts);
      split_by_files(section, found, parts);
    }
    for (ScriptPlace& part : parts) keep(std::move(part));
  }

  ScriptPlace place_of(const Section& section, const ap_directive_t& node, const Found& found) {
    ScriptPlace place;
    place.path = found.path;
    place.handler = found.handler;
    place.role = found.role;
    place.need = found.need;
    place.kind = found.kind == ScriptPlace::Kind::directory ? kind_of(place.path) : found.kind;
    place.names = found.names;
    place.server = section.server;
    place.file = node.filename ? node.filename : "";
    place.line = node.line_num;
    if (place.handler == Handler::cgi) {
      place.search_path = facts_.search_path_in(place.path, section.server);
    }
    const bool one = place.kind == ScriptPlace::Kind::file;
    settle(one ? settings_for_file(pool_, section.server, place.path)
               : settings_for(pool_, section.server, place.path),
           found, place);
    return place;
  }

  /// What `settings` say of `place`, whose other members are set.
  void settle(const DirectoryConfig& settings, const Found& found, ScriptPlace& place) {
    place.mode = settings.effective_mode();
    place.forbidden.clear();
    const CodeSet forbidden = settings.forbidden.value_or(CodeSet());
    for (const CodeInfo& row : catalogue()) {
      if (forbidden.test(static_cast<std::size_t>(row.code))) place.forbidden.push_back(row.code);
    }
    const DesiredState* desired = settings.desired.value_or(nullptr);
    place.desired = desired ? *desired : DesiredState{};
    place.suexec.reset();
    name_user(place, settings, facts_.users_of(place.server), found.wsgi_group);
    if (found.who) take_user(place, *found.who);
  }

  /// Adds to `parts`, which holds a place, those of its directories that sections give other
  /// settings, and takes them out of the part they lie in.
  void split(const Section& section, const ap_directive_t& node, Found found,
             std::vector<ScriptPlace>& parts) {
    for (const std::string& directory : facts_.sections_below(found.path, section.server)) {
      found.path = directory;
      ScriptPlace part = place_of(section, node, found);
      if (part.kind != ScriptPlace::Kind::directory) continue;
      part.is_part = true;
      // Those above come first: the last one around it is the innermost.
      const auto around = std::find_if(parts.rbegin(), parts.rend(), [&](const ScriptPlace& each) {
        return lies_in(directory, each.path);
      });
      if (is_judged_alike(part, *around) && part.mode == around->mode &&
          has_the_files_of(part, *around)) {
        continue;
      }
      around->excluded.push_back(directory);
      parts.push_back(std::move(part));
    }
  }

  /// Likewise for the names that <Files> sections give other settings.
  void split_by_files(const Section& section, const Found& found, std::vector<ScriptPlace>& parts) {
    for (std::size_t i = 0, count = parts.size(); i < count; ++i) {
      const ScriptPlace whole = parts[i];
      const std::vector<FilesSection> sections = files_sections_for(section.server, whole.path);
      for (const FilesSection& each : sections) add_names(parts[i].names.outside, each.names);
      const DirectoryConfig settings = settings_for(pool_, section.server, whole.path);
      for (FilesPart& named : parts_by_files(pool_, settings, sections)) {
        ScriptPlace& part = parts.emplace_back(whole);
        part.names.within = std::move(named.within);
        part.names.outside = std::move(named.outside);
        part.is_part = true;
        settle(named.settings, found, part);
      }
    }
  }

  void keep(ScriptPlace place) {
    const auto known = std::find_if(places_.begin(), places_.end(), [&](const ScriptPlace& each) {
      return each.server == place.server && is_asked_the_same(each, place);
    });
    if (known == places_.end()) {
      places_.push_back(std::move(place));
    } else {
      known->is_part = known->is_part && place.is_part;
    }
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

  /// "/srv/$1/cgi-bin/$2" → "/srv": the directory before the first part that a request fills in.
  static std::string before(const std::string& path, const char* mark) {
    const std::size_t at = path.find(mark);
    if (at == std::string::npos) return path;
    const std::size_t slash = path.rfind('/', at);
    return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
  }

  apr_pool_t* pool_;
  const server_rec* main_;
  ConfFacts facts_;
  std::vector<ScriptPlace> places_;
};

}  // namespace

bool ScriptPlace::covers(const std::string& target) const {
  return lies_in(target, path) && names.in_scope(target.substr(target.rfind('/') + 1)) &&
         std::none_of(excluded.begin(), excluded.end(),
                      [&](const std::string& part) { return lies_in(target, part); });
}

std::vector<ScriptPlace> distinct_places(const std::vector<ScriptPlace>& places) {
  std::vector<ScriptPlace> distinct;
  for (const ScriptPlace& place : places) {
    const bool known = std::any_of(distinct.begin(), distinct.end(), [&](const ScriptPlace& other) {
      return is_asked_the_same(place, other) && is_judged_alike(place, other) &&
             place.excluded == other.excluded;
    });
    if (!known && place.mode.mode != Mode::off) distinct.push_back(place);
  }
  return distinct;
}

std::vector<ScriptPlace> discover_places(apr_pool_t* pool, const ap_directive_t* tree,
                                         server_rec* main_server) {
  return Finder(pool, tree, main_server).run(tree);
}

}  // namespace permguard
