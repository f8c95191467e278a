// SPDX-License-Identifier: Apache-2.0
//
// Real PHP-FPM behind mod_proxy_fcgi, in the ways people configure it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "support/httpd_server.h"
#include "support/php_fpm.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kScript =
    "<?php header('Content-Type: text/plain'); http_response_code((int)($_GET['s'] ?? 200));"
    "echo 'path info ', $_SERVER['PATH_INFO'] ?? 'none', \"\\n\";";

/// By file name, by URL with and without a pattern, and over TCP.
constexpr const char* kConfig = R"(
PermGuardFpmPools @ROOT@/pools/*.conf
<FilesMatch "\.php$">
  SetHandler "proxy:unix:@ROOT@/run/fpm.sock|fcgi://localhost/"
</FilesMatch>
<Directory "@ROOT@/htdocs">
  AllowOverride None
</Directory>
ProxyPassMatch "^/match/(.*\.php(/.*)?)$" "unix:@ROOT@/run/fpm.sock|fcgi://matched/@ROOT@/htdocs/$1"
ProxyPass "/pass/" "unix:@ROOT@/run/fpm.sock|fcgi://passed@ROOT@/htdocs/"
)";

HttpdOptions options_for(Mpm mpm, bool permguard = true) {
  HttpdOptions options;
  options.mpm = mpm;
  options.permguard = permguard;
  options.modules = {"proxy", "proxy_fcgi"};
  return options;
}

/// Listens on a unix socket that everybody may connect to, and accepts nothing.
class UnixListener {
 public:
  explicit UnixListener(const std::string& path)
      : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::chmod(path.c_str(), 0666), 0);
    EXPECT_EQ(::listen(descriptor_, 8), 0);
  }
  ~UnixListener() { ::close(descriptor_); }
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  /// Whether somebody has connected.
  bool was_called() const { return ::accept(descriptor_, nullptr, nullptr) >= 0; }

 private:
  int descriptor_;
};

/// A server with its pool `nobody` on run/fpm.sock, which a test may leave unstarted.
class Fpm : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: FPM changes its user";
    if (!PhpFpm::installed()) GTEST_SKIP() << "php-fpm is not installed";
    server_.emplace(options_for(GetParam()));
    tree().mkdir("run");
    tree().mkdir("pools");
    pool_.listen = tree().path("run/fpm.sock");
    tree().write("htdocs/a.php", kScript);
    write_pool(tree(), "pools/www.conf", pool_);
  }

  TempTree& tree() { return server_->tree(); }
  ErrorLog& log() { return server_->log(); }

  void start_fpm() {
    fpm_.emplace(tree(), write_pool(tree(), "pools/www.conf", pool_), pool_.listen);
  }
  void start(const std::string& mode, const std::string& config = kConfig) {
    server_->configure("PermGuard " + mode + "\n" + config);
    server_->start();
  }
  /// What stock httpd and FPM themselves say of a failure.
  void allow_stock_lines() {
    for (const char* line : {"AH01071", "AH02454", "AH01079", "AH00957"}) log().allow(line);
  }
  /// A request is settled after its answer is on the way.
  void wait_for_reported(int count) {
    const std::string line = "permguard_checks_total{handler=\"proxy\",result=\"reported\"} " +
                             std::to_string(count) + "\n";
    EXPECT_TRUE(poll_until([&] { return metrics().find(line) != std::string::npos; })) << metrics();
  }
  std::string metrics() { return server_->get("/permguard-status?openmetrics").body; }

  FpmPoolOptions pool_;
  std::optional<HttpdServer> server_;
  std::optional<PhpFpm> fpm_;
};
INSTANTIATE_TEST_SUITE_P(Mpm, Fpm, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

/// Files that include themselves, each other and a FIFO, directly and by a pattern: 40 of them
/// would be read 40^4 times.
TEST_P(Fpm, PoolFilesThatIncludeThemselvesAreReadOnce) {
  const std::string pool = "\n[%]\nuser = nobody\nlisten = " + tree().path("run/%.sock") +
                           "\ninclude = " + tree().path("pools/*.conf") + "\n";
  for (int i = 0; i < 40; ++i) {
    std::string text = pool;
    for (std::size_t at = 0; (at = text.find('%', at)) != std::string::npos;) {
      text.replace(at, 1, "p" + std::to_string(i));
    }
    tree().write("pools/p" + std::to_string(i) + ".conf", text);
  }
  ASSERT_EQ(::mkfifo(tree().path("pools/fifo.conf").c_str(), 0644), 0);
  log().allow("cannot read the pool file");
  const auto began = std::chrono::steady_clock::now();
  start("enforce");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_LE(log().count("cannot read the pool file"), 2U) << "once a start";
  tree().write("htdocs/secret.php", kScript, 0600);
  start_fpm();
  server_->get("/secret.php");
  log().expect("read-denied (modelled): nobody cannot read");
  allow_stock_lines();
}

TEST_P(Fpm, WhatWorksIsServedAsByStockHttpd) {
  tree().write("htdocs/own.php", kScript, 0600);
  tree().chown("htdocs/own.php", "nobody");
  tree().write("htdocs/sub/b c.php", kScript);
  start_fpm();
  start("enforce strict\nPermGuardRunAs auto");
  HttpdServer stock(options_for(GetParam(), false));
  std::string config = kConfig;
  config.erase(0, config.find("<FilesMatch"));
  for (std::size_t at = 0; (at = config.find("@ROOT@", at)) != std::string::npos;) {
    config.replace(at, 6, tree().root());
  }
  stock.configure(config + "DocumentRoot \"" + tree().path("htdocs") + "\"\n");
  stock.start();
  for (const char* path : {"/a.php", "/a.php/x/y", "/own.php", "/sub/b%20c.php", "/a.php?s=404",
                           "/match/a.php", "/match/a.php/x/y", "/match/own.php", "/pass/a.php",
                           "/pass/own.php?q=1", "/pass/a.php/x", "/a.php?s=302"}) {
    for (const char* method : {"GET", "HEAD", "POST"}) {
      const HttpResponse expected = stock.request(method, path);
      const HttpResponse response = server_->request(method, path);
      EXPECT_EQ(response.status, expected.status) << method << ' ' << path;
      EXPECT_EQ(response.body, expected.body) << method << ' ' << path;
      EXPECT_EQ(response.header("Content-Type"), expected.header("Content-Type"));
    }
  }
  EXPECT_THAT(metrics(),
              HasSubstr("permguard_checks_total{handler=\"proxy\",result=\"healthy\"} 36"));
  EXPECT_EQ(log().count("permguard:"), 0u);
}

TEST_P(Fpm, AnUnreadableScriptIsExplainedAfterTheBackendRefused) {
  tree().write("htdocs/secret.php", kScript, 0600);
  start_fpm();
  start("enforce");
  allow_stock_lines();
  EXPECT_EQ(server_->get("/secret.php").status, 403);
  const std::string line = log().expect("read-denied (modelled): nobody cannot read '" +
                                        tree().path("htdocs/secret.php") + "'");
  EXPECT_THAT(line, HasSubstr("mode 0600 (-rw-------) root:root"));
  EXPECT_THAT(line, HasSubstr("fix: setfacl -m u:nobody:r "));
  EXPECT_EQ(server_->get("/match/secret.php/x").status, 403);
  wait_for_reported(2);
  tree().chmod("htdocs/secret.php", 0644);
  EXPECT_EQ(server_->get("/secret.php").status, 200);
  log().expect("recovered: read-denied");
}

TEST_P(Fpm, StrictAnswersAsTheBackendWould) {
  tree().write("htdocs/secret.php", kScript, 0600);
  tree().write("htdocs/locked/a.php", kScript);
  start_fpm();
  start("enforce strict");
  EXPECT_EQ(server_->get("/match/secret.php").status, 403);
  log().expect("read-denied (modelled): nobody cannot read");
  tree().chown("htdocs/locked", "www-data");
  tree().chmod("htdocs/locked", 0700);
  EXPECT_EQ(server_->get("/match/locked/a.php/info").status, 404);
  log().expect("search-denied (modelled): nobody cannot read '" +
               tree().path("htdocs/locked/a.php") + "': directory '" +
               tree().path("htdocs/locked") + "' mode 0700");
  EXPECT_EQ(log().count("AH01071"), 0u);
}

TEST_P(Fpm, ASocketThatMayNotBeConnectedIsAnsweredWith503) {
  pool_.mode = "0600";
  start_fpm();
  start("enforce");
  EXPECT_EQ(server_->get("/a.php").status, 503);
  log().expect("socket-connect-denied: www-data cannot connect '" + pool_.listen +
               "': mode 0600 (srw-------) root:root");
  EXPECT_EQ(server_->get("/pass/a.php").status, 503);
  EXPECT_EQ(log().count("AH02454"), 0u);
  tree().chmod("run/fpm.sock", 0666);
  EXPECT_EQ(server_->get("/a.php").status, 200);
  log().expect("recovered: socket-connect-denied");
  tree().chmod("run", 0700);
  EXPECT_EQ(server_->get("/match/a.php").status, 503);
  log().expect("socket-search-denied: www-data cannot connect '" + pool_.listen + "': directory '" +
               tree().path("run") + "' mode 0700");
}

TEST_P(Fpm, AMissingSocketAndAStaleOneAreExplainedNeverAnswered) {
  start("enforce strict");
  allow_stock_lines();
  EXPECT_EQ(server_->get("/a.php").status, 503);
  log().expect("socket-not-found: www-data cannot connect '" + pool_.listen + "'");
  { const UnixListener ended(pool_.listen); }
  EXPECT_EQ(server_->get("/match/a.php").status, 503);
  log().expect("socket-connect-refused: www-data cannot connect '" + pool_.listen + "'");
  EXPECT_GE(log().count("AH02454"), 2u);  // stock httpd tried both times
  tree().remove("run/fpm.sock");
  start_fpm();
  EXPECT_EQ(server_->get("/a.php").status, 200);
  log().expect("recovered: socket-connect-refused");
}

TEST_P(Fpm, NothingButASocketIsConnected) {
  tree().write("run/fpm.sock", "");
  start("enforce");
  EXPECT_EQ(server_->get("/a.php").status, 503);
  log().expect("socket-not-a-socket: www-data cannot connect");
}

TEST_P(Fpm, NobodyOnAPortIsExplained) {
  const std::string port = std::to_string(free_port());
  pool_.listen = "127.0.0.1:" + port;
  write_pool(tree(), "pools/www.conf", pool_);
  start("enforce strict", "ProxyPass \"/tcp/\" \"fcgi://127.0.0.1:" + port +
                              "@ROOT@/htdocs/\" retry=0\n"
                              "PermGuardFpmPools @ROOT@/pools/*.conf\n");
  allow_stock_lines();
  EXPECT_EQ(server_->get("/tcp/a.php").status, 503);
  log().expect("socket-connect-refused: www-data cannot connect '127.0.0.1:" + port + "'");
  start_fpm();
  tree().write("htdocs/secret.php", kScript, 0600);
  EXPECT_EQ(server_->get("/tcp/a.php/info").body, "path info /info\n");
  log().expect("recovered: socket-connect-refused");
  EXPECT_EQ(server_->get("/tcp/secret.php").status, 403);
  log().expect("read-denied (modelled): nobody cannot read");
  EXPECT_GE(log().count("AH01071"), 1u);  // not answered: who knows what files are there
}

TEST_P(Fpm, APoolsChrootIsWhereItsPathsBegin) {
  pool_.chroot = tree().mkdir("jail");
  tree().write("jail/site/a.php", kScript);
  tree().write("jail/site/secret.php", kScript, 0600);
  tree().symlink("/site", "jail/link");  // means nothing outside
  start_fpm();
  start("enforce strict",
        "PermGuardFpmPools pools/www.conf\n"
        "ProxyPassMatch \"^/(.*\\.php(/.*)?)$\" "
        "\"unix:@ROOT@/run/fpm.sock|fcgi://localhost/link/$1\"\n");
  EXPECT_EQ(server_->get("/a.php/info").body, "path info /info\n");
  EXPECT_EQ(server_->get("/secret.php").status, 403);
  log().expect("read-denied (modelled): nobody cannot read '" +
               tree().path("jail/link/secret.php"));
  tree().chmod("jail/site/secret.php", 0644);
  EXPECT_EQ(server_->get("/secret.php").status, 200);
  log().expect("recovered: read-denied");
}

TEST_P(Fpm, AScriptThatIsRenamedOnTheWayIsNotGuessedAt) {
  pool_.chroot = tree().mkdir("jail");
  tree().write("jail/site/a.php", kScript);
  start_fpm();
  start("enforce strict",
        "PermGuardFpmPools pools/www.conf\n<FilesMatch \"\\.php$\">\n"
        "  SetHandler \"proxy:unix:@ROOT@/run/fpm.sock|fcgi://localhost\"\n"
        "  ProxyFCGISetEnvIf true SCRIPT_FILENAME /site/a.php\n</FilesMatch>\n");
  EXPECT_EQ(server_->get("/a.php").status, 200);
  EXPECT_EQ(server_->get("/a.php?s=500").status, 500);
  log().expect("exonerated: www-data can connect '" + pool_.listen + "'");
  tree().chmod("run/fpm.sock", 0600);
  EXPECT_EQ(server_->get("/a.php").status, 503);
  log().expect("socket-connect-denied: www-data");
}

TEST_P(Fpm, AnUnknownPoolUserIsSaidOnlyWhereItMatters) {
  tree().write("htdocs/secret.php", kScript, 0600);
  start_fpm();
  const std::string config = kConfig;
  start("enforce strict", config.substr(config.find("<FilesMatch")));
  allow_stock_lines();
  EXPECT_EQ(server_->get("/a.php?s=404").status, 404);
  EXPECT_EQ(server_->get("/none.php").status, 404);
  EXPECT_EQ(log().count("pool-user-unknown"), 0u);
  EXPECT_EQ(server_->get("/secret.php").status, 403);
  const std::string line =
      log().expect("pool-user-unknown: '" + tree().path("htdocs/secret.php") + "'");
  EXPECT_THAT(line, HasSubstr("permguard:warn"));
  EXPECT_THAT(line, HasSubstr("PermGuardRunAs"));
  server_->configure("PermGuard enforce\nPermGuardRunAs nobody\n" +
                     config.substr(config.find("<FilesMatch")));
  server_->graceful();
  EXPECT_EQ(server_->get("/secret.php").status, 403);
  log().expect("read-denied (modelled): nobody cannot read");
}

TEST_P(Fpm, ExplainModeSaysTheSameAfterwards) {
  tree().write("htdocs/secret.php", kScript, 0600);
  start_fpm();
  start("explain");
  allow_stock_lines();
  EXPECT_EQ(server_->get("/match/secret.php").status, 403);
  log().expect("read-denied (modelled): nobody cannot read '" + tree().path("htdocs/secret.php") +
               "'");
  tree().chmod("run/fpm.sock", 0600);
  EXPECT_EQ(server_->get("/a.php").status, 503);
  log().expect("socket-connect-denied: www-data cannot connect");
}

TEST_P(Fpm, AFailureOfTheScriptItselfIsExonerated) {
  start_fpm();
  start("report");
  EXPECT_EQ(server_->get("/a.php?s=500").status, 500);
  log().expect("exonerated: nobody can read '" + tree().path("htdocs/a.php") +
               "'; the request failed with status 500: answered by the script");
}

TEST_P(Fpm, AnotherProtocolsSocketIsExplainedForAConnectionMayBeKept) {
  server_.emplace([] {
    HttpdOptions options = options_for(GetParam());
    options.modules = {"proxy", "proxy_http"};
    return options;
  }());
  tree().mkdir("run", 0700);
  start("enforce", "ProxyPass \"/app\" \"unix:@ROOT@/run/app.sock|http://app\"\n");
  for (const char* line : {"AH02454", "AH01114"}) log().allow(line);
  EXPECT_EQ(server_->get("/app/x").status, 503);
  log().expect("socket-search-denied: www-data cannot connect '" + tree().path("run/app.sock"));
}

TEST_P(Fpm, AHandlerMayBeSwitchedOff) {
  pool_.mode = "0600";
  start_fpm();
  start("enforce", std::string("PermGuardHandler proxy:unix: off\n") + kConfig);
  allow_stock_lines();
  EXPECT_EQ(server_->get("/a.php").status, 503);
  EXPECT_GE(log().count("AH02454"), 1u);
  EXPECT_THAT(metrics(), Not(HasSubstr("handler=\"proxy\",result=\"blocked\"} 1")));
}

TEST_P(Fpm, WhatIsNotThereStaysTheBackends404) {
  start_fpm();
  start("enforce strict", std::string(kConfig) +
                              "ProxyPass \"/wrong/\" "
                              "\"unix:@ROOT@/run/fpm.sock|fcgi://wrong@ROOT@/none/\"\n");
  log().allow("AH01071");
  for (const char* path :
       {"/none.php", "/match/none.php", "/pass/", "/pass/none.php/x", "/pass/none/a.php"}) {
    EXPECT_EQ(server_->get(path).status, 404) << path;
  }
  EXPECT_EQ(log().count("permguard:"), 0u);
  EXPECT_EQ(server_->get("/wrong/a.php").status, 404);  // explained, never answered
  log().expect("not-found (modelled): nobody cannot read '" + tree().path("none/a.php") + "': '" +
               tree().path("none") + "' does not exist");
  EXPECT_EQ(log().count("permguard:"), 1u);
}

TEST_P(Fpm, NoConnectionIsMadeBeforeDispatch) {
  tree().write("htdocs/secret.php", kScript, 0600);
  const UnixListener backend(pool_.listen);
  start("enforce strict");
  for (const char* path : {"/secret.php", "/match/secret.php", "/pass/secret.php"}) {
    EXPECT_EQ(server_->get(path).status, 403) << path;
  }
  log().expect("read-denied (modelled): nobody cannot read");
  EXPECT_FALSE(backend.was_called());
}

TEST_P(Fpm, AWorkersSocketIsFoundByItsUrl) {
  pool_.mode = "0600";
  start_fpm();
  start(
      "enforce",
      "<Proxy \"unix:@ROOT@/run/fpm.sock|fcgi://php\">\n  ProxySet connectiontimeout=5\n</Proxy>\n"
      "<FilesMatch \"\\.php$\">\n  SetHandler proxy:fcgi://php\n</FilesMatch>\n");
  EXPECT_EQ(server_->get("/a.php").status, 503);
  log().expect("socket-connect-denied: www-data cannot connect '" + pool_.listen + "'");
  EXPECT_EQ(log().count("AH02454"), 0u);
}

TEST_P(Fpm, AKeptConnectionNeedsNoSocketAnyMore) {
  start_fpm();
  start("enforce strict",
        "PermGuardFpmPools pools/www.conf\n"
        "ProxyPass \"/pass/\" \"unix:@ROOT@/run/fpm.sock|fcgi://kept@ROOT@/htdocs/\" "
        "enablereuse=on\n");
  allow_stock_lines();
  EXPECT_EQ(server_->get("/pass/a.php").status, 200);
  tree().chmod("run/fpm.sock", 0600);
  log().allow("socket-connect-denied");
  // The child that holds the connection serves it, another one fails: neither is permguard's.
  for (int i = 0; i < 4; ++i) server_->get("/pass/a.php");
  EXPECT_THAT(metrics(), HasSubstr("{handler=\"proxy\",result=\"blocked\"} 0"));
}

TEST_P(Fpm, RulesForScriptsAreNotForSockets) {
  tree().mkdir("htdocs/sub");
  start_fpm();  // with a socket of mode 0666
  start("enforce",
        "PermGuardForbid world-writable\nPermGuardFpmPools pools/www.conf\n"
        "<Location \"/\">\n  SetHandler \"proxy:unix:@ROOT@/run/fpm.sock|fcgi://localhost\"\n"
        "</Location>\n<Directory \"@ROOT@/htdocs\">\n  PermGuardExpect mode=0644\n</Directory>\n");
  log().allow("AH01071");
  EXPECT_LT(server_->get("/sub/").status, 500);  // a directory: only the socket is judged
  EXPECT_EQ(server_->get("/a.php").status, 200);
  EXPECT_EQ(log().count("permguard:"), 0u);
  tree().chmod("htdocs/a.php", 0666);
  EXPECT_EQ(server_->get("/a.php").status, 500);
  log().expect("world-writable: ");
}

TEST_P(Fpm, APoolIsKnownByAnotherNameOfItsSocket) {
  tree().write("htdocs/secret.php", kScript, 0600);
  tree().symlink("fpm.sock", "run/php.sock");  // as Debian's alternatives do
  start_fpm();
  start("enforce strict",
        "PermGuardFpmPools pools/www.conf\n<FilesMatch \"\\.php$\">\n"
        "  SetHandler \"proxy:unix:@ROOT@/run/php.sock|fcgi://localhost\"\n</FilesMatch>\n");
  EXPECT_EQ(server_->get("/a.php").status, 200);
  EXPECT_EQ(server_->get("/secret.php").status, 403);
  log().expect("read-denied (modelled): nobody cannot read");
}

TEST_P(Fpm, ASocketsPathMayBeTooLong) {
  const std::string name = "run/" + std::string(100, 's');
  start("enforce", "<Location \"/\">\n  SetHandler \"proxy:unix:@ROOT@/" + name +
                       "|fcgi://localhost/\"\n</Location>\n");
  EXPECT_EQ(server_->get("/a.php").status, 503);
  log().expect("socket-name-too-long: www-data cannot connect '" + tree().path(name) + "'");
}

TEST_P(Fpm, AMainFileLeadsToItsPoolsAndANumberIsAnId) {
  tree().write("htdocs/secret.php", kScript, 0600);
  tree().write("fpm/main.conf",
               "[global]\nlog_level = notice\ninclude = " + tree().path("included/*.conf") + "\n");
  tree().write("included/www.conf",
               "[www]\nuser = 65534\ngroup = 65534\nlisten = " + pool_.listen + "\n");
  start_fpm();
  const std::string config = kConfig;
  start("enforce strict",
        "PermGuardFpmPools fpm/main.conf\n" + config.substr(config.find("<FilesMatch")));
  EXPECT_EQ(server_->get("/secret.php").status, 403);
  log().expect("read-denied (modelled): nobody cannot read");
}

TEST_P(Fpm, PoolFilesThatCannotServeAreNamedAtStart) {
  tree().write("pools/bad.conf", "[bad]\nuser = no-such-user\nlisten = /run/bad.sock\n");
  start("enforce", "PermGuardFpmPools @ROOT@/none-*.conf @ROOT@/pools/bad.conf\n");
  log().expect("PermGuardFpmPools: no file can be read that fits '" + tree().path("none-*.conf"));
  log().expect("PermGuardFpmPools: unknown user 'no-such-user' of the pool 'bad' in '" +
               tree().path("pools/bad.conf"));
}

}  // namespace
}  // namespace permguard::test
