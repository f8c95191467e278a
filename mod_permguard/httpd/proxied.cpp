// SPDX-License-Identifier: Apache-2.0
#include "httpd/proxied.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "core/listener.h"
#include "httpd/examination.h"
#include "httpd/fpm_pools.h"
#include "httpd/htaccess.h"
#include "httpd/recovery.h"
#include "httpd/shared_memory.h"

namespace permguard {
namespace {

std::string address_of(const ProxyTarget& target) {
  if (target.socket) return target.socket;
  const std::string host = target.host;
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(target.port);
}

Question script_question(const request_rec* r, const ProxyTarget& target, const Identity& reader,
                         std::string path) {
  return {.target = std::move(path),
          .need = target.need,
          .role = Role::script,
          .who = reader,
          .search_path = search_path_of(r),
          .working_directory = {},
          .certainty = Certainty::modelled,
          .named_by = htaccess_routing(r)};
}

bool has_listener(const ProxyTarget& target) {
  const Listener listener =
      target.socket ? unix_listener(target.socket) : tcp_listener(target.host, target.port);
  return listener != Listener::absent;
}

/// What mod_proxy answers where it gets no connection.
bool may_lack_listener(const request_rec* r, Moment moment) {
  return moment == Moment::after_failure &&
         (r->status == HTTP_SERVICE_UNAVAILABLE || r->status == HTTP_BAD_GATEWAY);
}

Diagnosis examine_backend(request_rec* r, const ProxyTarget& target, Moment moment) {
  Diagnosis diagnosis;
  diagnosis.question = backend_question(r, target);
  // A port alone is asked only where the answer says that nobody may listen.
  diagnosis.exists = target.has_file() || may_lack_listener(r, moment);
  if (target.socket) diagnosis = examine(diagnosis.question, moment);
  if (diagnosis.healthy() && may_lack_listener(r, moment) && !has_listener(target)) {
    diagnosis.findings.push_back(refused_connection(diagnosis));
  }
  return diagnosis;
}

/// FPM cuts components off the end until a file is left (php.ini, cgi.fix_pathinfo), as
/// proxy-fcgi-pathinfo has mod_proxy_fcgi do. Empty where none can be seen.
std::string without_path_info(const Filesystem& files, std::string path) {
  for (std::size_t end = path.size(); end != 0 && end != std::string::npos; end = path.rfind('/')) {
    path.resize(end);
    const Result<FileStatus> file = files.target_status(path);
    if (file && file.value.type == FileType::regular) return path;
    if (file || (file.error != ENOTDIR && file.error != ENOENT)) return {};
  }
  return {};
}

/// As httpd knows the URL's path; what it cannot decode it leaves.
std::string decoded(apr_pool_t* pool, const std::string& path) {
  char* text = apr_pstrmemdup(pool, path.data(), path.size());
  return ap_unescape_url_keep2f(text, 0) == OK ? text : path;
}

std::string without_known_path_info(const ProxyTarget& target) {
  const std::string_view path = target.script;
  const std::string_view rest = target.path_info ? target.path_info : "";
  const bool ends = rest.size() < path.size() && path.ends_with(rest);
  return std::string(path.substr(0, path.size() - (ends ? rest.size() : 0)));
}

/// FPM takes a URL's path as it is, with its %XX; a name that exists only decoded is what was
/// meant.
std::string script_path(request_rec* r, const ProxyTarget& target, const Filesystem& files) {
  if (!target.from_url) return target.script;
  const std::string sent = without_known_path_info(target);
  const std::string meant = decoded(r->pool, sent);
  std::string found = without_path_info(files, sent);
  if (found.empty() && meant != sent) found = without_path_info(files, meant);
  return found.empty() ? meant : found;
}

void move_out(std::string& path, const std::string& root) {
  if (path.starts_with('/')) path.insert(0, root);
}

/// A chrooted pool's paths as everybody else has to write them.
void move_out(Diagnosis& diagnosis, const std::string& root) {
  move_out(diagnosis.question.target, root);
  for (Finding& finding : diagnosis.findings) {
    move_out(finding.target, root);
    move_out(finding.path, root);
    for (FixStep& step : finding.remedy.steps) move_out(step.path, root);
  }
}

bool depends_on_user(const Finding& finding) {
  return finding.code == Code::search_denied || finding.code == Code::read_denied ||
         finding.code == Code::execute_denied;
}

/// Nothing is refused to somebody who is not known: only that it may be is worth saying.
void doubt_user(Diagnosis& diagnosis) {
  auto& findings = diagnosis.findings;
  const auto first = std::find_if(findings.begin(), findings.end(), depends_on_user);
  if (first == findings.end()) return;
  first->code = Code::pool_user_unknown;
  first->severity = info(Code::pool_user_unknown).severity;
  first->decided_by = DecidedBy::none;
  first->decision = {};
  first->remedy = {};
  findings.erase(std::remove_if(first + 1, findings.end(), depends_on_user), findings.end());
}

/// No such script, or a directory in its place: the backend's 404 says as much, to anybody who
/// tries names. Only what the configuration names should be there.
bool is_plain_absence(const Finding& finding, const Question& question, std::size_t configured) {
  const bool directory = finding.file && finding.file->type == FileType::directory;
  if (finding.code == Code::not_regular_file) return directory;
  return finding.code == Code::not_found &&
         (finding.path == question.target || finding.path.size() > configured);
}

/// `question` as the pool sees it, below `root`. `configured`: as in ProxyTarget.
Diagnosis examine_below(const std::string& root, const Question& question,
                        std::size_t configured = std::string::npos) {
  const Engine& child = *engine();
  const SystemFilesystem inside(root);
  const Examiner examiner{.filesystem = root.empty() ? child.filesystem : inside,
                          .names = child.names,
                          .kernel = nullptr,
                          .surroundings = child.surroundings};
  Question asked = question;
  asked.outside = root;
  Diagnosis diagnosis = diagnose(examiner, asked);
  auto& findings = diagnosis.findings;
  std::erase_if(findings, [&](const Finding& finding) {
    return is_plain_absence(finding, question, configured);
  });
  for (Finding& finding : findings) finding.certainty = Certainty::modelled;
  if (!root.empty()) move_out(diagnosis, root);
  if (is_unknown_reader(question.who)) doubt_user(diagnosis);
  return diagnosis;
}

/// The kernel answers for a pool that runs as this process does; only its yes counts.
bool is_readable_here(const Question& question) {
  return is_this_process(question.who) &&
         passes(engine()->examiner(true, Moment::before_dispatch), question);
}

std::string root_of(const ProxyTarget& target) {
  const KnownPool* pool = pool_behind(target);
  return pool ? pool->chroot : std::string();
}

Diagnosis examine_script(request_rec* r, const ProxyTarget& target, const Identity& reader) {
  const std::string root = root_of(target);
  const Question question =
      script_question(r, target, reader, script_path(r, target, SystemFilesystem(root)));
  if (!root.empty() || !is_readable_here(question)) {
    return examine_below(root, question, target.configured);
  }
  Diagnosis healthy;
  healthy.question = question;
  healthy.exists = true;
  return healthy;
}

void reconsider(const request_rec* r, const Diagnosis& answer, Moment moment) {
  const SharedState& state = shared_state();
  if (state.any_open() && state.concerns(answer.question.target, answer.question.who.uid)) {
    reconsider_incidents(r, answer, moment);
  }
}

}  // namespace

Executor reader_of(const ProxyTarget& target, const DirectoryConfig& config) {
  if (const Identity* named = config.run_as.value_or(nullptr)) return {named, Certainty::modelled};
  const KnownPool* pool = pool_behind(target);
  return {pool ? &pool->user : &unknown_reader(), Certainty::modelled};
}

Question backend_question(request_rec* r, const ProxyTarget& target) {
  return {.target = address_of(target),
          .need = Need::connect,
          .role = Role::socket,
          .who = *this_process(r).who,
          .search_path = {},
          .working_directory = {},
          .certainty = Certainty::certain,
          .named_by = htaccess_routing(r)};
}

Diagnosis examine_proxied(request_rec* r, const ProxyTarget& target, const Identity& reader,
                          Moment moment) {
  Diagnosis backend = examine_backend(r, target, moment);
  if (!backend.healthy() || !target.script) return backend;
  reconsider(r, backend, moment);
  return examine_script(r, target, reader);
}

Diagnosis examine_in_jail(const std::string& root, const Question& question) {
  Question inside = question;
  inside.target.erase(0, root.size());
  return examine_below(root, inside);
}

Diagnosis examine_for_pool(const Question& question) {
  return examine_in_jail(pool_root(question.who, question.target), question);
}

bool is_beyond_doubt(const ProxyTarget& target, const Finding& finding) noexcept {
  if (!target.socket || target.balancer) return false;
  if (finding.role == Role::socket && target.keeps_connections) return false;
  return finding.code != Code::not_found && finding.code != Code::dangling_symlink;
}

}  // namespace permguard
