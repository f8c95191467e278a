// SPDX-License-Identifier: Apache-2.0
#include "httpd/event_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "httpd/config.h"
#include "httpd/examination.h"
#include "httpd/journal.h"
#include "httpd/shared_memory.h"

namespace permguard {
namespace {

// So often at most the error log says that events are dropped; the counter has them all.
constexpr std::int64_t kDropInterval = 3600;

// httpd ends its log programs by SIGTERM when it restarts, and sends its whole group SIGHUP, while
// children of the old generation still write and lines wait in the pipe. A program that ignores
// both reads to the end of its input, which comes with the last writer (server/log.c,
// piped_log_cleanup(); server/mpm/event/event.c). Ignored signals stay ignored after exec.
// A shell's command is split into words and joined again, which takes off one pair of quotes.
constexpr char kIgnoreSignals[] = "trap \"''\" HUP TERM USR1; ";
constexpr char kRunIgnoring[] = "/bin/sh -c \"trap '' HUP TERM USR1; exec \\\"$0\\\" \\\"$@\\\"\" ";

constinit int descriptor = -1;
constinit bool regular_file = false;
constinit std::int64_t opened_at = 0;  ///< seconds

struct Opened {
  apr_file_t* file = nullptr;
  apr_status_t status = APR_SUCCESS;
};

/// A pool's cleanup.
apr_status_t close_descriptor(void* data) noexcept {
  close(static_cast<int>(reinterpret_cast<std::intptr_t>(data)));
  return APR_SUCCESS;
}

/// httpd leaves the ends of a log's pipe open in programs that it starts; in its children it closes
/// the reading one (server/log.c, ap_log_child_init()).
void close_in_programs(apr_file_t* file) noexcept {
  apr_os_file_t number = -1;
  if (apr_os_file_get(&number, file) == APR_SUCCESS) fcntl(number, F_SETFD, FD_CLOEXEC);
}

bool goes_through_shell(const char* program) noexcept {
  return program[0] == '$';
}

/// As for ErrorLog and CustomLog: "|$" goes through a shell, "|" and "||" do not.
const char* command_of(const char* program) noexcept {
  return goes_through_shell(program) || program[0] == '|' ? program + 1 : program;
}

/// Whether the program could be started; a shell finds its own words for its command.
apr_status_t program_status(apr_pool_t* pool, const char* program) {
  if (goes_through_shell(program)) return APR_SUCCESS;
  char** words = nullptr;
  if (const auto status = apr_tokenize_to_argv(command_of(program), &words, pool)) return status;
  if (!words[0]) return ENOENT;
  return access(words[0], X_OK) == 0 ? APR_SUCCESS : APR_FROM_OS_ERROR(errno);
}

Opened open_program(apr_pool_t* pconf, const char* program) {
  if (const auto status = program_status(pconf, program)) return {nullptr, status};
  const bool shell = goes_through_shell(program);
  const char* command =
      apr_pstrcat(pconf, shell ? kIgnoreSignals : kRunIgnoring, command_of(program), nullptr);
  piped_log* log = ap_open_piped_log_ex(pconf, command, shell ? APR_SHELLCMD_ENV : APR_PROGRAM_ENV);
  if (!log) return {nullptr, APR_FROM_OS_ERROR(errno)};
  close_in_programs(ap_piped_log_read_fd(log));
  close_in_programs(ap_piped_log_write_fd(log));
  return {ap_piped_log_write_fd(log), APR_SUCCESS};
}

/// Whether `path` is a link of somebody who could not open the log himself.
bool is_link_of_others(const char* path) noexcept {
  struct stat status {};
  return lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && status.st_uid != 0;
}

/// For writing only: children have the descriptor, and the log tells of every tenant.
Opened open_file(apr_pool_t* pool, const char* path) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  constexpr mode_t kMode = S_IRUSR | S_IWUSR | S_IRGRP;
  if (is_link_of_others(path)) return {nullptr, APR_FROM_OS_ERROR(ELOOP)};
  int file = open(path, kFlags | O_NOFOLLOW, kMode);
  if (file < 0 && errno == ELOOP) file = open(path, kFlags, kMode);  // root's link
  if (file < 0) return {nullptr, APR_FROM_OS_ERROR(errno)};
  Opened opened;
  opened.status = apr_os_file_put(&opened.file, &file, APR_FOPEN_WRITE | APR_FOPEN_APPEND, pool);
  apr_pool_cleanup_register(pool, reinterpret_cast<void*>(static_cast<std::intptr_t>(file)),
                            close_descriptor, apr_pool_cleanup_null);
  return opened;
}

bool refuse(const server_rec* server, const char* target, apr_status_t status) {
  const std::string text = std::string("PermGuardEventLog: '") + target + "' cannot be opened";
  log_startup_error(server, status, text.c_str());
  return false;
}

bool is_regular(int file) noexcept {
  struct stat status {};
  return fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

/// A full disk may take the beginning of a line, `written` bytes of it. The descriptor cannot read,
/// so what stands at the end of the file is known by trying: while nothing more can be appended
/// nobody else can have appended anything. Whether the line is whole after all.
bool finish_or_take_back(const std::string& line, std::size_t written) noexcept {
  const std::size_t rest = line.size() - written;
  const ssize_t more = write(descriptor, line.data() + written, rest);
  if (more == static_cast<ssize_t>(rest)) return true;
  if (more > 0) written += static_cast<std::size_t>(more);
  struct stat status {};
  const bool known = fstat(descriptor, &status) == 0;
  const off_t begin = status.st_size - static_cast<off_t>(written);
  if (!known || begin < 0 || ftruncate(descriptor, begin) != 0) {
    log_startup_warning(ap_server_conf, errno, "PermGuardEventLog: half a line stays in the file");
  }
  return false;
}

void drop(int error) noexcept {
  shared_state().count_event_dropped();
  if (!shared_state().drop_is_due(now_seconds(), kDropInterval, opened_at)) return;
  log_startup_warning(ap_server_conf, error,
                      "PermGuardEventLog: events are dropped; permguard_events_dropped_total "
                      "counts them, and this is not said again for an hour");
}

}  // namespace

bool event_log_can_be_opened(apr_pool_t* ptemp, const server_rec* main_server) {
  const char* target = server_config(main_server).event_log;
  if (!target) return true;
  if (target[0] == '|') {
    const apr_status_t status = program_status(ptemp, target + 1);
    return status == APR_SUCCESS || refuse(main_server, target, status);
  }
  const Opened opened = open_file(ptemp, target);
  if (!opened.file) return refuse(main_server, target, opened.status);
  if (apr_os_file_t file = -1; apr_os_file_get(&file, opened.file) == APR_SUCCESS) {
    apr_pool_cleanup_run(ptemp, reinterpret_cast<void*>(static_cast<std::intptr_t>(file)),
                         close_descriptor);
  }
  return true;
}

bool open_event_log(apr_pool_t* pconf, const server_rec* main_server) {
  const char* target = server_config(main_server).event_log;
  descriptor = -1;
  if (!target) return true;
  const Opened opened =
      target[0] == '|' ? open_program(pconf, target + 1) : open_file(pconf, target);
  if (!opened.file || apr_os_file_get(&descriptor, opened.file) != APR_SUCCESS) {
    return refuse(main_server, target, opened.status);
  }
  regular_file = is_regular(descriptor);
  opened_at = now_seconds();
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
  const bool partly = written > 0 && regular_file;
  if (partly && finish_or_take_back(line, static_cast<std::size_t>(written))) return;
  drop(error);
}

void write_events(EventAction whole, std::span<const Finding> findings, const Identity& who,
                  std::span<const SharedState::Recorded> recorded, EventContext context) {
  using Due = SharedState::Due;
  const Due line = recorded.front().due;
  for (std::size_t at = 0; at < findings.size(); ++at) {
    const bool repeats = at == 0 && line == Due::repeat;
    if (line != Due::whole && !repeats && !recorded[at].opened) continue;
    context.incident = recorded[at].id;
    context.count = recorded[at].more;
    context.seconds = recorded[at].seconds;
    write_event(event_line(repeats ? EventAction::repeat : whole, findings[at], who, context));
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
