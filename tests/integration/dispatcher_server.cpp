// SPDX-License-Identifier: Apache-2.0
#include "integration/dispatcher_server.h"

#include <gtest/gtest.h>
#include <strings.h>

#include <algorithm>

namespace permguard::test {
namespace {

HttpdOptions options_for(const Scene& scene, const std::string& mode) {
  HttpdOptions options;
  options.mpm = scene.mpm;
  options.permguard = !mode.empty();
  options.modules = scene.modules;
  if (options.permguard) options.config = "PermGuard " + mode + "\nPermGuardLogInterval 0\n";
  options.config += scene.config;
  return options;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The date, and how the end of the body is marked: httpd chooses that by how fast a script writes.
bool varies(const std::string& name) {
  for (const char* header : {"Date", "Content-Length", "Transfer-Encoding"}) {
    if (strcasecmp(name.c_str(), header) == 0) return true;
  }
  return false;
}

/// Without what differs between two servers: the date, the port and where the files lie.
std::string text_of(HttpdServer& server, const Call& call) {
  const HttpResponse response = send({.method = call.method,
                                      .url = server.url(call.path),
                                      .headers = call.headers,
                                      .body = call.body});
  const bool good = call.status != 0 ? response.status == call.status
                                     : response.status >= 200 && response.status < 400;
  EXPECT_TRUE(good) << call.method << ' ' << call.path << ": " << response.status << response.body;
  std::string text = std::to_string(response.status) + "\n";
  for (const auto& [name, value] : response.headers) {
    if (!varies(name)) text += name + ": " + value + "\n";
  }
  text += "\n" + response.body;
  return replaced(replaced(text, server.tree().root(), "@ROOT@"), std::to_string(server.port()),
                  "@PORT@");
}

}  // namespace

DispatcherServer::DispatcherServer(const Scene& scene, const std::string& mode)
    : HttpdServer(options_for(scene, mode)) {
  if (scene.lay_out) scene.lay_out(tree());
  for (const std::string& text : scene.allowed) log().allow(text);
  start();
}

std::string DispatcherServer::metric(std::string_view name) const {
  const std::string body = get("/permguard-status?openmetrics").body;
  const std::size_t at = body.find("\n" + std::string(name) + " ");
  if (at == std::string::npos) return "";
  const std::size_t start = at + name.size() + 2;
  return body.substr(start, body.find('\n', start) - start);
}

void expect_as_stock(const Scene& scene, const std::vector<Call>& calls) {
  DispatcherServer stock(scene, "");
  DispatcherServer guarded(scene, "enforce strict");
  for (const Call& call : calls) {
    for (int i = 0; i < 2; ++i) {  // the second time the verdict is known
      EXPECT_EQ(text_of(guarded, call), text_of(stock, call)) << call.method << " " << call.path;
    }
  }
  EXPECT_EQ(guarded.lines(), 0U);
}

}  // namespace permguard::test
