// SPDX-License-Identifier: Apache-2.0
#include "httpd/journal.h"

namespace permguard {
namespace {

/// The one call of httpd's logger; "%s" because a path may hold '%'.
void write(int level, const request_rec* r, const char* text) noexcept {
  ap_log_rerror_(__FILE__, __LINE__, permguard_module.module_index, level, APR_SUCCESS, r, "%s",
                 text);
}

void write(int level, const server_rec* server, const char* text) noexcept {
  ap_log_error_(__FILE__, __LINE__, permguard_module.module_index, level, APR_SUCCESS, server, "%s",
                text);
}

/// Whether `LogLevel permguard:…` says less than notice.
bool notices_are_unwanted(const ap_logconf* log) noexcept {
  if (!log->module_levels) return false;
  const signed char level = log->module_levels[permguard_module.module_index];  // -1: not set
  return level >= 0 && level < APLOG_NOTICE;
}

const ap_logconf* log_of(const request_rec* r) noexcept {
  if (r->log) return r->log;
  return r->connection->log ? r->connection->log : &r->server->log;
}

}  // namespace

void log_finding(const request_rec* r, const std::string& sentence) {
  write(APLOG_ERR, r, sentence.c_str());
}

void log_warning(const request_rec* r, const std::string& sentence) {
  write(APLOG_WARNING, r, sentence.c_str());
}

void log_notice(const request_rec* r, const std::string& sentence) {
  if (!notices_are_unwanted(log_of(r))) write(APLOG_NOTICE, r, sentence.c_str());
}

void log_found(const server_rec* server, Severity severity, const std::string& sentence) {
  write(severity == Severity::error ? APLOG_ERR : APLOG_WARNING, server, sentence.c_str());
}

void log_notice(const server_rec* server, const std::string& sentence) {
  if (!notices_are_unwanted(&server->log)) write(APLOG_NOTICE, server, sentence.c_str());
}

void log_info(const request_rec* r, const char* text) {
  write(APLOG_INFO, r, text);
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
