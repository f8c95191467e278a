// SPDX-License-Identifier: Apache-2.0
#include "httpd/journal.h"

namespace permguard {
namespace {

/// The one call of httpd's logger; "%s" because a path may hold '%'.
void write(int level, const request_rec* r, const char* text) noexcept {
  ap_log_rerror_(__FILE__, __LINE__, permguard_module.module_index, level, APR_SUCCESS, r, "%s",
                 text);
}

/// The level of `LogLevel permguard:…` for this request, or nothing where it was not given.
bool notices_are_unwanted(const request_rec* r) noexcept {
  const ap_logconf* log = r->log;
  if (!log) log = r->connection->log ? r->connection->log : &r->server->log;
  if (!log->module_levels) return false;
  const int level = log->module_levels[permguard_module.module_index];
  return level >= 0 && level < APLOG_NOTICE;
}

}  // namespace

void log_finding(const request_rec* r, const std::string& sentence) {
  write(APLOG_ERR, r, sentence.c_str());
}

void log_warning(const request_rec* r, const std::string& sentence) {
  write(APLOG_WARNING, r, sentence.c_str());
}

void log_notice(const request_rec* r, const std::string& sentence) {
  if (!notices_are_unwanted(r)) write(APLOG_NOTICE, r, sentence.c_str());
}

void log_debug(const request_rec* r, const std::string& text) {
  write(APLOG_DEBUG, r, text.c_str());
}

void log_internal_error(const char* what) noexcept {
  ap_log_error_(__FILE__, __LINE__, permguard_module.module_index, APLOG_ERR, APR_SUCCESS,
                ap_server_conf,
                "mod_permguard: internal error (%s); requests go on without it; "
                "further ones of this process are not logged",
                what);
}

void log_startup_warning(const server_rec* server, int error, const char* text) noexcept {
  ap_log_error_(__FILE__, __LINE__, permguard_module.module_index, APLOG_WARNING,
                APR_FROM_OS_ERROR(error), server, "mod_permguard: %s", text);
}

void log_startup_error(const server_rec* server, apr_status_t status, const char* text) noexcept {
  ap_log_error_(__FILE__, __LINE__, permguard_module.module_index, APLOG_ERR, status, server,
                "mod_permguard: %s", text);
}

}  // namespace permguard
