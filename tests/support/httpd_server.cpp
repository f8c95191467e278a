// SPDX-License-Identifier: Apache-2.0
#include "support/httpd_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/places.h"

namespace permguard::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModules = "/usr/lib/apache2/modules/mod_";
constexpr std::string_view kServing = "resuming normal operations";

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string load_line(const std::string& module) {
  const auto equals = module.find('=');
  const std::string name = module.substr(0, equals);
  const std::string file = equals == std::string::npos ? std::string(kModules) + name + ".so"
                                                       : module.substr(equals + 1);
  return "LoadModule " + name + "_module \"" + file + "\"\n";
}

/// The path of the library `name` that this program has loaded; empty where it has none.
[[maybe_unused]] std::string loaded_library(std::string_view name) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto slash = line.find('/');
    if (slash != std::string::npos && line.find(name) != std::string::npos) {
      return line.substr(slash);
    }
  }
  return "";
}

/// What a sanitized test program needs so that the unsanitized apache2 can load the sanitized
/// module: the same runtime first, and for AddressSanitizer after it the C++ library, whose
/// __cxa_throw it looks for when it starts. Empty for an ordinary build.
std::string sanitizer_runtime() {
#if defined(__SANITIZE_ADDRESS__)
  return loaded_library("libasan.so") + ':' + loaded_library("libstdc++.so");
#elif defined(__SANITIZE_THREAD__)
  return loaded_library("libtsan.so");
#else
  return "";
#endif
}

std::string mpm_config(Mpm mpm) {
  const std::string common = load_line("mpm_" + name_of(mpm)) + "MaxConnectionsPerChild 0\n";
  if (mpm == Mpm::prefork) {
    return common +
           "StartServers 2\nMinSpareServers 1\nMaxSpareServers 3\nServerLimit 8\n"
           "MaxRequestWorkers 8\n";
  }
  return common +
         "StartServers 1\nServerLimit 4\nThreadsPerChild 8\nMinSpareThreads 4\n"
         "MaxSpareThreads 16\nMaxRequestWorkers 16\n";
}

constexpr std::string_view kBaseConfig = R"(
ServerRoot "@ROOT@"
DefaultRuntimeDir "rt"
PidFile "rt/httpd.pid"
ServerName 127.0.0.1
Listen 127.0.0.1:@PORT@
ErrorLog "logs/error.log"
LogLevel notice
Timeout 20
KeepAliveTimeout 1
GracefulShutdownTimeout 5
DocumentRoot "@ROOT@/htdocs"
ScriptAlias /cgi-bin/ "@ROOT@/cgi-bin/"
<Directory "/">
  AllowOverride None
  Require all granted
</Directory>
)";

// A test of the watch sets an interval of its own; in the others the watch would add its lines.
constexpr std::string_view kStatusConfig = R"(
PermGuardWatchInterval 0
<Location "/permguard-status">
  SetHandler permguard-status
</Location>
)";

/// Whether a connection to `port` of this machine is still open on the server's side: proc(5),
/// /proc/net/tcp.
bool has_connections(int port) {
  constexpr std::string_view kTimeWait = "06";
  constexpr std::string_view kListen = "0A";
  std::array<char, 8> suffix{};
  std::snprintf(suffix.data(), suffix.size(), ":%04X", static_cast<unsigned>(port));
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state;
    fields >> number >> local >> remote >> state;
    if (local.ends_with(suffix.data()) && state != kTimeWait && state != kListen) return true;
  }
  return false;
}

}  // namespace

int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      ::bind(descriptor, plain, size) == 0 && ::getsockname(descriptor, plain, &size) == 0;
  ::close(descriptor);
  if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

std::string name_of(Mpm mpm) {
  switch (mpm) {
    case Mpm::event:
      return "event";
    case Mpm::prefork:
      return "prefork";
    case Mpm::worker:
      return "worker";
  }
  return "";
}

std::string cgi_script(std::string_view body, std::string_view interpreter) {
  return "#!" + std::string(interpreter) +
         "\nprintf 'Content-Type: text/plain\\n\\n'\ncat <<'END'\n" + std::string(body) + "\nEND\n";
}

HttpdServer::HttpdServer(HttpdOptions options)
    : options_(std::move(options)), log_(tree_.path("logs/error.log")), port_(free_port()) {
  tree_.write("htdocs/index.html", "<p>It works.</p>\n");
  for (const char* directory : {"cgi-bin", "rt"}) tree_.mkdir(directory);
  // Children write the sanitizers' reports there, after they have become www-data.
  tree_.mkdir("logs", 0777);
  // The event MPM, stopped or restarted while it closes or keeps a connection: stock httpd without
  // the module says each of them in 1 to 40 of 300 stops under load.
  log_.allow("AH00468");
  log_.allow("AH03092");
  log_.allow("AH03093");
}

HttpdServer::~HttpdServer() {
  stop();
  const std::string problems = log_.problems() + sanitizer_reports();
  if (!problems.empty()) ADD_FAILURE() << "unexpected in the error log:\n" << problems;
}

std::string HttpdServer::config_text() const {
  std::string text = mpm_config(options_.mpm);
  if (options_.cgi) text += load_line(options_.mpm == Mpm::prefork ? "cgi" : "cgid");
  for (const char* module :
       {"authz_core", "authz_host", "alias", "env", "setenvif", "dir", "mime"}) {
    text += load_line(module);
  }
  text += "TypesConfig /etc/mime.types\n";
  for (const std::string& module : options_.modules) text += load_line(module);
  if (options_.permguard) text += load_line("permguard=" PERMGUARD_BUILD "/mod_permguard.so");
  if (::geteuid() == 0) text += "User " + options_.user + "\nGroup " + options_.user + "\n";
  text += kBaseConfig;
  if (options_.permguard) text += kStatusConfig;
  text += options_.config + "\n";
  return replace_all(replace_all(text, "@ROOT@", tree_.root()), "@PORT@", std::to_string(port_));
}

void HttpdServer::write_config() {
  tree_.write("httpd.conf", config_text());
}

std::vector<std::string> HttpdServer::command(const std::vector<std::string>& arguments) const {
  std::vector<std::string> words = options_.launcher;
  words.insert(words.end(), {"/usr/sbin/apache2", "-f", tree_.path("httpd.conf")});
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

ProcessOptions HttpdServer::process_options() const {
  ProcessOptions process;
  process.environment = options_.environment;
  const std::string runtime = sanitizer_runtime();
  if (runtime.empty()) return process;
  const std::string logs = tree_.path("logs");
  process.environment.insert(
      process.environment.end(),
      {{"LD_PRELOAD", runtime},
       // Leaks are the unit tests' matter: LeakSanitizer does not look for pointers in APR's mapped
       // memory, so all that the configuration's pool holds is lost to it when a child ends.
       {"ASAN_OPTIONS", "log_path=" + logs + "/asan,detect_leaks=0,abort_on_error=1"},
       // httpd frees memory in its signal handlers and does not join the threads of a child that
       // ends; its own code is not instrumented.
       {"TSAN_OPTIONS", "log_path=" + logs +
                            "/tsan,exitcode=0,report_signal_unsafe=0,report_thread_leaks=0,"
                            "suppressions='" PERMGUARD_SOURCE "/tests/support/tsan.supp'"},
       {"UBSAN_OPTIONS", "print_stacktrace=1"}});
  return process;
}

bool HttpdServer::try_start() {
  write_config();
  const std::size_t served = log_.count(kServing);
  ProcessOptions process = process_options();
  process.output = tree_.path("logs/output");
  child_ = std::make_unique<Child>(command({"-DFOREGROUND"}), process);
  poll_until([&] { return !running() || log_.count(kServing) > served; }, std::chrono::seconds(30));
  return running() && poll_until([this] { return get("/").status != 0; });
}

void HttpdServer::start() {
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (try_start()) return;
    child_.reset();
    const std::string output = tree_.read("logs/output");
    if (output.find("AH00072") == std::string::npos) {  // not: could not bind to address
      std::string text = "httpd does not start:\n" + output;
      for (const std::string& line : log_.lines()) text += line + '\n';
      throw std::runtime_error(text);
    }
    tree_.remove("logs/output");
    port_ = free_port();
  }
  throw std::runtime_error("no free port for httpd");
}

void HttpdServer::stop() {
  if (!child_) return;
  // At SIGTERM the event MPM closes its workers' sockets, of which one may have been freed with its
  // connection a moment ago (server/mpm/event/event.c: worker_thread() forgets worker_sockets[]
  // only after process_socket()). Stock httpd without the module crashed so in 2 of 300 stops with
  // eight clients.
  poll_until([this] { return !has_connections(port_); }, std::chrono::seconds(3));
  const ProcessResult end = child_->stop();
  child_.reset();
  EXPECT_FALSE(end.timed_out) << "httpd did not stop";
  EXPECT_EQ(end.exit_code, 0) << "httpd ended with signal " << end.signal << "\n"
                              << tree_.read("logs/output");
}

void HttpdServer::graceful() {
  renew(SIGUSR1);
}
void HttpdServer::restart() {
  renew(SIGHUP);
}

void HttpdServer::renew(int signal) {
  write_config();
  const std::vector<pid_t> old = children();
  const std::size_t served = log_.count(kServing);
  child_->signal(signal);
  const bool renewed =
      poll_until([&] { return !running() || log_.count(kServing) > served; }) && running();
  if (!renewed) throw std::runtime_error("httpd did not restart:\n" + log_.problems());
  // A child that still serves a long request may stay; the others must not answer for the old
  // generation any more.
  poll_until(
      [&] {
        const std::vector<pid_t> now = children();
        return std::ranges::none_of(old,
                                    [&](pid_t pid) { return std::ranges::count(now, pid) != 0; });
      },
      std::chrono::seconds(3));
  poll_until([this] { return get("/").status != 0; });
}

ProcessResult HttpdServer::config_test(const std::vector<std::string>& arguments) {
  write_config();
  return run(command(arguments), process_options());
}

std::vector<pid_t> HttpdServer::children() const {
  std::vector<pid_t> pids;
  const std::string task = std::to_string(pid());
  std::ifstream file("/proc/" + task + "/task/" + task + "/children");
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

std::string HttpdServer::sanitizer_reports() const {
  std::string reports;
  for (const auto& entry : fs::directory_iterator(tree_.path("logs"))) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("asan.") || name.starts_with("tsan."))
      reports += tree_.read("logs/" + name);
  }
  return reports;
}

std::string HttpdServer::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

HttpResponse HttpdServer::get(std::string_view path) const {
  return request("GET", path);
}

HttpResponse HttpdServer::request(std::string method, std::string_view path,
                                  std::vector<std::string> headers) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = url(path);
  request.headers = std::move(headers);
  return send(request);
}

}  // namespace permguard::test
