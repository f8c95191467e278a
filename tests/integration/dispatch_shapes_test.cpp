// SPDX-License-Identifier: Apache-2.0
//
// The ways in which a request comes to a CGI script: Action, SSI, DirectoryIndex, ErrorDocument,
// MultiViews, AddType, PATH_INFO and odd methods; and sub-requests that never execute anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/dispatcher_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view kEcho =
    "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
    "echo \"$REQUEST_METHOD $SCRIPT_NAME $PATH_INFO $QUERY_STRING $REDIRECT_STATUS\"\ncat\n";

class DispatchShapes : public testing::TestWithParam<Mpm> {
 protected:
  Scene scene{.mpm = GetParam(),
              .modules = {"actions", "include", "negotiation", "autoindex", "rewrite"},
              .config = R"(
<Directory "@ROOT@/htdocs">
  Options +ExecCGI +Includes +MultiViews +Indexes
  AddHandler cgi-script .cgi
  MultiviewsMatch Handlers
  AddType application/x-httpd-cgi .typed
  AddType text/html .shtml
  AddOutputFilter INCLUDES .shtml
  AddHandler painted .paint
  Action painted /cgi-bin/act.cgi
  AddHandler spoiled .spoil
  Action spoiled /cgi-bin/broken.cgi
  DirectoryIndex none.cgi index.cgi
</Directory>
RewriteEngine on
RewriteCond "/cgi-bin/broken.cgi" -U
RewriteCond "@ROOT@/cgi-bin/broken.cgi" -F [OR]
RewriteCond "/list/broken.cgi" -U
RewriteRule "^/guess$" - [R=204]
<Location "/missing">
  ErrorDocument 404 /cgi-bin/act.cgi
</Location>
<Location "/lost">
  ErrorDocument 404 /cgi-bin/broken.cgi
</Location>
)",
              .lay_out =
                  [](TempTree& tree) {
                    tree.write("cgi-bin/act.cgi", kEcho, 0755);
                    tree.write("cgi-bin/broken.cgi", kEcho, 0644);
                    tree.write("cgi-bin/silent.cgi", "#!/bin/sh\nexit 1\n", 0755);
                    tree.write("htdocs/page.cgi", kEcho, 0755);
                    tree.write("htdocs/some.typed", kEcho, 0755);
                    tree.write("htdocs/failing.cgi",
                               "#!/bin/sh\nprintf 'Status: 404 Gone\\n\\ngone'\n", 0755);
                    tree.write("htdocs/nph-raw.cgi",
                               "#!/bin/sh\nprintf 'HTTP/1.1 200 OK\\r\\nA: b\\r\\n"
                               "Connection: close\\r\\n\\r\\nraw'\n",
                               0755);
                    tree.write("htdocs/many/broken.cgi", kEcho, 0644);
                    tree.write("htdocs/many/broken.html", "page");
                    tree.write("htdocs/a.paint", "", 0600);
                    tree.write("htdocs/a.spoil", "", 0644);
                    tree.write("htdocs/dir/index.cgi", kEcho, 0755);
                    tree.write("htdocs/list/broken.cgi", kEcho, 0644);
                    tree.write("htdocs/list/index.none", "", 0644);
                    tree.write("htdocs/whole.shtml",
                               "<!--#include virtual=\"/page.cgi\" -->"
                               "<!--#exec cgi=\"/cgi-bin/act.cgi\" -->"
                               "<!--#exec cmd=\"echo command\" -->");
                    tree.write("htdocs/parts.shtml",
                               "<!--#include virtual=\"/cgi-bin/broken.cgi\" -->rest");
                    tree.write("htdocs/quiet.shtml",
                               "<!--#include virtual=\"/cgi-bin/silent.cgi\" -->rest");
                    tree.write("htdocs/asked.shtml",
                               "<!--#fsize virtual=\"/cgi-bin/broken.cgi\" -->"
                               "<!--#flastmod virtual=\"/list/broken.cgi\" -->");
                  },
              .allowed = {"exec of '", "End of script output before headers", "AH01264", "AH02811",
                          "AH01215", "unable to include"}};
};

INSTANTIATE_TEST_SUITE_P(Mpm, DispatchShapes, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(DispatchShapes, HealthyScriptsAnswerAsWithStockHttpd) {
  expect_as_stock(scene, {{"/page.cgi"},
                          {"/page.cgi/more/path"},
                          {"/page.cgi", "HEAD"},
                          {"/page.cgi", "OPTIONS"},
                          {"/page.cgi", "DELETE"},
                          {"/page.cgi", "FOO"},
                          {"/page.cgi?a=b", "POST", {}, "sent=1"},
                          {"/page", "GET", {"Accept: text/plain"}},
                          {"/some.typed"},
                          {"/some.typed/more", "POST", {}, "sent=2"},
                          {"/a.paint"},
                          {"/a.paint", "POST", {}, "sent=3"},
                          {"/dir/"},
                          {"/dir/", "HEAD"},
                          {"/whole.shtml"},
                          {"/missing", "GET", {}, {}, 404},
                          {"/missing", "HEAD", {}, {}, 404},
                          {"/failing.cgi", "GET", {}, {}, 404},
                          {"/nph-raw.cgi"},
                          {"/page.cgi", "TRACE"}});
}

TEST_P(DispatchShapes, TheScriptOfAnActionIsJudged) {
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/a.spoil").status, 500);
  server.log().expect("not-executable: www-data cannot execute '" +
                      server.tree().path("cgi-bin/broken.cgi"));
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(DispatchShapes, TheScriptOfAnErrorDocumentIsJudged) {
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/missing").status, 404);
  EXPECT_EQ(server.lines(), 0U);
  EXPECT_EQ(server.get("/lost").status, 404);
  server.log().expect("not-executable: www-data cannot execute '" +
                      server.tree().path("cgi-bin/broken.cgi"));
  EXPECT_EQ(server.lines(), 1U);
}

TEST_P(DispatchShapes, APartOfAPageIsJudgedAndNeverExonerated) {
  DispatcherServer server(scene, "enforce");
  EXPECT_THAT(server.get("/parts.shtml").body, HasSubstr("rest"));
  server.log().expect("not-executable: www-data cannot execute '" +
                      server.tree().path("cgi-bin/broken.cgi"));
  EXPECT_THAT(server.get("/quiet.shtml").body, HasSubstr("rest"));
  EXPECT_EQ(server.lines(), 1U);
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"ssi\",result=\"blocked\"}"), "1");
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"ssi\",result=\"healthy\"}"), "1");
}

TEST_P(DispatchShapes, APartThatFailedIsExplainedInEveryMode) {
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    tree.write("cgi-bin/unreadable.cgi", kEcho, 0711);
    tree.write("htdocs/late.shtml", "<!--#include virtual=\"/cgi-bin/unreadable.cgi\" -->rest");
  };
  scene.allowed.push_back("cannot open");
  for (const char* mode : {"report", "explain"}) {
    DispatcherServer server(scene, mode);
    EXPECT_THAT(server.get("/parts.shtml").body, HasSubstr("rest"));
    server.log().expect("not-executable: www-data cannot execute '" +
                        server.tree().path("cgi-bin/broken.cgi"));
    EXPECT_THAT(server.get("/late.shtml").body, HasSubstr("rest"));
    server.log().expect("read-denied: www-data cannot execute '" +
                        server.tree().path("cgi-bin/unreadable.cgi"));
    EXPECT_THAT(server.get("/quiet.shtml").body, HasSubstr("rest"));
    EXPECT_EQ(server.lines(), 2U) << mode;
  }
}

TEST_P(DispatchShapes, WhatIsOnlyAskedAboutCostsNothing) {
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/asked.shtml").status, 200);
  EXPECT_EQ(server.get("/list/").status, 200);  // a listing asks about every file
  EXPECT_EQ(server.get("/guess").status, 204);  // mod_rewrite's -F and -U
  EXPECT_EQ(server.request("GET", "/many/broken", {"Accept: text/html"}).body, "page");
  EXPECT_EQ(server.lines(), 0U);
  const std::string page = server.get("/permguard-status?openmetrics").body;
  for (const char* result : {"healthy", "reported", "blocked"}) {
    EXPECT_THAT(page, testing::Not(testing::ContainsRegex("permguard_checks_total.*result=\"" +
                                                          std::string(result) + "\"} [1-9]")));
  }
}

TEST(DispatchOrder, AnAnswerFromTheCacheIsNotStoppedByABrokenScript) {
  const Scene cached{
      .modules = {"cache", "cache_disk"},
      .config = "CacheQuickHandler off\nCacheEnable disk /\nCacheRoot @ROOT@/cache\nCacheHeader on",
      .lay_out = [](TempTree& tree) {
        tree.mkdir("cache", 0777);
        tree.write("cgi-bin/kept.cgi",
                   "#!/bin/sh\nprintf 'Content-Type: text/plain\\nCache-Control: max-age=3600\\n"
                   "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT\\n\\nkept\\n'\n",
                   0755);
      }};
  DispatcherServer server(cached, "enforce");
  EXPECT_EQ(server.get("/cgi-bin/kept.cgi").status, 200);
  server.tree().chmod("cgi-bin/kept.cgi", 0644);
  EXPECT_EQ(server.get("/cgi-bin/kept.cgi").body, "kept\n");
  EXPECT_EQ(server.lines(), 0U);
  EXPECT_EQ(server.get("/cgi-bin/kept.cgi?another=page").status, 500);
  server.log().expect("not-executable: ");
}

}  // namespace
}  // namespace permguard::test
