// SPDX-License-Identifier: Apache-2.0
//
// Requests that reach a script another way than HTTP/1.1 under event or prefork: as streams of an
// HTTP/2 connection, which threads of mod_http2 serve, and under the worker MPM.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using nlohmann::json;

constexpr int kStreams = 200;

void expect_all_kinds_told(GuardedServer& server,
                           const std::function<HttpResponse(std::string)>& get) {
  const HttpResponse healthy = get("/cgi-bin/ok.cgi");
  EXPECT_EQ(healthy.status, 200) << healthy.error;
  EXPECT_EQ(healthy.body, "ok\n");

  const HttpResponse broken = get("/cgi-bin/broken.cgi");
  EXPECT_EQ(broken.status, 500) << broken.error;
  EXPECT_EQ(broken.body.find(server.tree().root()), std::string::npos);
  const std::string told = server.log().expect("not-executable: www-data cannot execute");
  EXPECT_NE(told.find(" 127.0.0.1:"), std::string::npos) << told;

  EXPECT_EQ(get("/cgi-bin/silent.cgi").status, 500);
  server.log().expect("status 500: no headers from the script");
  server.tree().chmod("cgi-bin/broken.cgi", 0755);
  EXPECT_EQ(get("/cgi-bin/broken.cgi").status, 200);
  server.log().expect("recovered: not-executable");
}

class Http2 : public testing::Test {
 protected:
  Http2() : server_("Protocols h2c http/1.1\n", Mpm::event, {"http2"}) { server_.start(); }

  HttpResponse get(const std::string& path) {
    HttpRequest request;
    request.url = server_.url(path);
    request.http2 = true;
    return send(request);
  }

  GuardedServer server_;
};

TEST_F(Http2, IsToldOfLikeAnyOther) {
  expect_all_kinds_told(server_, [this](const std::string& path) { return get(path); });
  EXPECT_EQ(get("/permguard-status?health").status, 200);
}

TEST_F(Http2, StreamsOfOneConnectionAreCountedEach) {
  const ProcessResult load = run({"h2load", "-n", std::to_string(kStreams), "-c", "1", "-m", "20",
                                  server_.url("/cgi-bin/broken.cgi")});
  ASSERT_TRUE(load.succeeded()) << load.err;
  EXPECT_NE(load.out.find(std::to_string(kStreams) + " 5xx"), std::string::npos) << load.out;
  EXPECT_NE(load.out.find(" 0 errored"), std::string::npos) << load.out;
  const json status = json::parse(server_.get("/permguard-status?json").body);
  ASSERT_EQ(status["incidents"].size(), 1U);
  EXPECT_EQ(status["incidents"][0]["count"], kStreams);
  server_.log().expect("not-executable: www-data");
  EXPECT_EQ(server_.told("not-executable: www-data"), 1U);
}

TEST(Worker, TellsLikeTheOtherMpms) {
  GuardedServer server("", Mpm::worker);
  server.start();
  expect_all_kinds_told(server, [&](const std::string& path) { return server.get(path); });
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/ok.cgi").status, 200);
}

}  // namespace
}  // namespace permguard::test
