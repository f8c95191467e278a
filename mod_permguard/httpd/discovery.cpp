// SPDX-License-Identifier: Apache-2.0
#include "httpd/discovery.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>

#include "core/chain.h"
#include "httpd/conf_facts.h"
#include "httpd/conftree.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/handler_rules.h"
#include "httpd/path_pattern.h"
#include "httpd/place_overlap.h"
#include "httpd/place_user.h"

namespace permguard {
namespace {

/// What the enclosing sections say.
struct Section {
  const server_rec* server = nullptr;
  std::string directory{};  ///< of the innermost <Directory>; empty outside
  bool in_location = false;
  bool inherited = false;  ///< by `server`, which is a virtual host, from the main server
};

/// One place on its way into the list.
struct Found {
  std::string path;
  Handler handler = Handler::cgi;
  Role role = Role::script;
  Need need = Need::execute;
  ScriptPlace::Kind kind = ScriptPlace::Kind::directory;
  ScriptChoice names{};
  bool wrapped = false;     ///< a wrapper reads it
  bool by_section = false;  ///< by handlers and Options of <Directory>: those below have their own
  std::string wsgi_group{};
  const Identity* who = nullptr;  ///< named by a directive
};

/// Whether no section for files counts for `part` alone.
bool has_the_files_of(const ScriptPlace& part, const ScriptPlace& around) {
  const std::vector<FilesSection> known = files_sections_for(around.server, around.path);
  const std::vector<FilesSection> own = files_sections_for(part.server, part.path);
  return std::all_of(own.begin(), own.end(), [&](const FilesSection& section) {
    return std::any_of(known.begin(), known.end(),
                       [&](const FilesSection& each) { return each.settings == section.settings; });
  });
}

class Finder {
 public:
  Finder(apr_pool_t* pool, const ap_directive_t* tree, server_rec* main_server)
      : pool_(pool), main_(main_server), facts_(pool, main_server, tree) {}

  std::vector<ScriptPlace> run(const ap_directive_t* tree) {
    visit(tree, Section{.server = main_});
    const std::size_t own = places_.size();
    for (const server_rec* server = main_->next; server; server = server->next) {
      visit(tree, Section{.server = server, .inherited = true});
    }
    drop_inherited_alike(own);
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
    if (equal(node.directive, "<VirtualHost")) {
      if (section.inherited) return;
      section.server = facts_.server_of(node);
    }
    if (is_section(node, "Location")) {
      section.in_location = true;
      take_location(node, section);
    }
    if (!equal(node.directive, "<Directory")) {
      visit(node.first_child, section);
      return;
    }
    for (const std::string& directory : directories_of(node)) {
      if (section.inherited && !facts_.can_reach(section.server, directory)) continue;
      section.directory = directory;
      take_exec_cgi(node, section);
      visit(node.first_child, section);
    }
  }

  /// Each virtual host looks the main server's up.
  const std::vector<std::string>& directories_of(const ap_directive_t& node) {
    const auto known = directories_.find(&node);
    if (known != directories_.end()) return known->second;
    return directories_.emplace(&node, directories_of_section(pool_, node)).first->second;
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

  /// What one section says of handlers and another of Options comes together.
  void take_exec_cgi(const ap_directive_t& node, const Section& section) {
    const std::string& directory = section.directory;
    if (facts_.speaks_of_scripts(directory, section.server) &&
        exec_cgi_in(pool_, section.server, directory)) {
      add_handled(node, section, directory, facts_.handlers_in(directory, section.server), true);
    }
  }

  void add_handled(const ap_directive_t& node, const Section& section, const std::string& directory,
                   const ScriptHandlers& handlers, bool by_section = false) {
    const auto add_set = [&](const SetFor& set, Found found) {
      if (!set.any()) return;
      found.path = directory;
      found.by_section = by_section;
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
    std::vector<std::string> directories = facts_.aliased_below_url(url, section.server);
    directories.push_back(facts_.directory_of_url(url, section.server));
    for (const std::string& directory : directories) {
      if (directory.empty()) continue;
      add_handled(node, section, directory, handlers_set_by(pool_, node.first_child));
    }
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
    if (section.inherited && !is_inherited(node, section, words[0])) return;
    const bool has_path = words.size() > 1 || section.in_location;
    if (is_any(name, {"ScriptAlias", "ScriptAliasMatch"})) {
      if (has_path) take_alias(node, section, words, {.path = {}});
    } else if (is_any(name, {"VirtualScriptAlias", "VirtualScriptAliasIP"})) {
      add_each(section, node, places_of_host(rooted(pool_, words[0])), {.path = {}});
    } else if (is_any(name, {"WSGIScriptAlias", "WSGIScriptAliasMatch"}) && words.size() > 1) {
      take_alias(node, section, words,
                 {.path = {},
                  .handler = Handler::wsgi,
                  .need = Need::read,
                  .wsgi_group = process_group(words)});
    } else if (equal(name, "FcgidWrapper")) {
      take_wrapper(node, section, words_of(pool_, words[0].c_str()));
    } else if (is_any(name, {"FcgidAuthenticator", "FcgidAuthorizer", "FcgidAccessChecker"})) {
      add(section, node,
          {.path = rooted(pool_, words[0]),
           .handler = Handler::fcgid,
           .kind = ScriptPlace::Kind::file});
    } else if (is_any(name, {"SetHandler", "AddHandler", "ProxyPass", "ProxyPassMatch",
                             "RewriteRule", "BalancerMember"})) {
      take_sockets(node, section, words);
    }
  }

  void take_alias(const ap_directive_t& node, const Section& section,
                  const std::vector<std::string>& words, const Found& found) {
    const std::string path = rooted(pool_, words.size() > 1 ? words[1] : words[0]);
    const bool matches = std::string_view(node.directive).ends_with("atch");
    add_each(
        section, node,
        matches && words.size() > 1 ? places_of_match(words[0], path) : places_of_expression(path),
        found);
  }

  void add_each(const Section& section, const ap_directive_t& node,
                const std::vector<PatternPlace>& places, Found found) {
    for (const PatternPlace& place : places) {
      found.path = place.path;
      found.names.whole = place.whole;
      add(section, node, found);
    }
  }

  /// Whether the server of `section` has `node` of the main server too: mod_rewrite's rules it has
  /// not, and an alias of its own for the same URL, `first`, comes first.
  bool is_inherited(const ap_directive_t& node, const Section& section, const std::string& first) {
    const std::string_view name = node.directive;
    if (equal(name, "RewriteRule")) return !section.directory.empty();
    const bool is_alias = equal(name, "ScriptAlias") || equal(name, "WSGIScriptAlias");
    return !is_alias || section.in_location || !facts_.has_own_alias(section.server, first);
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
    if (place.handler == Handler::cgi || place.handler == Handler::other) {
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

  /// Those above come first: the last one around it is the innermost.
  static ScriptPlace& innermost_around(const std::string& directory,
                                       std::vector<ScriptPlace>& parts) {
    return *std::find_if(parts.rbegin(), parts.rend(),
                         [&](const ScriptPlace& each) { return lies_in(directory, each.path); });
  }

  /// Adds to `parts`, which holds a place, those of its directories that sections give other
  /// settings, and takes them out of the part they lie in.
  void split(const Section& section, const ap_directive_t& node, Found found,
             std::vector<ScriptPlace>& parts) {
    for (const std::string& directory : facts_.sections_below(found.path, section.server)) {
      found.path = directory;
      if (found.by_section && facts_.speaks_of_scripts(directory, section.server)) {
        innermost_around(directory, parts).excluded.push_back(directory);
        continue;
      }
      ScriptPlace part = place_of(section, node, found);
      if (part.kind != ScriptPlace::Kind::directory) continue;
      part.is_part = true;
      ScriptPlace& around = innermost_around(directory, parts);
      if (is_judged_alike(part, around) && part.mode == around.mode &&
          has_the_files_of(part, around)) {
        continue;
      }
      around.excluded.push_back(directory);
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

  /// Of the places from `own` on, which virtual hosts inherit, those that are the main server's.
  void drop_inherited_alike(std::size_t own) {
    const std::vector<ScriptPlace> of_main(places_.begin(),
                                           places_.begin() + static_cast<std::ptrdiff_t>(own));
    const auto is_known = [&](const ScriptPlace& place) {
      return std::any_of(of_main.begin(), of_main.end(), [&](const ScriptPlace& each) {
        return each.server == main_ && is_asked_the_same(each, place) &&
               is_judged_alike(each, place) && each.mode == place.mode &&
               each.excluded == place.excluded;
      });
    };
    places_.erase(
        std::remove_if(places_.begin() + static_cast<std::ptrdiff_t>(own), places_.end(), is_known),
        places_.end());
  }

  apr_pool_t* pool_;
  const server_rec* main_;
  ConfFacts facts_;
  std::map<const ap_directive_t*, std::vector<std::string>> directories_;  ///< of sections
  std::vector<ScriptPlace> places_;
};

}  // namespace

bool ScriptPlace::covers(const std::string& target) const {
  return lies_in(target, path) && (kind == Kind::file || names.in_scope(target)) &&
         std::none_of(excluded.begin(), excluded.end(),
                      [&](const std::string& part) { return lies_in(target, part); });
}

std::vector<ScriptPlace> discover_places(apr_pool_t* pool, const ap_directive_t* tree,
                                         server_rec* main_server) {
  return Finder(pool, tree, main_server).run(tree);
}

}  // namespace permguard
