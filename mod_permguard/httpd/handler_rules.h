// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/script_names.h"
#include "httpd/apache.h"

namespace permguard {

/// For which files one part of the configuration sets one handler.
struct SetFor {
  bool all = false;  ///< SetHandler, whatever the name
  ScriptNames names{};

  bool any() const { return all || !names.empty(); }
};

/// What SetHandler, outside of <Files>, makes of what is set around it.
enum class Forced : std::uint8_t { nothing, none, handler };

/// The handlers that one section, or a server outside its sections, sets.
struct ScriptHandlers {
  SetFor cgi;
  SetFor fcgid;
  SetFor wsgi;
  SetFor wrapped;           ///< what FcgidWrapper hands to a program, which reads it
  SetFor unneeded;          ///< what `FcgidWrapper … virtual` stands for: nobody opens the file
  std::string search_path;  ///< SetEnv PATH, which CGI scripts get; empty: not said
  Forced forced = Forced::nothing;
  std::vector<std::string> removed{};  ///< extensions of RemoveHandler and RemoveType
  bool speaks = false;                 ///< of handlers or Options at all
};

/// Those of `first` and its siblings: SetHandler, AddHandler, AddType, FcgidWrapper and SetEnv
/// PATH, also inside <Files>, <If> and the like, but not inside sections that name another place.
ScriptHandlers handlers_set_by(apr_pool_t* pool, const ap_directive_t* first);

/// Lays what `inner` says over what is said around it, as httpd merges sections (mod_mime; core for
/// SetHandler, which counts more than AddHandler); a PATH only where none is known.
void add_handlers(ScriptHandlers& handlers, const ScriptHandlers& inner);

/// Adds the rules of `more`.
void add_names(ScriptNames& names, const ScriptNames& more);

/// Whether `node` opens a section of that name, or of its Match form: is_section(node, "Location").
bool is_section(const ap_directive_t& node, std::string_view name);

/// Whether `node` opens a section that names a place of its own: a directory, a URL, a vhost.
bool names_a_place(const ap_directive_t& node);

}  // namespace permguard
