// SPDX-License-Identifier: Apache-2.0
//
// Requests that stock httpd serves, or refuses by itself, in ways that the module cannot foresee.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;

class AsStock : public ::testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to run scripts as another user";
  }

  std::unique_ptr<GuardedServer> server(const std::string& config) {
    return std::make_unique<GuardedServer>("PermGuardWatch off\n" + config, GetParam());
  }

  static std::string script(const std::string& first_line) {
    return first_line + "\necho 'Content-Type: text/plain'\necho\necho ran\n";
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, AsStock, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(AsStock, WhatTheEnvironmentOfARequestDecidesIsServed) {
  const auto server = this->server("SetEnv APP_SHELL sh\n");
  server->tree().write("cgi-bin/a.cgi", script("#!/usr/bin/env -S ${APP_SHELL} -e"), 0755);
  server->start();
  EXPECT_EQ(server->get("/cgi-bin/a.cgi").body, "ran\n");
  EXPECT_EQ(server->told("a.cgi"), 0U);
}

TEST_P(AsStock, AnAbandonedCommandEarlierInPathIsPassedOver) {
  const auto server = this->server("SetEnv PATH \"@ROOT@/old:@ROOT@/new:/usr/bin:/bin\"\n");
  server->tree().write("old/tool", "#!/opt/gone/bin/sh\n", 0755);
  server->tree().write("new/tool", "#!/bin/sh\nexec /bin/sh \"$@\"\n", 0755);
  server->tree().write("cgi-bin/a.cgi", script("#!/usr/bin/env tool"), 0755);
  server->start();
  EXPECT_EQ(server->get("/cgi-bin/a.cgi").body, "ran\n");
  EXPECT_EQ(server->told("a.cgi"), 0U);
}

/// What is left of a body would reach the script of the error document, and reset the connection.
TEST_P(AsStock, APostToABrokenScriptHasItsErrorDocument) {
  const auto server = this->server(
      "<Location /cgi-bin/broken.cgi>\nErrorDocument 500 /cgi-bin/ok.cgi\n</Location>\n");
  server->log().allow("not-executable");
  server->start();
  for (int i = 0; i < 5; ++i) {
    HttpRequest request;
    request.url = server->url("/cgi-bin/broken.cgi");
    request.method = "POST";
    request.headers = {"Expect:"};
    request.body = std::string(300'000, 'x');
    const HttpResponse answer = send(request);
    EXPECT_EQ(answer.status, 500) << answer.error;
    EXPECT_EQ(answer.body, "ok\n");
  }
}

TEST_P(AsStock, ABodyThatHttpdRefusesIsRefusedByHttpd) {
  const auto server = this->server("LimitRequestBody 1000\n");
  server->log().allow("not-executable");
  server->log().allow("is larger than the configured limit");
  server->start();
  HttpRequest request;
  request.url = server->url("/cgi-bin/broken.cgi");
  request.method = "POST";
  request.headers = {"Expect:"};
  request.body = std::string(2000, 'x');
  EXPECT_EQ(send(request).status, 413);
}

/// The PATH of one script is not that of another.
TEST_P(AsStock, ARequestForAnotherScriptClosesNoIncidentOfEnv) {
  const auto server = this->server("<Files e.cgi>\nSetEnv PATH /nonexistent\n</Files>\n");
  server->tree().write("cgi-bin/e.cgi", script("#!/usr/bin/env sh"), 0755);
  server->start();
  EXPECT_EQ(server->get("/cgi-bin/e.cgi").status, 500);
  server->log().expect("command-not-found: www-data cannot execute");
  EXPECT_EQ(server->get("/cgi-bin/ok.cgi").status, 200);
  EXPECT_EQ(server->get("/cgi-bin/e.cgi").status, 500);
  EXPECT_EQ(server->told("recovered"), 0U);
  EXPECT_EQ(server->told("command-not-found"), 1U);
  EXPECT_THAT(server->get("/permguard-status?auto").body, HasSubstr("IncidentsOpen: 1"));
}

TEST_P(AsStock, ALinkThatOptionsForbidIsNoMatterOfPermissions) {
  const auto server = this->server(
      "PermGuardLogInterval 0\n<Directory @ROOT@/htdocs/none>\nOptions None\n</Directory>\n"
      "<Directory @ROOT@/htdocs/owner>\nOptions SymLinksIfOwnerMatch\n</Directory>\n"
      "<Directory @ROOT@/htdocs/all>\nOptions FollowSymLinks\n</Directory>\n");
  TempTree& tree = server->tree();
  tree.write("locked/page.html", "page");
  tree.chmod("locked", 0700);
  for (const char* directory : {"htdocs/none", "htdocs/owner", "htdocs/all"}) {
    tree.mkdir(directory);
    tree.symlink(tree.path("locked/page.html"), std::string(directory) + "/link.html");
  }
  server->log().allow("AH00037");
  server->log().allow("AH00035");
  server->start();
  EXPECT_EQ(server->get("/none/link.html").status, 403);
  EXPECT_EQ(server->told("link.html"), 0U);
  for (const char* page : {"/owner/link.html", "/all/link.html"}) {
    EXPECT_EQ(server->get(page).status, 403);
    server->log().expect("search-denied: www-data cannot read '" + tree.path("htdocs") + page);
  }
}

}  // namespace
}  // namespace permguard::test
