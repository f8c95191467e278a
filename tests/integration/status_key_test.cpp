// SPDX-License-Identifier: Apache-2.0
//
// PermGuardStatusKey: who has not the key sees nothing but ?health, and no child has the key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kStatus = "/permguard-status";
constexpr const char* kKey = "correct-horse:battery-staple";

std::string base64(const std::string& text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      encoded += i + k <= text.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return encoded;
}

std::string basic(const std::string& user, const std::string& password) {
  return "Authorization: Basic " + base64(user + ":" + password);
}

std::string bearer(const std::string& key) {
  return "Authorization: Bearer " + key;
}

class StatusKey : public testing::Test {
 protected:
  StatusKey() { put_key(std::string(kKey) + "\n"); }

  void put_key(const std::string& text) {
    server.tree().write("status.key", text);
    server.tree().chmod("status.key", 0600);
  }
  void start(const std::string& more = "") {
    server.configure("PermGuardStatusKey status.key\nLogLevel permguard:info\n" + more);
    server.start();
  }
  HttpResponse ask(const std::string& query, std::vector<std::string> headers = {},
                   const std::string& method = "GET") {
    return server.request(method, kStatus + query, std::move(headers));
  }
  /// What httpd says of the configuration.
  ProcessResult test_config() {
    server.configure("PermGuardStatusKey status.key");
    return server.config_test();
  }

  GuardedServer server;
};

TEST_F(StatusKey, WithoutItEverythingButHealthIsRefused) {
  start();
  server.get("/cgi-bin/broken.cgi");
  server.log().expect("not-executable");
  for (const char* query : {"", "?json", "?auto", "?openmetrics", "?refresh=5", "?unknown",
                            "?health&json", "?json&health", "?health=1", "?healthy"}) {
    for (const char* method : {"GET", "HEAD", "POST", "PUT"}) {
      const HttpResponse refused = ask(query, {}, method);
      EXPECT_EQ(refused.status, 401) << method << query;
      EXPECT_EQ(refused.header("WWW-Authenticate"), "Basic realm=\"permguard\"");
      EXPECT_EQ(refused.header("Cache-Control"), "no-store");
      EXPECT_THAT(refused.body, Not(HasSubstr(server.tree().root())));
    }
  }
  for (const char* query : {"?health", "?health=", "?health&refresh=5"}) {
    const HttpResponse health = ask(query);
    EXPECT_EQ(health.status, 200) << query;
    EXPECT_THAT(health.body, AllOf(HasSubstr("fail"), Not(HasSubstr("broken.cgi"))));
  }
  EXPECT_EQ(ask("?health", {}, "POST").status, 405);
}

TEST_F(StatusKey, OpensTheWholePageAsPasswordOrToken) {
  start();
  const std::string right[] = {basic("", kKey), basic("any body", kKey), bearer(kKey),
                               "authorization: bearer  " + std::string(kKey),
                               "Authorization: BASIC " + base64(std::string("x:") + kKey)};
  for (const std::string& header : right) {
    for (const char* query : {"", "?json", "?auto", "?openmetrics", "?refresh=5"}) {
      EXPECT_EQ(ask(query, {header}).status, 200) << header << query;
      EXPECT_EQ(ask(query, {header}, "HEAD").status, 200) << header << query;
    }
    EXPECT_EQ(ask("?unknown", {header}).status, 400);
    EXPECT_EQ(ask("", {header}, "POST").status, 405);
  }
}

TEST_F(StatusKey, AnythingElseIsNotIt) {
  start();
  const std::string key = kKey;
  const std::string wrong[] = {bearer(key + "x"),
                               bearer(key.substr(1)),
                               bearer(""),
                               bearer(base64("x:" + key)),
                               basic("x", ""),
                               basic(key, "x"),
                               basic("x", key + "\n"),
                               "Authorization: Basic " + base64(key),
                               "Authorization: Basic ====",
                               "Authorization: " + key,
                               "Authorization: Digest " + key,
                               "Authorization:",
                               "Proxy-Authorization: Bearer " + key,
                               "X-Permguard-Key: " + key};
  for (const std::string& header : wrong) EXPECT_EQ(ask("?json", {header}).status, 401) << header;
  server.log().expect("is not that of PermGuardStatusKey");
  EXPECT_EQ(server.log().count("battery-staple"), 0U);
}

TEST_F(StatusKey, IsReadAnewAtEachGraceful) {
  start();
  EXPECT_EQ(ask("", {bearer(kKey)}).status, 200);
  put_key("another-key-of-today\r\n");
  server.graceful();
  EXPECT_EQ(ask("", {bearer(kKey)}).status, 401);
  EXPECT_EQ(ask("", {bearer("another-key-of-today")}).status, 200);
}

/// A restart must not end a server that runs; nor may it open its page.
TEST_F(StatusKey, ThatIsLostAtAGracefulClosesThePage) {
  start();
  server.tree().remove("status.key");
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/ok.cgi").status, 200);
  EXPECT_EQ(ask("?health").status, 200);
  EXPECT_EQ(ask("").status, 401);
  EXPECT_EQ(ask("", {bearer(kKey)}).status, 401);
  EXPECT_EQ(ask("", {bearer("")}).status, 401);
  EXPECT_THAT(server.log().expect("the status page is closed until the next restart"),
              HasSubstr("does not exist"));
}

TEST_F(StatusKey, OfABadFileKeepsTheServerFromStarting) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  const auto refusal = [&] {
    const ProcessResult result = test_config();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("PermGuardStatusKey: '" + server.tree().path("status.key")));
    return result.err;
  };
  EXPECT_EQ(test_config().exit_code, 0);
  for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0666U}) {
    server.tree().chmod("status.key", mode);
    EXPECT_THAT(refusal(), HasSubstr("its mode must be 0600")) << mode;
  }
  put_key("fifteen-letters\n");
  EXPECT_THAT(refusal(), HasSubstr("16 to 512 characters"));
  put_key("");
  EXPECT_THAT(refusal(), HasSubstr("16 to 512 characters"));
  put_key(std::string(513, 'x'));
  EXPECT_THAT(refusal(), HasSubstr("16 to 512 characters"));
  put_key("two lines of a key\nare too many\n");
  EXPECT_THAT(refusal(), HasSubstr("one line of visible ASCII"));
  put_key(std::string(512, 'x') + "\n");
  EXPECT_EQ(test_config().exit_code, 0);
  server.tree().chown("status.key", "www-data", "www-data");
  EXPECT_THAT(refusal(), HasSubstr("it must belong to root"));
  server.tree().remove("status.key");
  EXPECT_THAT(refusal(), HasSubstr("does not exist; make one as root"));
  server.tree().mkdir("status.key");
  EXPECT_THAT(refusal(), HasSubstr("is no regular file"));
  server.tree().remove("status.key");
  server.tree().symlink("/dev/zero", "status.key");
  EXPECT_THAT(refusal(), HasSubstr("is no regular file"));
}

TEST_F(StatusKey, IsAMatterOfTheServerAlone) {
  for (const char* place : {"<Directory />\nPermGuardStatusKey none\n</Directory>",
                            "<VirtualHost *:81>\nPermGuardStatusKey none\n</VirtualHost>"}) {
    server.configure(place);
    EXPECT_EQ(server.config_test().exit_code, 1) << place;
  }
  server.configure("PermGuardStatusKey none");
  server.start();
  EXPECT_EQ(ask("").status, 200);
}

/// Writable memory of a process that holds `text`.
bool memory_holds(pid_t pid, const std::string& text) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::ifstream maps(process + "/maps");
  std::ifstream memory(process + "/mem", std::ios::binary);
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    char dash = 0;
    std::string rights;
    std::istringstream fields(line);
    if (!(fields >> std::hex >> begin >> dash >> end >> rights) || rights[0] != 'r') continue;
    std::string bytes(end - begin, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (bytes.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST_F(StatusKey, IsInNoProcessOnceItWasRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to read httpd's memory";
  start();
  EXPECT_TRUE(memory_holds(server.pid(), server.tree().root())) << "nothing could be read";
  EXPECT_FALSE(memory_holds(server.pid(), kKey));
  for (const pid_t child : server.children()) EXPECT_FALSE(memory_holds(child, kKey)) << child;
}

TEST_F(StatusKey, ReachesNoScriptAndNoLog) {
  server.tree().write("cgi-bin/environment.cgi",
                      "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n", 0755);
  start("CustomLog logs/access.log \"%r %u %{PERMGUARD_CODE}e %>s\"");
  const HttpResponse seen = server.request("GET", "/cgi-bin/environment.cgi", {basic("x", kKey)});
  EXPECT_EQ(seen.status, 200);
  EXPECT_THAT(seen.body, Not(HasSubstr(base64(std::string("x:") + kKey))));
  EXPECT_EQ(ask("?json", {basic("x", kKey)}).status, 200);
  EXPECT_THAT(server.tree().read("logs/access.log"), Not(HasSubstr("battery-staple")));
  EXPECT_EQ(server.log().count("battery-staple"), 0U);
}

/// The server asked by itself, by a tenant's proxy rule or page, has no key.
TEST(StatusKeyOfATenant, IsWhatHeDoesNotHave) {
  GuardedServer server(
      "PermGuardStatusKey status.key\n"
      "<Location /permguard-status>\nRequire local\n</Location>\n"
      "<Directory @ROOT@/htdocs>\nAllowOverride All\nOptions All\n</Directory>",
      Mpm::event, {"rewrite", "proxy", "proxy_http", "include"});
  server.tree().write("status.key", std::string(kKey) + "\n", 0600);
  server.start();
  server.tree().write(
      "htdocs/t/.htaccess",
      "RewriteEngine on\nRewriteRule ^asks$ http://127.0.0.1:" + std::to_string(server.port()) +
          "/permguard-status?json [P]\n"
          "AddType text/html .shtml\nAddOutputFilter INCLUDES .shtml\n");
  server.tree().write("htdocs/t/page.shtml",
                      "<!--#include virtual=\"/permguard-status?json\" -->end");
  server.log().allow("unable to include");
  EXPECT_EQ(server.get("/t/asks").status, 401);
  EXPECT_THAT(server.get("/t/page.shtml").body, Not(HasSubstr("schema")));
  // Not even with what the administrator's browser sends along to the same host.
  const HttpResponse page = server.request("GET", "/t/page.shtml", {bearer(kKey)});
  EXPECT_THAT(page.body, AllOf(HasSubstr("end"), Not(HasSubstr("schema"))));
}

/// mod_status has its own access rules: counts only.
TEST(StatusKeyOfModStatus, IsNotAskedForAndItTellsNoPath) {
  GuardedServer server(
      "PermGuardStatusKey status.key\n"
      "<Location /server-status>\nSetHandler server-status\n</Location>",
      Mpm::event, {"status"});
  server.tree().write("status.key", std::string(kKey) + "\n", 0600);
  server.start();
  server.get("/cgi-bin/broken.cgi");
  server.log().expect("not-executable");
  for (const std::string query : {"", "?auto", "?notable"}) {
    const std::string body = server.get("/server-status" + query).body;
    const std::size_t ours = body.find(query == "?auto" ? "PermGuardVersion" : "mod_permguard");
    ASSERT_NE(ours, std::string::npos) << query;
    EXPECT_THAT(body.substr(ours), Not(HasSubstr(server.tree().root()))) << query;
  }
}

}  // namespace
}  // namespace permguard::test
