// SPDX-License-Identifier: Apache-2.0
//
// Which questions the places of a configuration come to: what virtual hosts inherit is asked with
// their own settings, what several places hold is asked once, and a pattern is taken by its word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "integration/places_fixture.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

unsigned count_of(const std::string& text, const std::string& part) {
  unsigned count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

class Places : public PlacesFixture {};

constexpr const char* kHeirs = R"(
<VirtualHost 127.0.0.1:@PORT@>
  ServerName alike.example
</VirtualHost>
<VirtualHost 127.0.0.1:@PORT@>
  ServerName heir.example
  <Directory "@ROOT@/cgi-bin">
    PermGuardRunAs daemon
  </Directory>
</VirtualHost>
<VirtualHost 127.0.0.1:@PORT@>
  ServerName own.example
  ScriptAlias /cgi-bin/ "@ROOT@/own/"
  PermGuardRunAs bin
</VirtualHost>
)";

TEST_F(Places, InheritedByVirtualHostsAreJudgedByTheirSettings) {
  HttpdServer server(options(kHeirs));
  const std::string script = server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0750);
  server.tree().chown("cgi-bin/a.cgi", "", "www-data");
  server.tree().mkdir("own");
  const std::string text = dump(server);
  EXPECT_THAT(text, HasSubstr("daemon cannot execute '" + script + "'"));
  EXPECT_THAT(text, HasSubstr("heir.example ("));
  EXPECT_THAT(text, Not(HasSubstr("alike.example"))) << "the same as the main server";
  EXPECT_THAT(text, Not(HasSubstr("bin cannot"))) << "its own ScriptAlias comes first";
  EXPECT_THAT(server.config_test().err, HasSubstr("daemon cannot execute '" + script + "'"));
}

/// A URL stands for another directory in each virtual host; a directory counts for those that
/// reach it.
TEST_F(Places, OfMainSectionsAreThoseThatAVirtualHostReaches) {
  HttpdServer server(options(R"(
<Location "/tools">
  SetHandler cgi-script
  Options +ExecCGI
</Location>
<Directory "@ROOT@/one/bin">
  Options +ExecCGI
  AddHandler cgi-script .cgi
</Directory>
<VirtualHost 127.0.0.1:@PORT@>
  ServerName one.example
  DocumentRoot "@ROOT@/one"
  PermGuardRunAs daemon
</VirtualHost>
<VirtualHost 127.0.0.1:@PORT@>
  ServerName two.example
  DocumentRoot "@ROOT@/two"
  PermGuardRunAs bin
</VirtualHost>
)"));
  for (const char* directory : {"one/tools", "two/tools", "one/bin"}) {
    server.tree().mkdir(directory);
  }
  const std::string text = dump(server);
  const auto place = [&](const std::string& path, const std::string& who) {
    return "cgi directory '" + server.tree().path(path) + "': execute as " + who + ",";
  };
  EXPECT_THAT(text, HasSubstr(place("one/tools", "daemon")));
  EXPECT_THAT(text, HasSubstr(place("two/tools", "bin")));
  EXPECT_THAT(text, HasSubstr(place("one/bin", "daemon")));
  EXPECT_THAT(text, Not(HasSubstr(place("one/bin", "bin"))));
}

/// auto and a named directory, an alias below another, two virtual hosts.
constexpr const char* kOverlapping = R"(
PermGuardWatchInterval 1
PermGuardWatch auto
PermGuardWatch "@ROOT@/cgi-bin"
ScriptAlias /deep/ "@ROOT@/cgi-bin/deep/"
<VirtualHost 127.0.0.1:@PORT@>
  ServerName one.example
  ScriptAlias /cgi-bin/ "@ROOT@/cgi-bin/"
</VirtualHost>
<Directory "@ROOT@/off">
  PermGuard off
</Directory>
ScriptAlias /off/ "@ROOT@/off/"
)";

void lay_out_overlapping(HttpdServer& server) {
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  server.tree().write("cgi-bin/deep/b.cgi", cgi_script("b"), 0644);
  server.tree().write("off/c.cgi", cgi_script("c"), 0644);
}

TEST_F(Places, ThatOverlapAreAuditedOnce) {
  HttpdServer server(options(kOverlapping));
  lay_out_overlapping(server);
  const std::string text = dump(server);
  for (const char* script : {"cgi-bin/a.cgi", "cgi-bin/deep/b.cgi"}) {
    EXPECT_EQ(count_of(text, "cannot execute '" + server.tree().path(script)), 1U) << text;
  }
  EXPECT_THAT(text, HasSubstr("one.example")) << "a place that adds nothing is named all the same";
  const auto audit = nlohmann::json::parse(
      run({PERMGUARD_BUILD "/permguard", "audit",
           "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf"), "--format", "json"})
          .out);
  EXPECT_EQ(audit["checked"], 2);
  EXPECT_EQ(audit["findings"].size(), 2U) << "PermGuard is off for the third";
}

TEST_F(Places, ThatOverlapAreWatchedOnce) {
  HttpdServer server(options(kOverlapping));
  lay_out_overlapping(server);
  server.start();
  server.log().expect("not-executable: www-data cannot execute '" +
                      server.tree().path("cgi-bin/a.cgi"));
  server.log().expect("not-executable: www-data cannot execute '" +
                      server.tree().path("cgi-bin/deep/b.cgi"));
  const std::string metrics = server.get("/permguard-status?openmetrics").body;
  EXPECT_THAT(metrics,
              HasSubstr("permguard_watch_findings{code=\"not-executable\",role=\"script\"} 2\n"));
  EXPECT_THAT(metrics, HasSubstr("permguard_watch_files 2\n"));
}

/// The handler is for some names, the watch for all.
TEST_F(Places, OfSomeNamesAndOfAllShareNoFile) {
  HttpdServer server(options(R"(
PermGuardWatch "@ROOT@/www"
<Directory "@ROOT@/www/run">
  Options +ExecCGI
  AddHandler cgi-script .cgi
</Directory>
)"));
  server.tree().write("www/run/a.cgi", cgi_script("a"), 0644);
  server.tree().write("www/run/b.sh", cgi_script("b"), 0644);
  server.tree().write("www/c.sh", cgi_script("c"), 0644);
  const std::string text = dump(server);
  for (const char* script : {"www/run/a.cgi", "www/run/b.sh", "www/c.sh"}) {
    EXPECT_EQ(count_of(text, "cannot execute '" + server.tree().path(script)), 1U) << text;
  }
}

/// The innermost section decides on handlers and Options, wherever the two stand.
TEST_F(Places, OfSectionsBelowFollowTheirHandlers) {
  HttpdServer server(options(R"(
PermGuardConfigTest fail
<Directory "@ROOT@/htdocs">
  Options +ExecCGI
  AddHandler cgi-script .cgi
</Directory>
<Directory "@ROOT@/htdocs/all">
  SetHandler cgi-script
</Directory>
<Directory "@ROOT@/htdocs/more">
  AddHandler cgi-script .pl
</Directory>
<Directory "@ROOT@/htdocs/off">
  Options -ExecCGI
  SetHandler default-handler
</Directory>
<Directory "@ROOT@/htdocs/files">
  SetHandler default-handler
</Directory>
<Directory "@ROOT@/htdocs/removed">
  RemoveHandler .cgi
</Directory>
)"));
  const char* scripts[] = {"a.cgi", "all/a.cgi", "all/b.pl", "more/a.cgi", "more/b.pl"};
  const char* served[] = {"b.pl", "off/a.cgi", "files/a.cgi", "removed/a.cgi"};
  const auto write = [&](const char* name, mode_t mode) {
    return server.tree().write("htdocs/" + std::string(name), cgi_script("x"), mode);
  };
  for (const char* name : served) write(name, 0644);
  for (const char* name : scripts) write(name, 0755);
  EXPECT_EQ(server.config_test().exit_code, 0) << server.config_test().err;
  for (const char* name : scripts) write(name, 0644);
  const std::string text = dump(server);
  for (const char* name : scripts) {
    EXPECT_EQ(count_of(text, "cannot execute '" + server.tree().path("htdocs") + "/" + name), 1U);
  }
  for (const char* name : served) {
    EXPECT_THAT(text, Not(HasSubstr(server.tree().path("htdocs") + "/" + name)));
  }
}

/// A risk that one of two virtual hosts forbids is one error, not a warning and an error.
TEST_F(Places, OfHostsThatForbidMoreAreTheirs) {
  HttpdServer server(options(R"(
PermGuardWatchInterval 1
<VirtualHost 127.0.0.1:@PORT@>
  ServerName exp.example
  PermGuardForbid world-writable
</VirtualHost>
)"));
  const std::string script = server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0757);
  dump(server);
  const ProcessResult told =
      run({PERMGUARD_BUILD "/permguard", "audit",
           "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf")});
  EXPECT_EQ(told.exit_code, 1);
  EXPECT_THAT(told.out, HasSubstr("world-writable: www-data cannot execute '" + script + "'"));
  EXPECT_THAT(told.out, HasSubstr("1 files examined, 1 findings"));
  server.start();
  server.log().expect("world-writable: www-data cannot execute '" + script + "'");
  EXPECT_THAT(server.get("/permguard-status?openmetrics").body,
              HasSubstr("permguard_watch_findings{code=\"world-writable\",role=\"script\"} 1\n"));
}

/// A <Location> holds for what aliases bring below it, and for no DocumentRoot behind an alias.
TEST_F(Places, OfALocationAreWhereItsAliasesLead) {
  HttpdServer server(options(R"(
Alias /s/in/ "@ROOT@/in/"
Alias /s/ "@ROOT@/s/"
<Location "/s">
  SetHandler cgi-script
  Options +ExecCGI
</Location>
<VirtualHost 127.0.0.1:@PORT@>
  ServerName own.example
  DocumentRoot "@ROOT@/own"
  PermGuardRunAs daemon
</VirtualHost>
)"));
  for (const char* directory : {"in", "s", "own/s"}) server.tree().mkdir(directory);
  const std::string text = dump(server);
  const auto place = [&](const std::string& path, const std::string& who) {
    return "cgi directory '" + server.tree().path(path) + "': execute as " + who + ",";
  };
  for (const char* who : {"www-data", "daemon"}) {
    EXPECT_THAT(text, HasSubstr(place("in", who)));
    EXPECT_THAT(text, HasSubstr(place("s", who)));
  }
  EXPECT_THAT(text, Not(HasSubstr("own/s")));
}

/// Parts of the host's name stand in the path, and the rest of the URL behind it.
TEST_F(Places, OfVirtualScriptAliasHaveAnyHostsName) {
  HttpdServer server(options("VirtualScriptAlias \"@ROOT@/hosts/%0/cgi-bin\"\n", {"vhost_alias"}));
  const std::string script =
      server.tree().write("hosts/a.example/cgi-bin/deep/a.cgi", cgi_script("a"), 0644);
  for (const char* beside : {"hosts/a.example/b.sh", "hosts/a.example/bin/b.sh"}) {
    server.tree().write(beside, cgi_script("b"), 0644);
  }
  const std::string text = dump(server);
  EXPECT_THAT(text, HasSubstr("cannot execute '" + script + "'"));
  EXPECT_THAT(text, Not(HasSubstr("b.sh")));
}

/// What stands behind a group counts too, and what the group can stand for.
TEST_F(Places, OfPatternsHoldWhatThePatternCanName) {
  HttpdServer server(options(R"conf(
ScriptAliasMatch "^/one/(.*)\.do$" "@ROOT@/one/$1.cgi"
ScriptAliasMatch "^/two(.*)" "@ROOT@/two$1"
ScriptAliasMatch "^/~([a-z]+)/cgi-bin/(.*)" "@ROOT@/home/$1/cgi-bin/$2"
ScriptAliasMatch "^/four/([a-z]+)/(.*)$" "@ROOT@/four/$1.cgi/$2"
ScriptAliasMatch "^/six(/[\w.-]+)?$" "@ROOT@/six$1"
ScriptAliasMatch "^/seven/([^/]*\.cgi)(/.*)?$" "@ROOT@/seven/$1$2"
ScriptAliasMatch "(?i)^/eight/([a-z]+\.cgi)$" "@ROOT@/eight/$1"
ScriptAliasMatch "^/nine/([^/]+)/(.*)\.do$" "@ROOT@/nine/$1/$2.cgi"
ScriptAliasMatch "^/ten(/.*)?$" "@ROOT@/ten$1"
ScriptAliasMatch "^/git/(.*/(HEAD|info/refs))$" "@ROOT@/git-backend/$1"
WSGIScriptAliasMatch "^/five/([^/]+)" "@ROOT@/five/$1.wsgi"
)conf",
                             {"wsgi"}));
  TempTree& tree = server.tree();
  const char* scripts[] = {
      "one/a.cgi",  "one/deep/a.cgi", "two/a.cgi",   "home/ann/cgi-bin/a.cgi", "four/a.cgi",
      "six/a.cgi",  "seven/a.cgi",    "eight/A.CGI", "nine/x/a.cgi",           "ten",
      "git-backend"};
  for (const char* script : scripts) tree.write(script, cgi_script("x"), 0644);
  tree.write("five/a.wsgi", "#", 0600);
  const char* beside[] = {"one/b.sh",  "home/ann/bin/b.sh", "home/b.sh", "home/9/cgi-bin/b.sh",
                          "four/b.sh", "six/deep/b.sh",     "five/b.sh", "five/deep/b.wsgi"};
  for (const char* file : beside) tree.write(file, cgi_script("x"), 0600);
  const std::string text = dump(server);
  for (const char* script : scripts) {
    EXPECT_THAT(text, HasSubstr("cannot execute '" + tree.path(script) + "'"));
  }
  EXPECT_THAT(text, HasSubstr("cannot read '" + tree.path("five/a.wsgi") + "'"));
  EXPECT_THAT(text, Not(HasSubstr("b.sh")));
  EXPECT_THAT(text, Not(HasSubstr("b.wsgi")));
  EXPECT_THAT(text, Not(HasSubstr("/..")));
}

}  // namespace
}  // namespace permguard::test
