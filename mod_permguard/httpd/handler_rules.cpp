// SPDX-License-Identifier: Apache-2.0
#include "httpd/handler_rules.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "httpd/conftree.h"

namespace permguard {
namespace {

SetFor* of_handler(ScriptHandlers& handlers, std::string_view name) {
  if (equal(name, "cgi-script") || equal(name, "application/x-httpd-cgi")) return &handlers.cgi;
  if (equal(name, "fcgid-script")) return &handlers.fcgid;
  if (equal(name, "wsgi-script") || equal(name, "application/x-httpd-wsgi")) return &handlers.wsgi;
  return nullptr;
}

void append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

/// `.cgi` and `cgi` are the same to mod_mime.
std::string extension_of(const std::string& word) {
  return word.starts_with('.') ? word.substr(1) : word;
}

/// The names that <Files> or <FilesMatch> speaks of.
ScriptNames names_of_section(apr_pool_t* pool, const ap_directive_t& node) {
  std::string text = node.args ? node.args : "";
  if (const std::size_t end = text.rfind('>'); end != std::string::npos) text.resize(end);
  const std::vector<std::string> words = words_of(pool, text.c_str());
  ScriptNames names;
  if (words.empty()) return names;
  const bool tilde = words[0] == "~" && words.size() > 1;
  if (equal(node.directive, "<FilesMatch") || tilde) {
    names.expressions.push_back(words[tilde ? 1 : 0]);
  } else {
    names.patterns.push_back(words[0]);
  }
  return names;
}

class Gatherer {
 public:
  explicit Gatherer(apr_pool_t* pool) : pool_(pool) {}

  /// `within`: the names of the enclosing <Files>.
  void gather(const ap_directive_t* node, const ScriptNames& within) {
    for (; node; node = node->next) {
      if (names_a_place(*node)) continue;
      if (is_section(*node, "Files")) {
        gather(node->first_child, names_of_section(pool_, *node));
      } else if (node->first_child) {
        ++conditions_;
        gather(node->first_child, within);
        --conditions_;
      } else {
        take(*node, within);
      }
    }
  }

  ScriptHandlers found;

 private:
  void take(const ap_directive_t& node, const ScriptNames& within) {
    const std::vector<std::string> words = words_of(pool_, node.args);
    if (equal(node.directive, "FcgidWrapper")) take_wrapper(words, within);
    if (equal(node.directive, "SetEnv") && within.empty() && words.size() > 1 &&
        words[0] == "PATH") {
      found.search_path = words[1];
    }
    found.speaks |= is_any(node.directive, {"Options", "SetHandler", "AddHandler", "AddType",
                                            "FcgidWrapper", "RemoveHandler", "RemoveType"});
    if (equal(node.directive, "SetHandler") && within.empty() && conditions_ == 0) {
      found.forced = equal(words[0], "none") ? Forced::none : Forced::handler;
    } else if (equal(node.directive, "RemoveHandler") || equal(node.directive, "RemoveType")) {
      for (const std::string& word : words) found.removed.push_back(extension_of(word));
    }
    SetFor* set = words.empty() ? nullptr : of_handler(found, words[0]);
    if (!set) return;
    if (equal(node.directive, "SetHandler")) {
      add(*set, within);
    } else if (equal(node.directive, "AddHandler") || equal(node.directive, "AddType")) {
      for (std::size_t i = 1; i < words.size(); ++i) {
        set->names.extensions.push_back(extension_of(words[i]));
      }
    }
  }

  /// FcgidWrapper COMMAND [.EXTENSION] [virtual]
  void take_wrapper(const std::vector<std::string>& words, const ScriptNames& within) {
    const bool is_virtual = words.size() > 1 && equal(words.back(), "virtual");
    SetFor& set = is_virtual ? found.unneeded : found.wrapped;
    if (words.size() > (is_virtual ? 2 : 1)) {
      set.names.extensions.push_back(extension_of(words[1]));
    } else {
      add(set, within);
    }
  }

  static void add(SetFor& set, const ScriptNames& within) {
    set.all = set.all || within.empty();
    add_names(set.names, within);
  }

  apr_pool_t* pool_;
  unsigned conditions_ = 0;  ///< how many <If> and the like are around
};

constexpr SetFor ScriptHandlers::*kScripts[] = {&ScriptHandlers::cgi, &ScriptHandlers::fcgid,
                                                &ScriptHandlers::wsgi};

void take_away(std::vector<std::string>& extensions, const std::vector<std::string>& removed) {
  std::erase_if(extensions, [&](const std::string& extension) {
    return std::any_of(removed.begin(), removed.end(),
                       [&](const std::string& each) { return equal(each, extension); });
  });
}

}  // namespace

void add_names(ScriptNames& names, const ScriptNames& more) {
  append(names.extensions, more.extensions);
  append(names.patterns, more.patterns);
  append(names.expressions, more.expressions);
  append(names.paths, more.paths);
}

ScriptHandlers handlers_set_by(apr_pool_t* pool, const ap_directive_t* first) {
  Gatherer gatherer(pool);
  gatherer.gather(first, {});
  return std::move(gatherer.found);
}

void add_handlers(ScriptHandlers& handlers, const ScriptHandlers& inner) {
  for (SetFor ScriptHandlers::*handler : kScripts) {
    SetFor& set = handlers.*handler;
    take_away(set.names.extensions, inner.removed);
    if (inner.forced == Forced::handler) set = {};
    if (inner.forced == Forced::none) set.all = false;
  }
  for (SetFor ScriptHandlers::*handler :
       {&ScriptHandlers::cgi, &ScriptHandlers::fcgid, &ScriptHandlers::wsgi,
        &ScriptHandlers::wrapped, &ScriptHandlers::unneeded}) {
    (handlers.*handler).all |= (inner.*handler).all;
    add_names((handlers.*handler).names, (inner.*handler).names);
  }
  if (handlers.search_path.empty()) handlers.search_path = inner.search_path;
}

bool is_section(const ap_directive_t& node, std::string_view name) {
  const std::string opening = "<" + std::string(name);
  return equal(node.directive, opening) || equal(node.directive, opening + "Match");
}

bool names_a_place(const ap_directive_t& node) {
  return is_section(node, "Directory") || is_section(node, "Location") ||
         is_section(node, "Proxy") || equal(node.directive, "<VirtualHost");
}

}  // namespace permguard
