// SPDX-License-Identifier: Apache-2.0
//
// The handler permguard-status: queries, headers, and who may switch it on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kStatus = "/permguard-status";

class Status : public testing::Test {
 protected:
  GuardedServer server;

  void start(const std::string& config = "") {
    server.configure(config);
    server.start();
  }
  HttpResponse get(const std::string& query) { return server.get(kStatus + query); }
};

TEST_F(Status, EachViewHasItsTypeAndIsNeverStored) {
  start();
  const std::pair<const char*, const char*> views[] = {
      {"", "text/html; charset=UTF-8"},
      {"?", "text/html; charset=UTF-8"},
      {"?json", "application/json"},
      {"?auto", "text/plain"},
      {"?openmetrics", "text/plain; version=0.0.4"},
      {"?health", "application/health+json"},
      {"?json&refresh=5", "application/json"}};
  for (const auto& [query, type] : views) {
    const HttpResponse response = get(query);
    EXPECT_EQ(response.status, 200) << query;
    EXPECT_THAT(response.header("Content-Type"), testing::StartsWith(type)) << query;
    EXPECT_EQ(response.header("Cache-Control"), "no-store") << query;
    EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff") << query;
    EXPECT_FALSE(response.body.empty()) << query;
    const HttpResponse head = server.request("HEAD", kStatus + std::string(query));
    EXPECT_EQ(head.status, 200) << query;
    EXPECT_EQ(head.body, "") << query;
  }
}

TEST_F(Status, ThePageHasAStrictPolicy) {
  start();
  const std::string policy = get("").header("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST_F(Status, NothingButThePageMayLoadOrRunAnything) {
  start();
  for (const char* query : {"?json", "?auto", "?openmetrics", "?health"}) {
    EXPECT_THAT(get(query).header("Content-Security-Policy"),
                testing::StartsWith("default-src 'none'; "))
        << query;
  }
}

TEST_F(Status, RefusalsAreNotStoredEither) {
  start();
  EXPECT_EQ(get("?unknown").header("Cache-Control"), "no-store");
  EXPECT_EQ(server.request("POST", kStatus).header("Cache-Control"), "no-store");
}

TEST_F(Status, WatchedDirectoriesAreThereBeforeTheFirstRun) {
  start("PermGuardWatchInterval 3600");
  const json status = json::parse(get("?json").body);
  ASSERT_EQ(status["watch"].size(), 1U);
  EXPECT_EQ(status["watch"][0]["directory"], server.tree().path("cgi-bin"));
  EXPECT_TRUE(status["watch"][0]["last_run"].is_null());
  EXPECT_THAT(get("?openmetrics").body, HasSubstr("\npermguard_watch_directories 1\n"));
}

TEST_F(Status, MetricsFollowAccept) {
  start();
  const HttpResponse response =
      server.request("GET", "/permguard-status?openmetrics",
                     {"Accept: application/openmetrics-text;version=1.0.0"});
  EXPECT_THAT(response.header("Content-Type"), testing::StartsWith("application/openmetrics-text"));
  EXPECT_EQ(response.header("Vary"), "Accept");
  EXPECT_THAT(response.body, testing::EndsWith("# EOF\n"));
}

TEST_F(Status, UnknownArgumentsAre400) {
  start();
  for (const char* query :
       {"?jsonx", "?JSON", "?json=1", "?x=json", "?json&auto", "?json&json",
        "?refresh=", "?refresh=0", "?refresh=-1", "?refresh=1x", "?refresh=99999",
        "?refresh=1&refresh=2", "?%6ason", "?json&", "?refreshx"}) {
    EXPECT_EQ(get(query).status, 400) << query;
  }
}

TEST_F(Status, RefreshIsAHeader) {
  start();
  EXPECT_EQ(get("?refresh=7").header("Refresh"), "7");
  EXPECT_EQ(get("?refresh").header("Refresh"), "10");
  EXPECT_EQ(get("").header("Refresh"), "");
}

TEST_F(Status, OtherMethodsAre405) {
  start();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "ODD"}) {
    const HttpResponse response = server.request(method, kStatus);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(response.header("Allow"), HasSubstr("GET")) << method;
    EXPECT_THAT(response.header("Allow"), Not(HasSubstr("POST"))) << method;
  }
}

TEST_F(Status, ShowsWhatWasFound) {
  start(
      "PermGuard report\n<VirtualHost 127.0.0.1:@PORT@>\nServerName a.example\n</VirtualHost>\n"
      "<VirtualHost 127.0.0.1:@PORT@>\nServerName b.example\nPermGuard enforce strict\n"
      "</VirtualHost>");
  server.get_from("b.example", "/cgi-bin/broken.cgi");
  server.log().expect("not-executable");
  const json status = json::parse(server.get_from("a.example", "/permguard-status?json").body);
  EXPECT_EQ(status["schema"], 1);
  EXPECT_EQ(status["health"], "fail");
  ASSERT_EQ(status["incidents"].size(), 1U);
  const json& incident = status["incidents"][0];
  EXPECT_EQ(incident["finding"]["code"], "not-executable");
  EXPECT_EQ(incident["finding"]["target"], server.tree().path("cgi-bin/broken.cgi"));
  EXPECT_EQ(incident["count"], 1);
  EXPECT_EQ(incident["open"], true);
  EXPECT_THAT(incident["vhost"].get<std::string>(), testing::StartsWith("b.example"));
  std::string modes;
  for (const json& vhost : status["server"]["vhosts"])
    modes += vhost["mode"].get<std::string>() + ",";
  EXPECT_THAT(modes, HasSubstr("enforce strict,"));
  EXPECT_THAT(modes, HasSubstr("report,"));
  EXPECT_EQ(status["server"]["generation"], 0);
}

TEST_F(Status, GenerationAndStartAreKnown) {
  start();
  const auto server_now = [&] { return json::parse(get("?json").body)["server"]; };
  const std::string started = server_now()["started"];
  server.graceful();
  EXPECT_EQ(server_now()["generation"], 1);
  EXPECT_EQ(server_now()["started"], started);
}

TEST_F(Status, HealthAnswers503OnlyWhereToldTo) {
  start();
  server.get("/cgi-bin/broken.cgi");
  server.log().expect("not-executable");
  const HttpResponse warned = get("?health");
  EXPECT_EQ(warned.status, 200);
  EXPECT_EQ(json::parse(warned.body)["status"], "fail");
  EXPECT_THAT(warned.body, Not(HasSubstr("broken.cgi")));
  server.configure("PermGuardHealth fail");
  server.graceful();
  const HttpResponse failed = get("?health");
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(json::parse(failed.body)["status"], "fail");
  server.tree().chmod("cgi-bin/broken.cgi", 0755);
  server.get("/cgi-bin/broken.cgi");
  EXPECT_EQ(get("?health").status, 200);
}

/// A tenant who may override everything must not see other tenants' paths.
TEST(StatusPage, OfATenantIsNotFound) {
  const std::pair<const char*, const char*> tenants[] = {
      {"set", "SetHandler permguard-status\n"},
      {"quoted", "SetHandler \"permguard-status\"\n"},
      {"upper", "SetHandler PermGuard-Status\n"},
      {"expression",
       "SetHandler \"%{reqenv:HANDLER}\"\nSetEnvIf Request_URI . HANDLER=permguard-status\n"},
      {"added", "AddHandler permguard-status .html\n"},
      {"typed", "AddType permguard-status .html\n"},
      {"files", "<Files page.html>\nSetHandler permguard-status\n</Files>\n"},
      {"if", "<If \"true\">\nSetHandler permguard-status\n</If>\n"},
      {"rewritten", "RewriteEngine on\nRewriteRule . - [H=permguard-status]\n"}};
  GuardedServer shared("<Directory @ROOT@/htdocs>\nAllowOverride All\nOptions All\n</Directory>",
                       Mpm::event, {"rewrite"});
  for (const auto& [name, text] : tenants) {
    shared.tree().write(std::string("htdocs/") + name + "/.htaccess", text);
    shared.tree().write(std::string("htdocs/") + name + "/page.html", "page");
  }
  shared.log().allow("AH01599");  // what mod_mime thinks of such a type
  shared.start();
  for (const auto& [name, text] : tenants) {
    EXPECT_EQ(shared.get(std::string("/") + name + "/page.html").status, 404) << name;
  }
}

TEST_F(Status, OfTheConfigurationWorksWhereverItStands) {
  server.tree().write("htdocs/area/page.html", "page");
  server.tree().write("htdocs/area/.htaccess", "SetHandler none\n");
  server.tree().write("htdocs/open/.htaccess", "SetEnv TENANT here\nSetHandler permguard-status\n");
  server.tree().write("htdocs/open/page.html", "page");
  server.tree().write("htdocs/directory/.htaccess", "SetEnv TENANT here\n");
  server.tree().write("htdocs/directory/page.html", "page");
  server.tree().write("extra.conf",
                      "<Location /included>\nSetHandler permguard-status\n</Location>\n");
  server.log().allow("AH01276");
  start(R"(
<Directory @ROOT@/htdocs>
AllowOverride All
</Directory>
<Directory @ROOT@/htdocs/directory>
SetHandler permguard-status
</Directory>
<Location /area/status>
SetHandler permguard-status
</Location>
<LocationMatch "^/match.d$">
SetHandler "permguard-status"
</LocationMatch>
<Location /open/inside>
SetHandler PermGuard-Status
</Location>
Include @ROOT@/extra.conf
<VirtualHost 127.0.0.1:@PORT@>
ServerName a.example
</VirtualHost>
<VirtualHost 127.0.0.1:@PORT@>
ServerName b.example
<Location /mine>
SetHandler permguard-status
</Location>
</VirtualHost>
)");
  for (const char* path : {"/permguard-status", "/directory/page.html", "/area/status", "/matched",
                           "/open/inside", "/included"}) {
    const HttpResponse response = server.get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_NE(response.header("Content-Security-Policy"), "") << path;
  }
  EXPECT_EQ(server.get("/area/page.html").body, "page");
  EXPECT_EQ(server.get("/open/page.html").status, 404);
  EXPECT_EQ(server.get_from("b.example", "/mine").status, 200);
  EXPECT_EQ(server.get_from("a.example", "/mine").status, 404);
}

}  // namespace
}  // namespace permguard::test
