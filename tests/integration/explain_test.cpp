// SPDX-License-Identifier: Apache-2.0
//
// What the log says at the end of a request that failed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Explain : public testing::TestWithParam<Mpm> {
 protected:
  GuardedServer server{"", GetParam(), {"include", "rewrite", "actions"}};

  void start(const std::string& config) {
    server.configure(config);
    server.start();
  }
  std::string access_log(std::size_t lines) {
    std::string text;
    poll_until([&] {
      text = server.tree().read("logs/access.log");
      return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) >= lines;
    });
    return text;
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, Explain, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

/// A line of the module without time, process, client and age.
std::string gist(const std::string& line) {
  const std::size_t begin = line.find("] ", line.find("[client"));
  return line.substr(begin + 2, line.find("; changed") - begin - 2);
}

TEST_P(Explain, SaysAfterTheFailureWhatOtherModesSayBefore) {
  server.tree().write("cgi-bin/crlf.cgi", "#!/bin/sh\r\necho\r\n", 0755);
  server.tree().write("cgi-bin/lost.cgi", "#!/no/such/interpreter\n", 0755);
  server.tree().write("cgi-bin/unreadable.cgi", cgi_script("ok"), 0711);
  server.log().allow("cannot open");
  const std::pair<const char*, const char*> scripts[] = {{"broken.cgi", "not-executable:"},
                                                         {"crlf.cgi", "shebang-crlf:"},
                                                         {"lost.cgi", "interpreter-not-found:"},
                                                         {"unreadable.cgi", "read-denied:"}};
  std::string said[2];
  for (int mode = 0; mode < 2; ++mode) {
    server.configure(mode == 0 ? "PermGuard report" : "PermGuard explain");
    server.start();
    for (const auto& [script, tag] : scripts) {
      EXPECT_EQ(server.get(std::string("/cgi-bin/") + script).status, 500);
      said[mode] += gist(server.log().expect(tag)) + "\n";
    }
    server.stop();
  }
  EXPECT_EQ(said[0], said[1]);
}

TEST_P(Explain, ExoneratesAScriptThatMayRunOnceAnInterval) {
  server.tree().write("cgi-bin/sent.cgi",
                      "#!/bin/sh\nprintf 'Status: 503 Busy\\nContent-Type: text/plain\\n\\nx'\n",
                      0755);
  server.tree().write("cgi-bin/malformed.cgi", "#!/bin/sh\necho nonsense\n", 0755);
  server.log().allow("malformed header");
  for (const char* mode : {"enforce", "report", "explain"}) {
    server.configure(std::string("PermGuard ") + mode);
    server.start();
    const std::string begin = "exonerated: www-data can execute '";
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
      EXPECT_EQ(server.get("/cgi-bin/sent.cgi").status, 503);
      EXPECT_EQ(server.get("/cgi-bin/malformed.cgi").status, 500);
    }
    server.log().expect(begin + server.tree().path("cgi-bin/silent.cgi") +
                        "'; the request failed with status 500: no headers from the script");
    server.log().expect("status 503: answered by the script");
    server.log().expect("malformed.cgi'; the request failed with status 500: other");
    EXPECT_EQ(server.told("exonerated"), 3U) << mode;
    EXPECT_EQ(server.told("error]"), 0U) << mode;
    server.stop();
    server.tree().remove("logs/error.log");
    server.log().skip();
  }
}

TEST_P(Explain, ATimeoutIsNamed) {
  server.tree().write("cgi-bin/slow.cgi", "#!/bin/sh\nexec sleep 60\n", 0755);
  server.log().allow("Timeout waiting for output");
  server.log().allow("timed out before returning headers");
  start(GetParam() == Mpm::event ? "CGIDScriptTimeout 1" : "Timeout 1");
  EXPECT_EQ(server.get("/cgi-bin/slow.cgi").status, 504);
  server.log().expect("the request failed with status 504: timeout");
}

TEST_P(Explain, NoticesHonourTheModulesLogLevel) {
  start("LogLevel permguard:error");
  EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 500);
  server.log().expect("not-executable");
  EXPECT_EQ(server.told("exonerated"), 0U);
}

TEST_P(Explain, NamesTheDirectoryThatMayNotBeSearched) {
  server.tree().write("home/ann/cgi/a.cgi", cgi_script("ok"), 0755);
  server.tree().write("home/ann/page.html", "page");
  server.tree().chmod("home/ann", 0700);
  start(
      "PermGuardStatusCode 503\nScriptAlias /ann/ @ROOT@/home/ann/cgi/\n"
      "Alias /pages/ @ROOT@/home/ann/");
  const HttpResponse response = server.get("/ann/a.cgi");
  EXPECT_EQ(response.status, 403) << "httpd's own status stays";
  EXPECT_THAT(response.body, Not(HasSubstr("home/ann")));
  const std::string root = server.tree().root();
  EXPECT_THAT(
      server.log().expect("search-denied: www-data cannot execute"),
      HasSubstr("'" + root + "/home/ann/cgi/a.cgi': directory '" + root +
                "/home/ann' mode 0700 (drwx------) root:root gives search to its owner only"));
  EXPECT_EQ(server.get("/pages/page.html").status, 403);
  server.log().expect("search-denied: www-data cannot read");
}

TEST_P(Explain, LeavesOther403sAlone) {
  server.tree().write("htdocs/page.html", "page");
  server.tree().mkdir("locked", 0700);
  server.log().allow("AH01630");
  server.log().allow("AH01797");
  start(
      "RewriteEngine on\nRewriteRule ^@ROOT@/locked/x - [F]\n"
      "<Location /page.html>\nRequire all denied\n</Location>\n"
      "<Location /cgi-bin/broken.cgi>\nRequire all denied\n</Location>\n"
      "<Location /missing>\nRequire all denied\n</Location>");
  for (const std::string& path : {std::string("/page.html"), std::string("/cgi-bin/broken.cgi"),
                                  std::string("/missing"), server.tree().path("locked/x")}) {
    EXPECT_EQ(server.get(path).status, 403) << path;
  }
  EXPECT_EQ(server.log().count("[permguard:"), 0U);
}

TEST_P(Explain, TheAccessLogHasTheCode) {
  server.tree().write("locked/a.cgi", cgi_script("ok"), 0755);
  server.tree().chmod("locked", 0700);
  server.tree().write("cgi-bin/unreadable.cgi", cgi_script("ok"), 0711);
  server.log().allow("cannot open");
  server.log().allow("[permguard:error]");
  const std::string text[] = {"PermGuard enforce",
                              "PermGuard report\nErrorDocument 500 /index.html\n"
                              "ErrorDocument 403 /index.html",
                              "PermGuard explain"};
  for (const std::string& config : text) {
    server.configure(
        config +
        "\nLogFormat \"%U %{PERMGUARD_CODE}e\" code\nScriptAlias /locked/ @ROOT@/locked/\n"
        "CustomLog logs/access.log code");
    server.start();
    for (const char* path : {"/cgi-bin/broken.cgi", "/cgi-bin/unreadable.cgi", "/locked/a.cgi",
                             "/cgi-bin/ok.cgi", "/cgi-bin/silent.cgi"}) {
      server.get(path);
    }
    const std::string log = access_log(6);
    EXPECT_THAT(log, HasSubstr("/cgi-bin/broken.cgi not-executable\n")) << config;
    EXPECT_THAT(log, HasSubstr("/cgi-bin/unreadable.cgi read-denied\n")) << config;
    EXPECT_THAT(log, HasSubstr("/locked/a.cgi search-denied\n")) << config;
    EXPECT_THAT(log, HasSubstr("/cgi-bin/ok.cgi -\n")) << config;
    EXPECT_THAT(log, HasSubstr("/cgi-bin/silent.cgi -\n")) << config;
    server.stop();
    server.tree().remove("logs/access.log");
  }
}

TEST_P(Explain, AnErrorDocumentGetsTheCode) {
  server.tree().write("cgi-bin/error.cgi",
                      "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
                      "echo \"code=$REDIRECT_PERMGUARD_CODE\"\n",
                      0755);
  server.tree().write("cgi-bin/unreadable.cgi", cgi_script("ok"), 0711);
  server.tree().write("locked/a.cgi", cgi_script("ok"), 0755);
  server.tree().chmod("locked", 0700);
  server.log().allow("cannot open");
  server.log().allow("[permguard:error]");
  for (const char* mode : {"enforce", "report", "explain"}) {
    server.configure(
        std::string("PermGuard ") + mode +
        "\nErrorDocument 500 /cgi-bin/error.cgi\nErrorDocument 403 /cgi-bin/error.cgi\n"
        "ScriptAlias /locked/ @ROOT@/locked/");
    server.start();
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").body, "code=not-executable\n") << mode;
    EXPECT_EQ(server.get("/cgi-bin/unreadable.cgi").body, "code=read-denied\n") << mode;
    EXPECT_EQ(server.get("/locked/a.cgi").body, "code=search-denied\n") << mode;
    EXPECT_EQ(server.get("/cgi-bin/silent.cgi").body, "code=\n") << mode;
    server.stop();
  }
}

TEST_P(Explain, AnActionsScriptIsExplained) {
  server.tree().write("htdocs/page.acted", "text");
  start(
      "PermGuardStatusCode 503\nAction acted /cgi-bin/broken.cgi\nAddHandler acted .acted\n"
      "LogFormat \"%U %{PERMGUARD_CODE}e\" code\nCustomLog logs/access.log code");
  EXPECT_EQ(server.get("/page.acted").status, 503);
  server.log().expect("not-executable: www-data cannot execute");
  EXPECT_THAT(access_log(2), HasSubstr("/page.acted not-executable"));
}

TEST_P(Explain, ABusyFileIsExplainedAndNeverAnswered) {
  const std::string path = server.tree().write("cgi-bin/busy", "", 0755);
  run({"cp", "/bin/true", path});
  server.log().allow("Text file busy");
  start("PermGuard enforce strict");
  {
    std::FILE* writer = std::fopen(path.c_str(), "a");
    ASSERT_NE(writer, nullptr);
    EXPECT_EQ(server.get("/cgi-bin/busy").status, 500);
    std::fclose(writer);
  }
  // Linux 6.11 to 6.12 allowed such writers; without the kernel's question nothing is seen.
  if (server.log().count("Text file busy") == 0) GTEST_SKIP() << "this kernel runs busy files";
  server.log().expect("[permguard:");
}

}  // namespace
}  // namespace permguard::test
