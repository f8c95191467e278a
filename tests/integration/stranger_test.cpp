// SPDX-License-Identifier: Apache-2.0
//
// What a tenant's link, #! line or .htaccess leads to gets no command: pasted by root, it would
// give the tenant the file of another. `daemon` is the tenant, `games` the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "integration/dispatcher_server.h"
#include "integration/fcgi_program.h"
#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTenant = "daemon";
constexpr const char* kOther = "games";

auto no_command() {
  return AllOf(Not(HasSubstr("setfacl")), Not(HasSubstr("chmod")), Not(HasSubstr("chown")),
               Not(HasSubstr("find '")));
}

class Stranger : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
    for (const char* text : {"AH00132", "AH00037", "AH01276"}) server.log().allow(text);
    server.tree().write("home/other/key.txt", "secret", 0600);
    server.tree().write("home/other/x", "#!/bin/sh\n", 0700);
    for (const char* file : {"home/other", "home/other/key.txt", "home/other/x"}) {
      server.tree().chown(file, kOther, kOther);
    }
  }
  std::string path(const std::string& relative) { return server.tree().path(relative); }
  void link(const std::string& target, const std::string& name, const char* owner = kTenant) {
    server.tree().symlink(target, name);
    server.tree().chown(name, owner, owner);
  }
  /// What the page's JSON and HTML and the event log say of the one incident.
  void expect_nothing_to_paste() {
    const auto status = nlohmann::json::parse(server.get("/permguard-status?json").body);
    ASSERT_FALSE(status["incidents"].empty());
    for (const auto& incident : status["incidents"]) {
      EXPECT_TRUE(incident["finding"]["fix"].empty()) << incident;
    }
    EXPECT_THAT(server.get("/permguard-status").body, no_command());
    EXPECT_THAT(server.tree().read("logs/events"), AllOf(HasSubstr("\"fix\":[]"), no_command()));
  }

  GuardedServer server{
      "PermGuard report\nPermGuardWatch off\nPermGuardEventLog @ROOT@/logs/events\n"
      "<Directory @ROOT@/htdocs>\nOptions FollowSymLinks\n</Directory>\n",
      GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Mpm, Stranger, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Stranger, ALinkToTheSystemsSecretsAndOneGet) {
  link("/etc/shadow", "htdocs/leak.txt");
  server.start();
  EXPECT_EQ(server.get("/leak.txt").status, 403);
  EXPECT_THAT(server.log().expect("read-denied: www-data cannot read"),
              AllOf(HasSubstr("fix: the link '" + path("htdocs/leak.txt") +
                              "' of daemon leads to '/etc/shadow' of root, so no command is told"),
                    HasSubstr("permguard explain '/etc/shadow'"), no_command()));
  expect_nothing_to_paste();
}

TEST_P(Stranger, ALinkIntoAnothersHome) {
  link(path("home/other"), "htdocs/dir");
  server.tree().chmod("home/other", 0700);
  server.start();
  EXPECT_EQ(server.get("/dir/key.txt").status, 403);
  EXPECT_THAT(server.log().expect("search-denied: www-data cannot read"),
              AllOf(HasSubstr("the link '" + path("htdocs/dir") + "' of daemon leads to '" +
                              path("home/other") + "/key.txt' by way of '" + path("home/other") +
                              "' of games"),
                    no_command()));
  expect_nothing_to_paste();
}

TEST_P(Stranger, AShebangIntoAnothersHome) {
  server.tree().write("cgi-bin/a.cgi", "#!" + path("home/other/x") + "\n", 0755);
  server.tree().chown("cgi-bin/a.cgi", kTenant);
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  EXPECT_THAT(server.log().expect("interpreter-execute-denied: www-data cannot execute"),
              AllOf(HasSubstr("fix: the #! line of '" + path("cgi-bin/a.cgi") +
                              "' of daemon leads to '" + path("home/other/x") + "' of games"),
                    no_command()));
  expect_nothing_to_paste();
}

TEST_P(Stranger, SaneLinksAndShebangsHaveTheirCommands) {
  link(path("home/other/key.txt"), "htdocs/by_root.txt", "root");
  link("key.txt", "home/other/own.txt", kOther);
  link(path("home/other/own.txt"), "htdocs/chain.txt", "root");
  server.tree().write("cgi-bin/a.cgi", "#!" + path("home/other/x") + "\n", 0755);
  server.configure("PermGuard report\nPermGuardLogInterval 0\nPermGuardWatch off\n");
  server.start();
  const std::string key = "fix: setfacl -m u:www-data:r '" + path("home/other/key.txt") + "'";
  for (const char* url : {"/by_root.txt", "/chain.txt"}) {
    EXPECT_EQ(server.get(url).status, 403);
    EXPECT_THAT(server.log().expect("read-denied: www-data cannot read"), HasSubstr(key)) << url;
  }
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  EXPECT_THAT(server.log().expect("interpreter-execute-denied: www-data"),
              HasSubstr("fix: setfacl -m u:www-data:rx '" + path("home/other/x") + "'"));
}

TEST_P(Stranger, WhoeverMayReplaceALinkCounts) {
  server.tree().mkdir("htdocs/open", 0777);
  server.tree().mkdir("htdocs/sticky", 01777);
  for (const char* name : {"htdocs/open/l.txt", "htdocs/sticky/l.txt"}) {
    link(path("home/other/key.txt"), name, "root");
  }
  server.configure("PermGuard report\nPermGuardLogInterval 0\nPermGuardWatch off\n");
  server.start();
  EXPECT_EQ(server.get("/open/l.txt").status, 403);
  EXPECT_THAT(server.log().expect("read-denied: www-data cannot read"),
              AllOf(HasSubstr("of root, which everybody may replace, leads to"), no_command()));
  EXPECT_EQ(server.get("/sticky/l.txt").status, 403);
  EXPECT_THAT(server.log().expect("read-denied: www-data cannot read"),
              HasSubstr("fix: setfacl -m u:www-data:r"));
}

TEST_P(Stranger, WhatIsNoProgramGetsNoXBit) {
  server.tree().write("cgi-bin/logo.gif", "GIF89a\x01\x02", 0644);
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/logo.gif").status, 500);
  EXPECT_THAT(server.log().expect("not-executable: www-data cannot execute"),
              AllOf(HasSubstr("fix: it is no program"), no_command()));
}

TEST_P(Stranger, ADesiredStateGoesThroughNoStrangersLink) {
  server.tree().write("home/other/script", "#!/bin/sh\necho A:;echo\n", 0711);
  server.tree().chown("home/other/script", kOther, kOther);
  server.tree().chmod("home/other/script", 0755);
  link(path("home/other/script"), "cgi-bin/l.cgi");
  server.configure(
      "PermGuard report\nPermGuardWatch off\n<Directory @ROOT@/cgi-bin>\n"
      "Options +FollowSymLinks\nPermGuardExpect mode=0750 owner=daemon\n</Directory>\n");
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/l.cgi").status, 200);
  EXPECT_THAT(server.log().expect("owner-drift: '"),
              AllOf(HasSubstr("l.cgi' of daemon leads to '" + path("home/other/script") + "'"),
                    no_command()));
}

/// What .htaccess may name, for a server that allows it all.
class StrangersSettings : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
  }

  /// The line about the request, where `owner` wrote `settings` into .htaccess.
  std::string line_about(const std::string& url, const std::string& settings, const char* owner,
                         const char* about) {
    scene.lay_out = [&](TempTree& tree) {
      std::string text = settings;
      for (std::size_t at; (at = text.find("@ROOT@")) != std::string::npos;) {
        text.replace(at, 6, tree.root());
      }
      tree.write("htdocs/t/.htaccess", text);
      tree.write("htdocs/t/a.page", "#!/usr/bin/env tool\n", 0755);
      tree.write("home/other/wrap", kFcgiProgram, 0744);
      tree.write("home/other/tool", "#!/bin/sh\n", 0744);
      tree.write("home/other/lib/x", "");
      tree.chmod("home/other/lib", 0700);
      for (const char* file :
           {"home/other", "home/other/wrap", "home/other/tool", "home/other/lib"}) {
        tree.chown(file, kOther, kOther);
      }
      tree.chown("htdocs/t/.htaccess", owner);
    };
    DispatcherServer server(scene, mode);
    EXPECT_GE(server.get(url).status, 400);
    return server.log().expect(about);
  }

  const char* mode = "report";
  Scene scene{
      .mpm = GetParam(),
      .modules = {"fcgid", "proxy", "proxy_fcgi", "rewrite", "env"},
      .config =
          "FcgidIPCDir @ROOT@/rt/fcgid\n"
          "FcgidProcessTableFile @ROOT@/rt/fcgid_shm\n"
          "<Directory @ROOT@/htdocs/t>\nAllowOverride All\n"
          "Options +ExecCGI +FollowSymLinks\n</Directory>\n",
      .allowed = {"AH", "End of script output", "mod_fcgid:", "exec of '", "(13)", "terminate"}};
};

INSTANTIATE_TEST_SUITE_P(Mpm, StrangersSettings, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(StrangersSettings, AWrapper) {
  mode = "enforce";  // mod_fcgid tries for long
  const char* settings =
      "AddHandler fcgid-script .page\nFcgidWrapper @ROOT@/home/other/wrap .page\n";
  EXPECT_THAT(line_about("/t/a.page", settings, kTenant, "wrapper-execute-denied: www-data"),
              AllOf(HasSubstr("/htdocs/t/.htaccess' of daemon leads to '"),
                    HasSubstr("/home/other/wrap' of games, so no command"), no_command()));
  EXPECT_THAT(line_about("/t/a.page", settings, "root", "wrapper-execute-denied: www-data"),
              HasSubstr("fix: chmod o+x '"));
}

/// A directory of `games` that only he may search, with a name that AddHandler and [H=], which
/// make lower case of it, leave alone.
class LowerCaseHome {
 public:
  LowerCaseHome() : path_("/tmp/permguard-stranger-" + std::to_string(::getpid())) {
    made_ = run({"install", "-d", "-o", kOther, "-m", "0700", path_}).succeeded();
  }
  ~LowerCaseHome() { ::rmdir(path_.c_str()); }
  LowerCaseHome(const LowerCaseHome&) = delete;
  LowerCaseHome& operator=(const LowerCaseHome&) = delete;

  bool made() const { return made_; }
  std::string route() const { return "unix:" + path_ + "/s.sock|fcgi://localhost"; }

 private:
  std::string path_;
  bool made_ = false;
};

TEST_P(StrangersSettings, ASocket) {
  const LowerCaseHome home;
  ASSERT_TRUE(home.made());
  for (const std::string& settings :
       {"SetHandler \"proxy:" + home.route() + "\"\n",
        "AddHandler \"proxy:" + home.route() + "\" .page\n",
        "RewriteEngine on\nRewriteRule ^ - [H=proxy:" + home.route() + "]\n",
        "RewriteEngine on\nRewriteRule ^ \"" + home.route() + "/x\" [P]\n"}) {
    EXPECT_THAT(line_about("/t/a.page", settings, kTenant, "socket-search-denied"),
                AllOf(HasSubstr("/htdocs/t/.htaccess' of daemon leads to '"), no_command()))
        << settings;
    EXPECT_THAT(line_about("/t/a.page", settings, "root", "socket-search-denied"),
                HasSubstr("fix: setfacl -m u:www-data:x '"))
        << settings;
  }
}

// The administrator's own route keeps its command, whatever else .htaccess holds.
TEST_P(StrangersSettings, TheServersOwnSocket) {
  scene.config +=
      "<Location /t/>\n"
      "SetHandler \"proxy:unix:@ROOT@/home/other/lib/s.sock|fcgi://localhost\"\n</Location>\n";
  EXPECT_THAT(line_about("/t/a.page", "RewriteEngine on\nRewriteRule ^none$ - [L]\nSetEnv A b\n",
                         kTenant, "socket-search-denied"),
              HasSubstr("fix: setfacl -m u:www-data:x '"));
}

TEST_P(StrangersSettings, ASearchPath) {
  const char* settings = "SetHandler cgi-script\nSetEnv PATH @ROOT@/home/other:/usr/bin:/bin\n";
  EXPECT_THAT(line_about("/t/a.page", settings, kTenant, "command-execute-denied"),
              AllOf(HasSubstr("/htdocs/t/.htaccess' of daemon leads to '"), no_command()));
  EXPECT_THAT(line_about("/t/a.page", settings, "root", "command-execute-denied"),
              HasSubstr("fix: chmod o+x '"));
}

}  // namespace
}  // namespace permguard::test
