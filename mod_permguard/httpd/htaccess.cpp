// SPDX-License-Identifier: Apache-2.0
#include "httpd/htaccess.h"

#include <cstring>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "httpd/config.h"
#include "httpd/engine.h"
#include "httpd/run_as.h"

namespace permguard {
namespace {

/// The file that was read for `result`: ap_parse_htaccess() takes the first of the names.
std::string file_of(const request_rec* r, const htaccess_result& result) {
  const auto* core =
      static_cast<const core_server_config*>(ap_get_core_module_config(r->server->module_config));
  const char* names = core->access_name ? core->access_name : DEFAULT_ACCESS_FNAME;
  std::string directory = result.dir;
  if (!directory.ends_with('/')) directory += '/';
  std::string file;
  while (*names) {
    file = directory + ap_getword_conf(r->pool, &names);
    if (engine()->filesystem.target_status(file)) break;
  }
  return file;
}

/// The files whose settings `says` is true of.
template <class Says>
std::vector<Lead> files_that(const request_rec* r, Says says) {
  std::vector<Lead> leads;
  for (const htaccess_result* each = r->htaccess; each; each = each->next) {
    if (!each->htaccess || !says(each->htaccess)) continue;
    std::vector<Lead> more =
        leads_of_setting(engine()->filesystem, file_of(r, *each), engine()->self);
    std::move(more.begin(), more.end(), std::back_inserter(leads));
  }
  return leads;
}

/// Whether a directive of `name` stands there: httpd makes a module's settings for the first one.
bool has_directives_of(const ap_conf_vector_t* settings, const char* name) {
  const module* owner = ap_find_linked_module(name);
  return owner && ap_get_module_config(settings, owner);
}

template <class Row>
bool has_path(const apr_array_header_t* rows, const char* path) {
  if (!rows) return false;
  const auto* begin = reinterpret_cast<const Row*>(rows->elts);
  for (int i = 0; i < rows->nelts; ++i) {
    if (begin[i].path == path) return true;
  }
  return false;
}

/// Merging copies rows, so that a word is known by where it lies.
bool names_program(const ap_conf_vector_t* settings, const char* program) {
  if (!ap_get_module_config(settings, &permguard_module)) return false;
  const DirectoryConfig& own = directory_config(settings);
  const FcgidGuards& guards = own.fcgid_guards;
  return has_path<FcgidWrapper>(own.fcgid_wrappers, program) ||
         has_path<WsgiHandlerScript>(own.wsgi.scripts, program) || guards.access == program ||
         guards.user == program || guards.right == program;
}

bool sets_handler(const ap_conf_vector_t* settings) {
  const auto* core = static_cast<const core_dir_config*>(ap_get_core_module_config(settings));
  return (core && (core->handler || core->expr_handler)) ||
         has_directives_of(settings, "mod_mime.c");
}

/// By SetHandler or AddHandler, or by a RewriteRule with [P], which proxies after the walk only
/// where it stands in a directory's settings, or with [H=].
bool routes(const request_rec* r, const ap_conf_vector_t* settings) {
  const bool forced = apr_table_get(r->notes, "rewrite-forced-handler");  // mod_rewrite.c
  if (r->proxyreq != PROXYREQ_NONE || forced) return has_directives_of(settings, "mod_rewrite.c");
  return sets_handler(settings);
}

bool sets_variables(const ap_conf_vector_t* settings) {
  return has_directives_of(settings, "mod_env.c") ||
         has_directives_of(settings, "mod_setenvif.c") ||
         has_directives_of(settings, "mod_rewrite.c");
}

}  // namespace

FindLeads htaccess_naming(const request_rec* r, const char* program) {
  if (!r->htaccess) return {};
  return [r, program] {
    return files_that(r, [program](const ap_conf_vector_t* settings) {
      return names_program(settings, program);
    });
  };
}

FindLeads htaccess_routing(const request_rec* r) {
  if (!r->htaccess) return {};
  return [r] {
    return files_that(r, [r](const ap_conf_vector_t* settings) { return routes(r, settings); });
  };
}

FindLeads htaccess_setting_path(const request_rec* r) {
  if (!r->htaccess) return {};
  return [r] {
    // The CGI variables hold the server's own PATH once they have been made.
    const bool own = std::strcmp(search_path_of(r), search_path_of()) != 0;
    return own ? files_that(r, sets_variables) : std::vector<Lead>();
  };
}

}  // namespace permguard
