// SPDX-License-Identifier: Apache-2.0
//
// Every way of mod_proxy to PHP-FPM, to a balancer's members, and to SCGI and uwsgi.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "integration/dispatcher_server.h"
#include "support/php_fpm.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view kScript =
    "<?php header('Content-Type: text/plain'); http_response_code((int)($_GET['s'] ?? 200));"
    "echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['PATH_INFO'] ?? 'none', ' ',"
    "file_get_contents('php://input');";

constexpr std::string_view kRoutes = R"(
<IfModule permguard_module>
  PermGuardFpmPools @ROOT@/pools/*.conf
</IfModule>
<Directory "@ROOT@/htdocs">
  Options +MultiViews +Includes
  MultiviewsMatch Any
  DirectoryIndex index.php
  AddType text/html .shtml
  AddOutputFilter INCLUDES .shtml
</Directory>
<FilesMatch "\.php$">
  SetHandler "proxy:unix:@ROOT@/run/fpm.sock|fcgi://localhost/"
</FilesMatch>
<Directory "@ROOT@/htdocs/chosen">
  <FilesMatch "\.php$">
    SetHandler "proxy:balancer://named"
  </FilesMatch>
</Directory>
<Proxy "balancer://named">
  BalancerMember "unix:@ROOT@/run/fpm.sock|fcgi://named"
</Proxy>
<Proxy "balancer://tcp">
  BalancerMember "fcgi://127.0.0.1:@FPM@"
</Proxy>
ProxyPassMatch "^/match/(.*\.php(/.*)?)$" "unix:@ROOT@/run/fpm.sock|fcgi://matched/@ROOT@/htdocs/$1"
ProxyPassMatch "^/shared/(.*\.php)$" "balancer://named/@ROOT@/htdocs/$1"
ProxyPassMatch "^/far/(.*\.php)$" "balancer://tcp/@ROOT@/htdocs/$1"
ProxyPass "/pass/" "unix:@ROOT@/run/fpm.sock|fcgi://passed@ROOT@/htdocs/"
ProxyPass "/tcp/" "fcgi://127.0.0.1:@FPM@@ROOT@/htdocs/"
RewriteEngine on
RewriteRule "^/rewritten/(.*\.php)$" "unix:@ROOT@/run/fpm.sock|fcgi://localhost@ROOT@/htdocs/$1" [P]
RewriteRule "^/pretty/(.*)$" "/a.php/$1" [PT]
ErrorDocument 404 /a.php
)";

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

/// A pool of Debian's user nobody on a socket and a port, and every route to it.
class FpmRoutes : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: FPM changes its user";
    if (!PhpFpm::installed()) GTEST_SKIP() << "php-fpm is not installed";
    replace_all(scene.config, "@FPM@", std::to_string(port));
    scene.lay_out = [this](TempTree& tree) { lay_out(tree); };
  }

  void lay_out(TempTree& tree) {
    tree.mkdir("run");
    for (const char* path :
         {"a.php", "own.php", "chosen/own.php", "dir/index.php", "sub/b c.php"}) {
      tree.write(std::string("htdocs/") + path, kScript, 0600);
      tree.chown(std::string("htdocs/") + path, "nobody");
    }
    tree.write("htdocs/secret.php", kScript, 0600);
    tree.write("htdocs/whole.shtml", "<!--#include virtual=\"/a.php\" -->");
    const FpmPoolOptions pool{.listen = tree.path("run/fpm.sock")};
    write_pool(tree, "pools/a.conf", pool);
    tree.write("pools/far.conf", "[far]\nuser = nobody\ngroup = nogroup\nlisten = " +
                                     std::to_string(port) + "\npm = static\npm.max_children = 2\n");
    // Of two servers the first one's FPM has the port.
    const char* started = fpms.empty() ? "pools/*.conf" : "pools/a.conf";
    fpms.push_back(std::make_unique<PhpFpm>(tree, tree.path(started), pool.listen, settings));
  }

  std::vector<std::string> settings;
  int port = free_port();
  std::vector<std::unique_ptr<PhpFpm>> fpms;
  Scene scene{.mpm = GetParam(),
              .modules = {"proxy", "proxy_fcgi", "proxy_balancer", "slotmem_shm",
                          "lbmethod_byrequests", "rewrite", "include", "negotiation"},
              .config = std::string(kRoutes),
              .allowed = {"AH01071", "AH02454", "AH01079", "AH00957", "AH00959", "AH0117"}};
};

INSTANTIATE_TEST_SUITE_P(Mpm, FpmRoutes, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(FpmRoutes, HealthyScriptsAnswerAsWithStockHttpd) {
  std::vector<Call> calls;
  for (const char* path :
       {"/a.php", "/a.php/x/y", "/own.php?q=1", "/sub/b%20c.php", "/match/own.php",
        "/match/a.php/x", "/pass/own.php", "/pass/a.php/x", "/tcp/own.php", "/tcp/a.php/x",
        "/chosen/own.php", "/shared/own.php", "/far/own.php", "/rewritten/own.php", "/pretty/x"}) {
    for (const char* method : {"GET", "HEAD", "DELETE", "FOO"}) calls.push_back({path, method});
    calls.push_back({path, "POST", {}, "sent=1"});
  }
  calls.insert(calls.end(), {{"/dir/"},
                             {"/own"},
                             {"/whole.shtml"},
                             {"/a.php?s=302"},
                             {"/a.php?s=404", "GET", {}, {}, 404},
                             {"/none.html", "GET", {}, {}, 404},
                             {"/none.php", "GET", {}, {}, 404},
                             {"/shared/none.php", "GET", {}, {}, 404}});
  expect_as_stock(scene, calls);
}

TEST_P(FpmRoutes, ABalancersMemberIsExplainedNeverAnswered) {
  DispatcherServer server(scene, "enforce strict");
  for (const char* path : {"/shared/secret.php", "/far/secret.php"}) {
    EXPECT_EQ(server.get(path).status, 403) << path;
    server.log().expect("read-denied (modelled): nobody cannot read '" +
                        server.tree().path("htdocs/secret.php"));
    EXPECT_EQ(server.log().count("AH01071"), path[1] == 's' ? 1U : 2U) << "FPM itself refused";
  }
  server.tree().chmod("run/fpm.sock", 0600);
  EXPECT_EQ(server.get("/chosen/own.php").status, 503);
  server.log().expect("socket-connect-denied: www-data cannot connect '" +
                      server.tree().path("run/fpm.sock") + "': mode 0600");
  EXPECT_GE(server.log().count("AH02454"), 1U);
  fpms.clear();
  EXPECT_EQ(server.get("/far/own.php").status, 503);
  server.log().expect("socket-connect-refused: www-data cannot connect '127.0.0.1:");
}

TEST_P(FpmRoutes, OfABalancerTheMemberThatGotTheRequestIsNamed) {
  scene.config +=
      "<Proxy \"balancer://two\">\n"
      "  BalancerMember \"unix:@ROOT@/run/none.sock|fcgi://first\" loadfactor=100 retry=600\n"
      "  BalancerMember \"unix:@ROOT@/run/fpm.sock|fcgi://second\" loadfactor=1\n"
      "  ProxySet forcerecovery=Off\n"
      "</Proxy>\n"
      "ProxyPassMatch \"^/two/(.*\\.php)$\" \"balancer://two/@ROOT@/htdocs/$1\"\n";
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/two/own.php").status, 200) << "the second member helps out";
  EXPECT_EQ(server.lines(), 0U);
  server.tree().chmod("run/fpm.sock", 0600);
  EXPECT_EQ(server.get("/two/own.php").status, 503);
  server.log().expect("socket-connect-denied: www-data cannot connect '" +
                      server.tree().path("run/fpm.sock"));
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(FpmRoutes, AScriptThatOpcacheHoldsIsNeverAnsweredFor) {
  settings = {"zend_extension=opcache", "opcache.enable=1"};
  scene.lay_out = [this](TempTree& tree) {
    lay_out(tree);
    // opcache leaves new files alone
    std::filesystem::last_write_time(
        tree.path("htdocs/a.php"),
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  };
  DispatcherServer server(scene, "enforce strict");
  for (const char* path : {"/a.php", "/pass/a.php"}) {
    EXPECT_EQ(server.get(path).status, 200) << path;
  }
  server.tree().chown("htdocs/a.php", "root");
  EXPECT_EQ(server.get("/a.php").status, 200);
  server.graceful();  // which FPM does not notice
  EXPECT_EQ(server.get("/pass/a.php").status, 200);
  EXPECT_EQ(server.lines(), 0U);
  server.tree().chmod("run/fpm.sock", 0600);
  EXPECT_EQ(server.get("/a.php").status, 503);
  server.log().expect("socket-connect-denied: www-data");
  EXPECT_EQ(server.log().count("AH02454"), 0U) << "the socket is answered for all the same";
}

class OtherBackends : public testing::TestWithParam<Mpm> {};
INSTANTIATE_TEST_SUITE_P(Mpm, OtherBackends, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(OtherBackends, ScgiAndUwsgiThatNobodyServesAreExplained) {
  const std::string port = std::to_string(free_port());
  const Scene scene{.mpm = GetParam(),
                    .modules = {"proxy", "proxy_scgi", "proxy_uwsgi"},
                    .config = "ProxyPass /scgi scgi://127.0.0.1:" + port +
                              "/\nProxyPass /uwsgi uwsgi://127.0.0.1:" + port +
                              "/\nProxyPass /socket unix:@ROOT@/run/app.sock|uwsgi://app/\n",
                    .lay_out = [](TempTree& tree) { tree.mkdir("run", 0700); },
                    .allowed = {"AH00957", "AH00959", "AH02454", "AH00866", "AH10101"}};
  DispatcherServer server(scene, "enforce strict");
  for (const char* path : {"/scgi/x", "/uwsgi/x"}) {
    EXPECT_EQ(server.get(path).status, 503) << path;
    server.log().expect("socket-connect-refused: www-data cannot connect '127.0.0.1:" + port +
                        "': nobody listens");
  }
  EXPECT_EQ(server.get("/socket/x").status, 503);
  server.log().expect("socket-search-denied: www-data cannot connect '" +
                      server.tree().path("run/app.sock") + "'");
  EXPECT_EQ(server.lines(), 3U);
}

}  // namespace
}  // namespace permguard::test
