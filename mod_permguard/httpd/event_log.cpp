// SPDX-License-Identifier: Apache-2.0
#include "httpd/event_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "httpd/config.h"
#include "httpd/examination.h"
#include "httpd/journal.h"
#include "httpd/shared_memory.h"

namespace permguard {
namespace {

constinit int descriptor = -1;
constinit std::atomic<bool> drop_was_said{false};

apr_file_t* open_program(apr_pool_t* pconf, const char* program) {
  // As for ErrorLog and CustomLog: "|$" goes through a shell, "|" and "||" do not.
  const bool shell = program[0] == '$';
  const char* command = shell || program[0] == '|' ? program + 1 : program;
  piped_log* log = ap_open_piped_log_ex(pconf, command, shell ? APR_SHELLCMD_ENV : APR_PROGRAM_ENV);
  return log ? ap_piped_log_write_fd(log) : nullptr;
}

apr_file_t* open_file(apr_pool_t* pconf, const char* path) {
  apr_file_t* file = nullptr;
  const apr_status_t status = apr_file_open(&file, path, APR_WRITE | APR_APPEND | APR_CREATE,
                                            APR_UREAD | APR_UWRITE | APR_GREAD, pconf);
  return status == APR_SUCCESS ? file : nullptr;
}

}  // namespace

bool open_event_log(apr_pool_t* pconf, const server_rec* main_server) {
  const char* target = server_config(main_server).event_log;
  descriptor = -1;
  if (!target) return true;
  apr_file_t* file = target[0] == '|' ? open_program(pconf, target + 1) : open_file(pconf, target);
  if (!file || apr_os_file_get(&descriptor, file) != APR_SUCCESS) {
    const std::string text = std::string("PermGuardEventLog: '") + target + "' cannot be opened";
    log_startup_error(main_server, APR_FROM_OS_ERROR(errno), text.c_str());
    return false;
  }
  // The reading end of a pipe has flags of its own.
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  return true;
}

bool has_event_log() noexcept {
  return descriptor >= 0;
}

void write_event(const std::string& line) noexcept {
  ssize_t written = 0;
  do {
    written = write(descriptor, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) return;
  const int error = written < 0 ? errno : ENOSPC;
  shared_state().count_event_dropped();
  if (!drop_was_said.exchange(true)) {
    log_startup_warning(ap_server_conf, error,
                        "PermGuardEventLog: events are dropped; permguard_events_dropped_total "
                        "counts them");
  }
}

std::string recovered_event(const SharedState::Open& incident, const SharedState::Closed& closed,
                            EventContext context) {
  context.incident = incident.id;
  context.count = closed.requests;
  context.seconds = closed.after_seconds;
  return event_line(EventAction::recovered, incident.finding, incident.who, context);
}

EventContext event_context(const request_rec* r) {
  EventContext context;
  context.now = now_seconds();
  context.process = getpid();
  if (r) {
    context.url_path = r->uri ? r->uri : "";
    context.client_address = r->useragent_ip ? r->useragent_ip : "";
  }
  return context;
}

}  // namespace permguard
