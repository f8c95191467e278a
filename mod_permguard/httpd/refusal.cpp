// SPDX-License-Identifier: Apache-2.0
#include "httpd/refusal.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/chain.h"
#include "httpd/config.h"
#include "httpd/discovery.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/examination.h"
#include "httpd/run_as.h"
#include "httpd/shared_memory.h"
#include "httpd/stopwatch.h"
#include "httpd/target.h"
#include "httpd/trace.h"

namespace permguard {
namespace {

/// What httpd was about when it refused.
enum class Refusal { walk, htaccess, index, file, page, listing };

/// ap_parse_htaccess() leaves this text for the error page.
bool htaccess_was_unreadable(const request_rec* r) {
  const char* notes = apr_table_get(r->notes, "error-notes");
  return notes && std::strstr(notes, "unable to read htaccess file");
}

/// The handlers for files and listings allow GET before they open anything; nobody does before
/// the handler phase, so that a 403 of `Require` or mod_rewrite comes without it.
bool a_handler_ran(const request_rec* r) {
  return ((r->allowed | r->allowed_methods->method_mask) & (AP_METHOD_BIT << M_GET)) != 0;
}

/// The walk ended early: nothing is merged and no file was found. `Require` comes after the walk,
/// a rewrite of the server before it.
bool was_refused_by_walk(const request_rec* r) {
  return r->path_info && r->per_dir_config == r->server->lookup_defaults;
}

std::optional<Refusal> refusal_of_directory(request_rec* r) {
  if (a_handler_ran(r)) {
    // Without `Options Indexes` the listing was refused by mod_autoindex itself.
    return ap_allow_options(r) & OPT_INDEXES ? std::optional(Refusal::listing) : std::nullopt;
  }
  // mod_dir's fixup, which comes after authorization and mod_rewrite, names the handler.
  const bool looked_for_index = r->handler && std::strcmp(r->handler, DIR_MAGIC_TYPE) == 0;
  return looked_for_index ? std::optional(Refusal::index) : std::nullopt;
}

/// sapi_apache2.c, php_handler(): with the setting xbithack mod_php runs pages whose owner has the
/// x bit. What it cannot read ends with 500, where httpd itself says 403.
bool was_refused_by_php(const request_rec* r) {
  return r->status == HTTP_INTERNAL_SERVER_ERROR && is_loaded(*dispatcher_of(Handler::php)) &&
         r->finfo.filetype == APR_REG && (r->finfo.protection & APR_UEXECUTE) != 0 &&
         r->content_type && std::string_view(r->content_type).starts_with("text/html");
}

std::optional<Refusal> refusal_of(request_rec* r) {
  if (!r->filename || r->filename[0] != '/' || r->proxyreq != PROXYREQ_NONE) return std::nullopt;
  if (was_refused_by_php(r)) return Refusal::page;
  if (r->status != HTTP_FORBIDDEN) return std::nullopt;
  if (htaccess_was_unreadable(r)) return Refusal::htaccess;
  switch (r->finfo.filetype) {
    case APR_NOFILE:
      return was_refused_by_walk(r) ? std::optional(Refusal::walk) : std::nullopt;
    case APR_DIR:
      return refusal_of_directory(r);
    default:
      return a_handler_ran(r) ? std::optional(Refusal::file) : std::nullopt;
  }
}

/// What keeps stat(2) from succeeding, so that the walk ends. What comes after that is another
/// request's failure.
bool stops_a_walk(const Finding& finding) {
  return finding.role == Role::script &&
         (finding.code == Code::search_denied || finding.code == Code::dangling_symlink ||
          finding.code == Code::symlink_loop || finding.code == Code::not_a_directory ||
          finding.code == Code::name_too_long || finding.code == Code::lsm_denied);
}

/// A directory that is asked for its own search permission: "/x/" becomes "/x/.".
std::string inside(std::string path) {
  if (path.ends_with('/')) path += '.';
  return path;
}

Question question_about(request_rec* r, std::string path, Need need, Role role) {
  const Executor httpd = this_process(r);
  return {.target = std::move(path),
          .need = need,
          .role = role,
          .who = *httpd.who,
          .search_path = search_path_of(r),
          .working_directory = {},
          .certainty = httpd.certainty};
}

/// Whether Options lets httpd follow links in `directory`, .htaccess apart.
bool follows_links(request_rec* r, const std::string& directory) {
  const ap_conf_vector_t* merged = r->server->lookup_defaults;
  for (ap_conf_vector_t* section : sections_for(r->server, directory)) {
    merged = ap_merge_per_dir_configs(r->pool, const_cast<ap_conf_vector_t*>(merged), section);
  }
  const auto* core = static_cast<const core_dir_config*>(ap_get_core_module_config(merged));
  return (core->opts & (OPT_SYM_LINKS | OPT_SYM_OWNER)) != 0;
}

/// Whether the walk came by a link that httpd refuses by its Options, whatever lies behind it.
bool ends_at_forbidden_link(request_rec* r, const Diagnosis& diagnosis) {
  if (diagnosis.chain.empty()) return false;
  const std::vector<Step>& steps = diagnosis.chain.front().walk.steps;
  const auto link = std::find_if(steps.begin(), steps.end(), [](const Step& step) {
    return step.status.type == FileType::symlink;
  });
  if (link == steps.end() || follows_links(r, directory_of(link->path))) return false;
  return std::none_of(diagnosis.findings.begin(), diagnosis.findings.end(),
                      [&](const Finding& found) {
                        return found.code == Code::search_denied && lies_in(link->path, found.path);
                      });
}

Diagnosis examine_walk(request_rec* r, const Target& target) {
  Diagnosis diagnosis = examine(question_about(r, inside(target.path), target.need, Role::script),
                                Moment::before_dispatch);
  const bool forbidden = ends_at_forbidden_link(r, diagnosis);
  std::erase_if(diagnosis.findings,
                [&](const Finding& found) { return forbidden || !stops_a_walk(found); });
  return diagnosis;
}

/// The first of the AccessFileName files of r's directory that cannot be read.
Diagnosis examine_htaccess(request_rec* r) {
  const auto* core =
      static_cast<const core_server_config*>(ap_get_core_module_config(r->server->module_config));
  const char* names = core->access_name ? core->access_name : DEFAULT_ACCESS_FNAME;
  Diagnosis diagnosis;
  while (*names && diagnosis.healthy()) {
    const std::string file = std::string(r->filename) + ap_getword_conf(r->pool, &names);
    diagnosis =
        examine(question_about(r, file, Need::read, Role::htaccess), Moment::before_dispatch);
    std::erase_if(diagnosis.findings,
                  [](const Finding& found) { return found.code == Code::not_found; });
  }
  return diagnosis;
}

/// The listing failed, which is more than the warning an audit gives.
Diagnosis examine_listing(request_rec* r) {
  Diagnosis diagnosis =
      examine(question_about(r, r->filename, Need::read, Role::directory), Moment::before_dispatch);
  for (Finding& finding : diagnosis.findings) finding.severity = Severity::error;
  return diagnosis;
}

Diagnosis examine_refusal(request_rec* r, Refusal refusal, const Target& target) {
  switch (refusal) {
    case Refusal::walk:
    case Refusal::index:
      return examine_walk(r, target);
    case Refusal::htaccess:
      return examine_htaccess(r);
    case Refusal::listing:
      return examine_listing(r);
    case Refusal::file:
    case Refusal::page:
      break;
  }
  return examine(question_about(r, r->filename, Need::read, Role::script), Moment::before_dispatch);
}

/// The contract's TARGET is what the request was for. One directory or .htaccess that refuses
/// everything below it is one incident, whatever was asked for.
void name_target(Diagnosis& diagnosis, Refusal refusal, const Target& target) {
  const bool for_all =
      refusal == Refusal::walk || refusal == Refusal::index || refusal == Refusal::htaccess;
  diagnosis.question.target = target.path;
  for (Finding& finding : diagnosis.findings) {
    finding.target = target.path;
    finding.target_seen = finding.target_seen && !for_all;
  }
}

/// filename and path_info; after an .htaccess both have the slash between them.
const char* whole_path(const request_rec* r) {
  const char* rest = r->path_info ? r->path_info : "";
  const bool twice = *rest == '/' && std::string_view(r->filename).ends_with('/');
  return apr_pstrcat(r->pool, r->filename, rest + (twice ? 1 : 0), nullptr);
}

Target refused_target(request_rec* r, Refusal refusal) {
  const std::optional<Target> mapped = unreached_target_of(r);
  const char* path = whole_path(r);
  const bool dispatches = refusal == Refusal::walk && mapped;
  return {.handler = refusal == Refusal::page ? Handler::php : Handler::other,
          .need = dispatches ? mapped->need : Need::read,
          .path = path};
}

bool is_regular_above(const Finding& finding) {
  return finding.file && finding.file->type == FileType::regular &&
         finding.target.starts_with(finding.path + '/');
}

}  // namespace

void explain_refusal(request_rec* r) {
  const std::optional<Refusal> refusal = refusal_of(r);
  if (!refusal || !engine()) return;
  if (directory_config(r->per_dir_config).effective_mode().mode == Mode::off) return;
  const Stopwatch watch;
  const Target target = refused_target(r, *refusal);
  Diagnosis diagnosis = examine_refusal(r, *refusal, target);
  leave_trace(r, Trace::State::told, target);
  if (diagnosis.healthy()) return;
  name_target(diagnosis, *refusal, target);
  shared_state().count_check(target.handler, CheckResult::reported, watch.nanoseconds());
  publish(r, diagnosis);
}

Question question_again(const Finding& finding, const Identity& who) {
  Question question;
  question.target = inside(finding.target);
  question.need = finding.need;
  question.who = who;
  if (finding.role == Role::htaccess || finding.role == Role::directory)
    question.role = finding.role;
  // A listing is read; the way to an .htaccess leads through the directory itself.
  if (finding.role == Role::directory) question.target = finding.target;
  if (finding.need == Need::connect) question.role = Role::socket;
  const bool is_htaccess =
      finding.role == Role::htaccess && finding.file && finding.file->type != FileType::directory;
  // A file that was asked for with PATH_INFO, or the .htaccess on the way to the target.
  if (is_htaccess || is_regular_above(finding)) question.target = finding.path;
  return question;
}

bool is_hidden(const Finding& finding, const Diagnosis& answer) {
  return !answer.exists &&
         std::any_of(answer.findings.begin(), answer.findings.end(), [&](const Finding& found) {
           return found.code == Code::search_denied &&
                  lies_in(answer.question.target, found.path) && !lies_in(found.path, finding.path);
         });
}

std::string search_path_again(const Finding& finding, const std::string& otherwise) {
  if (finding.role != Role::command && finding.role != Role::wrapper_command) return otherwise;
  if (finding.code == Code::not_found) return finding.detail;
  return directory_of(finding.path) + ':' + otherwise;
}

}  // namespace permguard
