// SPDX-License-Identifier: Apache-2.0
//
// Which places `-t -D DUMP_PERMGUARD` finds in a configuration, where, and for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "integration/places_fixture.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DiscoveryTest : public PlacesFixture {
 protected:
  /// Each place and what is found there stands from its path to the next place.
  static void expect_place(HttpdServer& server, const std::string& text, const std::string& kind,
                           const std::string& path, const std::string& rest) {
    EXPECT_THAT(text, HasSubstr("  " + kind + " '" + server.tree().path(path) + "': " + rest));
  }
};

TEST_F(DiscoveryTest, EverySourceOfScripts) {
  HttpdServer server(options(
      R"conf(ScriptAlias /one "@ROOT@/one"
ScriptAliasMatch "^/two/(.*)$" "@ROOT@/two/$1"
<Location "/three">
  ScriptAlias "@ROOT@/three"
</Location>
<LocationMatch "^/four/(?<script>[^/]+)">
  ScriptAlias "@ROOT@/four/%{env:MATCH_SCRIPT}"
</LocationMatch>
<Directory "@ROOT@/five">
  Options +ExecCGI
  AddHandler cgi-script .cgi
</Directory>
<Directory "@ROOT@/six*">
  Options ExecCGI
  <FilesMatch "\.(?:pl|py)$">
    SetHandler cgi-script
  </FilesMatch>
</Directory>
<Location "/seven">
  SetHandler cgi-script
  Options +ExecCGI
</Location>
Alias "/eight/" "@ROOT@/eight/"
<Location "/eight">
  SetHandler cgi-script
  Options +ExecCGI
</Location>
<Directory "@ROOT@/nine">
  Options +ExecCGI
  AddHandler fcgid-script .fcgi
  FcgidWrapper "@ROOT@/bin/wrap -x" .fcgi
</Directory>
<Directory "@ROOT@/none">
  Options +ExecCGI
</Directory>
ProxyPassMatch "^/php/(.*)" "unix:@ROOT@/run/fpm.sock|fcgi://localhost/"
<FilesMatch "\.php$">
  SetHandler "proxy:unix:@ROOT@/run/other.sock|fcgi://localhost"
</FilesMatch>
)conf",
      {"fcgid", "proxy", "proxy_fcgi"}));
  for (const char* directory : {"one", "two", "three", "four", "five", "six-a", "six-b", "eight",
                                "nine", "none", "htdocs/seven", "run"}) {
    server.tree().mkdir(directory);
  }
  server.tree().write("bin/wrap", "#!/bin/sh\n", 0755);
  const std::string text = dump(server);
  for (const char* path : {"one", "two", "three", "four", "five", "six-a", "six-b", "htdocs/seven",
                           "eight", "cgi-bin"}) {
    expect_place(server, text, "cgi directory", path, "execute as www-data, PermGuard enforce");
  }
  expect_place(server, text, "fcgid directory", "nine", "execute as www-data");
  expect_place(server, text, "fcgid file", "bin/wrap", "execute as www-data");
  expect_place(server, text, "proxy socket", "run/fpm.sock", "connect as www-data");
  expect_place(server, text, "proxy socket", "run/other.sock", "connect as www-data");
  EXPECT_THAT(text, Not(HasSubstr(server.tree().path("none") + "'")));
  EXPECT_THAT(text, HasSubstr("socket-not-found: www-data cannot connect '" +
                              server.tree().path("run/fpm.sock") + "'"));
}

TEST_F(DiscoveryTest, FileAndLineAlsoOfIncludesAndMacros) {
  HttpdServer server(options(
      "Include @ROOT@/extra.conf\n<Macro Cgi $name>\nScriptAlias /$name @ROOT@/$name\n</Macro>\n"
      "Use Cgi made\n",
      {"macro"}));
  const std::string extra = server.tree().write(
      "extra.conf", "\n\nScriptAlias /in \"" + server.tree().path("in") + "\"\n");
  for (const char* directory : {"in", "made"}) server.tree().mkdir(directory);
  const std::string text = dump(server);
  EXPECT_THAT(
      text, HasSubstr("'" + server.tree().path("in") +
                      "': execute as www-data, PermGuard enforce, main server (" + extra + ":3)"));
  EXPECT_THAT(text, HasSubstr("'" + server.tree().path("made") + "': execute as www-data"));
  EXPECT_THAT(text, HasSubstr("macro 'cgi'"));
}

TEST_F(DiscoveryTest, VirtualHostsInheritHandlersAndKeepTheirOwnUsers) {
  HttpdServer server(options(R"(AddHandler cgi-script .cgi
<VirtualHost 127.0.0.1>
  ServerName a.example
  PermGuard explain
  <Directory "@ROOT@/a">
    Options +ExecCGI
  </Directory>
</VirtualHost>
<VirtualHost 127.0.0.1>
  ServerName b.example
  ScriptAlias /cgi-bin/ "@ROOT@/b/"
  <Directory "@ROOT@/b">
    PermGuardRunAs daemon
  </Directory>
</VirtualHost>
)"));
  server.tree().write("a/pay.cgi", cgi_script("x"), 0644);
  server.tree().write("b/pay.cgi", cgi_script("x"), 0750);
  const std::string text = dump(server);
  EXPECT_THAT(text, HasSubstr("'" + server.tree().path("a") +
                              "': execute as www-data, PermGuard explain, a.example"));
  EXPECT_THAT(text, HasSubstr("'" + server.tree().path("b") +
                              "': execute as daemon, PermGuard enforce, b.example"));
  EXPECT_THAT(text, HasSubstr("not-executable: www-data cannot execute '" +
                              server.tree().path("a/pay.cgi")));
  EXPECT_THAT(text, HasSubstr("execute-denied (modelled): daemon cannot execute '" +
                              server.tree().path("b/pay.cgi")));
}

TEST_F(DiscoveryTest, TheUserOfAWsgiDaemon) {
  HttpdServer server(
      options("WSGIDaemonProcess own user=daemon group=daemon\n"
              "WSGIScriptAlias /app \"@ROOT@/app.wsgi\" process-group=own\n"
              "WSGIScriptAlias /plain \"@ROOT@/plain.wsgi\"\n",
              {"wsgi"}));
  server.tree().write("app.wsgi", "#", 0640);
  server.tree().write("plain.wsgi", "#", 0644);
  const std::string text = dump(server);
  expect_place(server, text, "wsgi file", "app.wsgi", "read as daemon");
  expect_place(server, text, "wsgi file", "plain.wsgi", "read as www-data");
  EXPECT_THAT(text, HasSubstr("daemon cannot read '" + server.tree().path("app.wsgi") + "'"));
}

/// Only what the handler is for: other files may have any mode.
TEST_F(DiscoveryTest, HandlerRulesChooseTheFiles) {
  HttpdServer server(options(
      "<Directory \"@ROOT@/app\">\nOptions +ExecCGI\nAddHandler cgi-script .cgi\n</Directory>\n"
      "<Directory \"@ROOT@/gone\">\nOptions +ExecCGI\nSetHandler cgi-script\n</Directory>\n"));
  server.tree().write("app/page.html", "<p>", 0755);
  server.tree().write("app/good.cgi", cgi_script("x"), 0755);
  const std::string plain = server.tree().write("app/plain.CGI", "words", 0644);
  const std::string command = "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf");
  EXPECT_THAT(dump(server), Not(HasSubstr("page.html")));  // and writes httpd.conf
  const ProcessResult audit =
      run({PERMGUARD_BUILD "/permguard", "audit", command, "--format", "json"});
  EXPECT_EQ(audit.exit_code, 1) << audit.err;
  EXPECT_THAT(audit.out, HasSubstr(plain));
  EXPECT_THAT(audit.out, Not(HasSubstr("page.html")));
  const auto json = nlohmann::json::parse(audit.out);
  EXPECT_EQ(json["checked"], 2);
  EXPECT_EQ(json["unexamined"].size(), 0U);
  EXPECT_THAT(audit.out, HasSubstr(server.tree().path("gone")));
}

/// A wrapper only reads the script; the others of the directory are executed.
TEST_F(DiscoveryTest, WhatAWrapperReadsNeedsNoXBit) {
  HttpdServer server(
      options("<Directory \"@ROOT@/app\">\nOptions +ExecCGI\n"
              "AddHandler fcgid-script .php .fcgi .gone\n"
              "FcgidWrapper \"@ROOT@/wrapper\" .php\n"
              "FcgidWrapper \"@ROOT@/wrapper\" .gone virtual\n</Directory>\n"
              "<Directory \"@ROOT@/set\">\nOptions +ExecCGI\n<FilesMatch \"\\.page$\">\n"
              "SetHandler fcgid-script\nFcgidWrapper \"@ROOT@/wrapper\"\n</FilesMatch>\n"
              "</Directory>\n",
              {"fcgid"}));
  server.tree().write("wrapper", cgi_script("x"), 0755);
  for (const char* name : {"app/good.php", "set/good.page", "set/plain.txt"}) {
    server.tree().write(name, "#!", 0644);
  }
  const std::string secret = server.tree().write("app/secret.php", "#!", 0600);
  const std::string plain = server.tree().write("app/plain.fcgi", cgi_script("x"), 0644);
  server.tree().write("app/any.gone", "#!", 0000);
  const std::string text = dump(server);
  expect_place(server, text, "fcgid directory", "app", "read as www-data");
  expect_place(server, text, "fcgid directory", "app", "execute as www-data");
  expect_place(server, text, "fcgid directory", "set", "read as www-data");
  const ProcessResult audit =
      run({PERMGUARD_BUILD "/permguard", "audit",
           "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf")});
  for (const std::string& told : {text, audit.out}) {
    EXPECT_THAT(told, HasSubstr("read-denied: www-data cannot read '" + secret + "'"));
    EXPECT_THAT(told, HasSubstr("not-executable: www-data cannot execute '" + plain + "'"));
    EXPECT_THAT(told, Not(HasSubstr("good")));
    EXPECT_THAT(told, Not(HasSubstr("any.gone")));
    EXPECT_THAT(told, Not(HasSubstr("plain.txt")));
  }
}

TEST_F(DiscoveryTest, PermGuardHandlerCountsToo) {
  HttpdServer server(
      options("PermGuardHandler cgi-script off\nPermGuardHandler fcgid-script read\n"
              "ScriptAlias /one \"@ROOT@/one\"\n"
              "<Directory \"@ROOT@/two\">\nOptions +ExecCGI\nAddHandler fcgid-script .fcgi\n"
              "</Directory>\n",
              {"fcgid"}));
  server.tree().write("one/a.cgi", cgi_script("x"), 0644);
  server.tree().write("two/a.fcgi", cgi_script("x"), 0644);
  const std::string text = dump(server);
  EXPECT_THAT(text, Not(HasSubstr("/one'")));
  expect_place(server, text, "fcgid directory", "two", "read as www-data");
  EXPECT_THAT(text, Not(HasSubstr("cannot")));
}

TEST_F(DiscoveryTest, TheAuditTakesWhatTheConfigurationForbidsAndExpects) {
  HttpdServer server(
      options("PermGuardForbid world-writable\n"
              "<Directory \"@ROOT@/cgi-bin\">\nPermGuardExpect mode=0755\n</Directory>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("x"), 0755);
  const std::vector<std::string> audit = {
      PERMGUARD_BUILD "/permguard", "audit",
      "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf")};
  dump(server);
  EXPECT_EQ(run(audit).exit_code, 0) << run(audit).out;
  server.tree().chmod("cgi-bin/a.cgi", 0757);
  const ProcessResult broken = run(audit);
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.out, HasSubstr("mode-drift"));
  EXPECT_THAT(broken.out, HasSubstr("world-writable"));
}

/// systemd's NoExecPaths= and the like: only httpd's own mounts show it.
TEST_F(DiscoveryTest, TheAuditSeesTheMountsOfTheRunningHttpd) {
  HttpdOptions with_mounts = options("");
  with_mounts.launcher = {"unshare",
                          "-m",
                          "sh",
                          "-c",
                          "mount --bind \"$PERMGUARD_TEST_DIR\" \"$PERMGUARD_TEST_DIR\" && "
                          "mount -o remount,bind,noexec \"$PERMGUARD_TEST_DIR\" && exec \"$@\"",
                          "sh"};
  TempTree scripts;
  scripts.write("cgi/a.cgi", cgi_script("x"), 0755);
  with_mounts.environment = {{"PERMGUARD_TEST_DIR", scripts.path("cgi")}};
  with_mounts.config = "ScriptAlias /a \"" + scripts.path("cgi") + "\"\n";
  HttpdServer server(with_mounts);
  server.start();
  const std::string plain = "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf");
  const ProcessResult audit = run({PERMGUARD_BUILD "/permguard", "audit", plain});
  EXPECT_EQ(audit.exit_code, 1) << audit.err;
  EXPECT_THAT(audit.out, HasSubstr("noexec-mount: www-data cannot execute '" +
                                   scripts.path("cgi/a.cgi") + "'"));
}

/// 200 vhosts that expect 200 things of the same 4,000 scripts take far longer than five seconds.
TEST_F(DiscoveryTest, AnAuditThatTakesTooLongNeverFailsTheTest) {
  std::string config = "PermGuardConfigTest fail\n";
  for (int i = 0; i < 200; ++i) {
    config += "<VirtualHost 127.0.0.1>\nServerName v" + std::to_string(i) +
              ".example\nScriptAlias /many/ \"@ROOT@/many/\"\n<Directory \"@ROOT@/many\">\n"
              "PermGuardExpect group=" +
              std::to_string(i) + "\n</Directory>\n</VirtualHost>\n";
  }
  HttpdServer server(options(config));
  const std::string first = server.tree().write("many/0.cgi", cgi_script("x"), 0755);
  for (int i = 1; i < 4000; ++i) {
    const std::string other = server.tree().path("many/" + std::to_string(i) + ".cgi");
    ASSERT_EQ(link(first.c_str(), other.c_str()), 0);
  }
  const ProcessResult result = server.config_test();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("audit incomplete"));
  EXPECT_THAT(result.err, HasSubstr("Syntax OK"));
}

}  // namespace
}  // namespace permguard::test
