// SPDX-License-Identifier: Apache-2.0
//
// Requests that httpd refuses by itself, before a script's handler or in its own handlers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class BeforeHandler : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: the server must not own the files";
    for (const char* text : {"AH00037", "AH00132", "AH00529", "AH01275", "AH01276", "AH01630"}) {
      server.log().allow(text);
    }
  }
  void start(const std::string& config) {
    server.configure(config);
    server.start();
  }
  std::string path(const std::string& relative) { return server.tree().path(relative); }
  std::string state() { return server.get("/permguard-status?auto").body; }

  GuardedServer server{"", GetParam(), {"autoindex", "rewrite"}};
};

INSTANTIATE_TEST_SUITE_P(Mpm, BeforeHandler, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(BeforeHandler, AStaticFileThatMayNotBeRead) {
  server.tree().write("htdocs/page.html", "page", 0600);
  start("");
  const HttpResponse response = server.get("/page.html");
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(response.body, Not(HasSubstr(server.tree().root())));
  EXPECT_THAT(server.log().expect("read-denied: www-data cannot read"),
              HasSubstr("'" + path("htdocs/page.html") +
                        "': mode 0600 (-rw-------) root:root grants read to its owner only"));
  EXPECT_THAT(state(), HasSubstr("ChecksOtherReported: 1"));
  server.tree().chmod("htdocs/page.html", 0644);
  EXPECT_EQ(server.get("/page.html").status, 200);
}

TEST_P(BeforeHandler, AListingThatMayNotBeRead) {
  server.tree().mkdir("htdocs/list", 0711);
  start("<Directory @ROOT@/htdocs>\nOptions +Indexes\n</Directory>");
  EXPECT_EQ(server.get("/list/").status, 403);
  EXPECT_THAT(server.log().expect("directory-not-listable: www-data cannot read"),
              HasSubstr("'" + path("htdocs/list") + "/': directory '" + path("htdocs/list") +
                        "' mode 0711 (drwx--x--x) root:root gives read to its owner only"));
}

TEST_P(BeforeHandler, ADirectoryIndexBehindAnUnsearchableDirectory) {
  server.tree().write("htdocs/locked/index.html", "page");
  server.tree().chmod("htdocs/locked", 0700);
  start("DirectoryIndex index.html");
  EXPECT_EQ(server.get("/locked/").status, 403);
  EXPECT_THAT(server.log().expect("search-denied: www-data cannot read"),
              HasSubstr("'" + path("htdocs/locked") + "/': directory '" + path("htdocs/locked") +
                        "' mode 0700"));
  EXPECT_EQ(server.get("/locked/index.html").status, 403);
  EXPECT_EQ(server.get("/locked/other").status, 403);
  EXPECT_THAT(state(), HasSubstr("IncidentsOpen: 1"));
  EXPECT_EQ(server.told("search-denied"), 1U) << "one directory is one incident";
}

TEST_P(BeforeHandler, ALinkIntoALockedDirectory) {
  server.tree().write("home/ann/page.html", "page");
  server.tree().chmod("home/ann", 0700);
  server.tree().symlink(path("home/ann/page.html"), "htdocs/link.html");
  server.tree().symlink(path("home/nobody"), "htdocs/dangling.html");
  start("<Directory @ROOT@/htdocs>\nOptions FollowSymLinks\n</Directory>");
  EXPECT_EQ(server.get("/link.html").status, 403);
  EXPECT_THAT(server.log().expect("search-denied: www-data cannot read"),
              HasSubstr("'" + path("htdocs/link.html") + "': directory '" + path("home/ann") +
                        "' mode 0700 (drwx------) root:root gives search to its owner only"));
  EXPECT_EQ(server.get("/dangling.html").status, 403);
  server.log().expect("dangling-symlink: www-data cannot read");
}

TEST_P(BeforeHandler, AnUnreadableHtaccess) {
  server.tree().write("htdocs/closed/page.html", "page");
  server.tree().write("htdocs/closed/.htaccess", "# nothing\n", 0600);
  server.tree().write("htdocs/locked/page.html", "page");
  server.tree().chmod("htdocs/locked", 0700);
  start("<Directory @ROOT@/htdocs>\nAllowOverride All\n</Directory>");
  EXPECT_EQ(server.get("/closed/page.html").status, 403);
  EXPECT_THAT(server.log().expect("htaccess-read-denied: www-data cannot read"),
              HasSubstr("'" + path("htdocs/closed/page.html") + "': file '" +
                        path("htdocs/closed/.htaccess") + "' mode 0600 (-rw-------) root:root"));
  EXPECT_EQ(server.get("/closed/").status, 403);
  EXPECT_EQ(server.told("htaccess-read-denied"), 1U) << "one .htaccess is one incident";
  EXPECT_EQ(server.get("/locked/page.html").status, 403);
  EXPECT_THAT(server.log().expect("htaccess-search-denied: www-data cannot read"),
              HasSubstr("'" + path("htdocs/locked/page.html") + "': directory '" +
                        path("htdocs/locked") + "' mode 0700"));
}

TEST_P(BeforeHandler, AnotherNameOfHtaccess) {
  server.tree().write("htdocs/closed/page.html", "page");
  server.tree().write("htdocs/closed/.first", "# nothing\n", 0644);
  server.tree().write("htdocs/closed/.second", "# nothing\n", 0600);
  start(
      "AccessFileName .none .second .first\n"
      "<Directory @ROOT@/htdocs>\nAllowOverride All\n</Directory>");
  EXPECT_EQ(server.get("/closed/page.html").status, 403);
  EXPECT_THAT(server.log().expect("htaccess-read-denied:"), HasSubstr("/.second' mode 0600"));
}

TEST_P(BeforeHandler, RefusalsOfTheConfigurationAreLeftAlone) {
  server.tree().write("home/page.html", "page");
  server.tree().symlink(path("home/page.html"), "htdocs/link.html");
  server.tree().symlink(path("cgi-bin/ok.cgi"), "cgi-bin/link.cgi");
  server.tree().write("htdocs/denied/page.html", "page", 0600);
  server.tree().mkdir("htdocs/denied/locked", 0700);
  server.tree().write("htdocs/forbidden/page.html", "page", 0600);
  server.tree().mkdir("htdocs/forbidden/locked", 0700);
  server.tree().mkdir("htdocs/unlisted", 0711);
  start(R"(
<Directory @ROOT@/htdocs>
Options None
</Directory>
<Directory @ROOT@/cgi-bin>
Options None
</Directory>
<Directory @ROOT@/htdocs/denied>
Require all denied
</Directory>
<Directory @ROOT@/htdocs/forbidden>
Options FollowSymLinks
RewriteEngine on
RewriteRule . - [F]
</Directory>
)");
  for (const char* url : {"/link.html", "/cgi-bin/link.cgi", "/denied/page.html", "/denied/locked/",
                          "/forbidden/page.html", "/unlisted/"}) {
    EXPECT_EQ(server.get(url).status, 403) << url;
  }
  EXPECT_EQ(server.log().count("[permguard:"), 0U);
}

TEST_P(BeforeHandler, OffSaysNothingAndTheDirectorysSettingCountsWhereHttpdReachedIt) {
  server.tree().write("htdocs/off/page.html", "page", 0600);
  server.tree().write("htdocs/off/locked/page.html", "page");
  server.tree().chmod("htdocs/off/locked", 0700);
  start("<Directory @ROOT@/htdocs/off>\nPermGuard off\n</Directory>");
  EXPECT_EQ(server.get("/off/page.html").status, 403);
  EXPECT_EQ(server.told("page.html"), 0U);
  EXPECT_EQ(server.get("/off/locked/page.html").status, 403);
  server.log().expect("search-denied: www-data");
  server.configure("PermGuard off");
  server.graceful();
  EXPECT_EQ(server.get("/off/locked/page.html").status, 403);
  EXPECT_EQ(server.told("search-denied"), 1U);
}

TEST_P(BeforeHandler, WhatHttpdItselfReadsIsNotReadByAnotherUser) {
  server.tree().write("htdocs/page.html", "page", 0640);
  server.tree().chown("htdocs/page.html", "root", "daemon");
  start("PermGuardRunAs daemon");
  EXPECT_EQ(server.get("/page.html").status, 403);
  server.log().expect("read-denied: www-data cannot read");
}

TEST_P(BeforeHandler, TheWatchAsksAgain) {
  server.tree().write("htdocs/page.html", "page", 0600);
  server.tree().mkdir("htdocs/list", 0711);
  server.tree().write("htdocs/closed/.htaccess", "# nothing\n", 0600);
  server.tree().mkdir("htdocs/locked", 0700);
  server.log().allow("[permguard:error]");
  start(
      "PermGuardWatch auto\nPermGuardWatchInterval 1\nDirectoryIndex index.html\n"
      "<Directory @ROOT@/htdocs>\nOptions +Indexes\nAllowOverride All\n</Directory>\n"
      "<Directory @ROOT@/htdocs/locked>\nAllowOverride None\n</Directory>");
  for (const char* url : {"/page.html", "/list/", "/closed/page.html", "/locked/"}) {
    EXPECT_EQ(server.get(url).status, 403) << url;
  }
  for (const char* tag :
       {"read-denied: ", "directory-not-listable: ", "htaccess-read-denied: ", "search-denied: "}) {
    EXPECT_TRUE(poll_until([&] { return server.told(tag) > 0; })) << tag;
  }
  EXPECT_EQ(server.told("recovered"), 0U);
  server.tree().chmod("htdocs/page.html", 0644);
  server.tree().chmod("htdocs/list", 0755);
  server.tree().chmod("htdocs/closed/.htaccess", 0644);
  server.tree().chmod("htdocs/locked", 0755);
  for (const char* tag :
       {"read-denied '", "directory-not-listable '", "htaccess-read-denied '", "search-denied '"}) {
    EXPECT_TRUE(poll_until([&] { return server.told(std::string("recovered: ") + tag) > 0; }))
        << tag;
  }
}

TEST_P(BeforeHandler, TheCodeReachesLogAndErrorDocument) {
  server.tree().write("cgi-bin/error.cgi",
                      "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
                      "echo \"code=$REDIRECT_PERMGUARD_CODE\"\n",
                      0755);
  server.tree().write("htdocs/page.html", "page", 0600);
  server.tree().write("htdocs/closed/.htaccess", "# nothing\n", 0600);
  server.log().allow("[permguard:error]");
  start(
      "PermGuard explain\nErrorDocument 403 /cgi-bin/error.cgi\n"
      "<Directory @ROOT@/htdocs>\nAllowOverride All\n</Directory>\n"
      "LogFormat \"%U %{PERMGUARD_CODE}e\" code\nCustomLog logs/access.log code");
  EXPECT_EQ(server.get("/page.html").body, "code=read-denied\n");
  EXPECT_EQ(server.get("/closed/page.html").body, "code=htaccess-read-denied\n");
  EXPECT_TRUE(poll_until([&] {
    const std::string log = server.tree().read("logs/access.log");
    return log.find("/page.html read-denied\n") != std::string::npos &&
           log.find("/closed/page.html htaccess-read-denied\n") != std::string::npos;
  }));
  EXPECT_EQ(server.told("read-denied"), 2U) << "each is told once";
}

}  // namespace
}  // namespace permguard::test
