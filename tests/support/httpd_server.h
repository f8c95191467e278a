// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/error_log.h"
#include "support/http_client.h"
#include "support/process.h"
#include "support/temp_tree.h"

namespace permguard::test {

/// event and worker run CGI through mod_cgid, prefork through mod_cgi, as Debian does.
enum class Mpm { event, prefork, worker };
inline constexpr Mpm kBothMpms[] = {Mpm::event, Mpm::prefork};
/// "event", "prefork", "worker": for INSTANTIATE_TEST_SUITE_P.
std::string name_of(Mpm mpm);
/// How gtest shows it.
inline void PrintTo(Mpm mpm, std::ostream* out) {
  *out << name_of(mpm);
}

/// A port of 127.0.0.1 nobody listened on a moment ago; retry if somebody does now.
int free_port();

struct HttpdOptions {
  Mpm mpm = Mpm::event;
  bool permguard = true;  ///< load the module that was built
  bool cgi = true;        ///< load mod_cgid or mod_cgi
  std::vector<std::string>
      modules;  ///< further ones, "proxy_fcgi"; a path loads that file as NAME=PATH
  /// Appended to the configuration. `@ROOT@` and `@PORT@` stand for the tree and the port.
  std::string config;
  std::vector<std::string> arguments;  ///< further ones for apache2, "-D", "NAME"
  std::vector<std::string> launcher;   ///< put before the command: "setpriv", "--no-new-privs"
  std::string user = "www-data";       ///< ignored where the test is not root
  std::vector<std::pair<std::string, std::string>> environment;
};

/// A private httpd on 127.0.0.1 with its own tree: htdocs/, cgi-bin/ (ScriptAlias /cgi-bin/),
/// logs/, and /permguard-status where the module is loaded. At destruction the server is stopped
/// and the test fails on every line of its error log that is a warning or worse and was neither
/// expected nor allowed, on a crashed child, on a sanitizer's report, on a bad exit status.
class HttpdServer {
 public:
  explicit HttpdServer(HttpdOptions options = {});
  ~HttpdServer();
  HttpdServer(const HttpdServer&) = delete;
  HttpdServer& operator=(const HttpdServer&) = delete;

  /// Lay out files before start().
  TempTree& tree() { return tree_; }
  ErrorLog& log() { return log_; }
  /// Replaces options.config; counts at the next start or restart.
  void configure(std::string config) { options_.config = std::move(config); }

  /// Starts and waits until it answers. Throws, with the log, where it does not. May follow stop().
  void start();
  void stop();
  /// SIGUSR1 or SIGHUP with the configuration as it now is, until the new generation serves and
  /// the old one's idle children are gone.
  void graceful();
  void restart();

  /// `apache2 -t` with `arguments` on this configuration, from a server that need not run.
  ProcessResult config_test(const std::vector<std::string>& arguments = {"-t"});

  bool running() { return child_ && child_->running(); }
  pid_t pid() const { return child_ ? child_->pid() : -1; }
  /// The processes httpd has forked, mod_cgid's daemon included.
  std::vector<pid_t> children() const;
  int port() const { return port_; }
  std::string url(std::string_view path) const;
  HttpResponse get(std::string_view path) const;
  HttpResponse request(std::string method, std::string_view path,
                       std::vector<std::string> headers = {}) const;

 private:
  std::string config_text() const;
  void write_config();
  bool try_start();
  std::vector<std::string> command(const std::vector<std::string>& arguments) const;
  ProcessOptions process_options() const;
  void renew(int signal);
  std::string sanitizer_reports() const;

  HttpdOptions options_;
  TempTree tree_;
  ErrorLog log_;
  int port_ = 0;
  std::unique_ptr<Child> child_;
};

/// A script for cgi-bin that answers 200 with `body`.
std::string cgi_script(std::string_view body, std::string_view interpreter = "/bin/sh");

}  // namespace permguard::test
