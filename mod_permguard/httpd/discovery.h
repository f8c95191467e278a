// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/drift.h"
#include "core/finding.h"
#include "core/identity.h"
#include "core/script_names.h"
#include "core/suexec.h"
#include "httpd/apache.h"
#include "httpd/config.h"
#include "httpd/files_parts.h"
#include "incidents/status.h"

namespace permguard {

/// A place of the configuration from which httpd executes or reads scripts, or a socket it
/// connects to.
struct ScriptPlace {
  enum class Kind : std::uint8_t { directory, file, socket };
  std::string path;  ///< absolute; of a ScriptAliasMatch the part before the first group
  Kind kind = Kind::directory;
  Handler handler = Handler::cgi;
  Role role = Role::script;
  Need need = Need::execute;
  ScriptChoice names{};  ///< which files of a directory the handler is for
  const server_rec* server = nullptr;
  std::string file;  ///< where the directive stands
  int line = 0;
  Identity who;                              ///< who will execute, read or connect
  Certainty certainty = Certainty::certain;  ///< modelled where `who` is not the server's own user
  std::optional<SuexecTarget> suexec{};      ///< where suexec changes to `who`
  ModeSetting mode;                          ///< PermGuard as merged for `path`
  std::vector<Code> forbidden;               ///< PermGuardForbid, likewise
  DesiredState desired;                      ///< PermGuardExpect, likewise
  std::string search_path{};                 ///< SetEnv PATH, likewise; empty: httpd's own
  std::vector<std::string> excluded{};       ///< what lies below, and is left to other places
  bool is_part = false;                      ///< of another place, by a section: may be missing
  bool repeats = false;                      ///< another place asks the same of the same files

  /// Whether `target` lies in this place, and its settings count for it, by the names.
  bool covers(const std::string& target) const;
};

/// The places found in the configuration `tree` (ap_conftree): ScriptAlias and its variants, also
/// inside <Location>; directories, and URLs, with ExecCGI and a handler; FcgidWrapper;
/// WSGIScriptAlias; proxy handlers with unix sockets; PermGuardWatch directories; and what lies
/// below one of these but has other settings, by a <Directory> or <Files> section. Below a UserDir
/// suexec's user is the directory's. A place named twice comes once; what a virtual host
/// inherits comes once more where it judges it otherwise. Wildcards of <Directory>, and groups of
/// ScriptAliasMatch, are expanded by glob(3); <DirectoryMatch> names no place. Needs the
/// configuration to be complete, so check_config or later. `PermGuardWatch off` changes nothing
/// here.
std::vector<ScriptPlace> discover_places(apr_pool_t* pool, const ap_directive_t* tree,
                                         server_rec* main_server);

/// The <Directory> sections that apply to `directory` of `server`, in the order in which httpd
/// merges them.
std::vector<ap_conf_vector_t*> sections_for(const server_rec* server, const std::string& directory);

/// Whether `Options`, as <Directory> sections of `server` are merged, has ExecCGI in `directory`.
bool exec_cgi_in(apr_pool_t* pool, const server_rec* server, const std::string& directory);

/// PermGuard's per-directory settings as httpd would merge them for a file in `directory` of
/// `server`, without .htaccess, Location, Files and If, which depend on the request.
DirectoryConfig settings_for(apr_pool_t* pool, const server_rec* server,
                             const std::string& directory);

/// The sections that count for names in `directory` of `server`, in the order in which httpd merges
/// them: <Directory> with wildcards that fit its files, and <Files>.
std::vector<FilesSection> files_sections_for(const server_rec* server,
                                             const std::string& directory);

/// settings_for() the directory of `file`, with its <Files> sections.
DirectoryConfig settings_for_file(apr_pool_t* pool, const server_rec* server,
                                  const std::string& file);

/// The identity of httpd's User and Group.
Identity server_identity();

}  // namespace permguard
