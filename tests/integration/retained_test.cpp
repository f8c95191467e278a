// SPDX-License-Identifier: Apache-2.0
//
// What the server counts survives restarts, and no restart loses what happened meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using Json = nlohmann::json;

constexpr int kScripts = 12;

std::string broken(int number) {
  return "broken" + std::to_string(number) + ".cgi";
}

/// Requests each incident has counted, by the script's name.
std::map<std::string, std::uint64_t> counts(const HttpdServer& server) {
  const HttpResponse status = server.get("/permguard-status?json");
  EXPECT_EQ(status.status, 200);
  std::map<std::string, std::uint64_t> counts;
  const Json document = Json::parse(status.body);
  for (const Json& incident : document.at("incidents")) {
    const auto path = incident.at("finding").at("path").get<std::string>();
    counts[path.substr(path.rfind('/') + 1)] += incident.at("count").get<std::uint64_t>();
  }
  return counts;
}

class Retained : public testing::TestWithParam<Mpm> {
 protected:
  Retained() : server_(options()) {
    for (int i = 0; i < kScripts; ++i) {
      server_.tree().write("cgi-bin/" + broken(i), "#!/bin/sh\n", 0644);
    }
    server_.start();
    server_.log().allow("not-executable: ");
  }

  static HttpdOptions options() {
    HttpdOptions options;
    options.mpm = GetParam();
    options.config = "PermGuard enforce\nPermGuardWatch off\nPermGuardLogInterval 3600\n";
    return options;
  }

  HttpdServer server_;
};
INSTANTIATE_TEST_SUITE_P(Mpm, Retained, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Retained, EveryIncidentIsCountedThroughGracefulRestarts) {
  std::array<std::atomic<std::uint64_t>, kScripts> answered{};
  std::array<std::atomic<std::uint64_t>, kScripts> unanswered{};
  std::atomic<int> wrong{0};
  std::atomic<bool> stop{false};
  const auto load = [&](int first) {
    for (int i = first; !stop; i = (i + 1) % kScripts) {
      const int status = server_.get("/cgi-bin/" + broken(i)).status;
      // httpd may close a connection it has not answered while it restarts.
      auto& counter = status == 0 ? unanswered : answered;
      ++counter[static_cast<std::size_t>(i)];
      if (status != 0 && status != 500) ++wrong;
    }
  };
  {
    const std::array<std::jthread, 2> clients = {std::jthread(load, 0), std::jthread(load, 6)};
    for (int i = 0; i < 20; ++i) server_.graceful();
    stop = true;
  }
  EXPECT_EQ(wrong, 0);
  const auto counted = counts(server_);
  EXPECT_EQ(counted.size(), kScripts);
  for (int i = 0; i < kScripts; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_GE(counted.at(broken(i)), answered[at]) << broken(i);
    EXPECT_LE(counted.at(broken(i)), answered[at] + unanswered[at]) << broken(i);
    // A generation that did not know the incident would have logged it whole again.
    EXPECT_EQ(server_.log().count(broken(i) + "': mode 0644"), 1U);
  }
}

TEST_P(Retained, KeepsCountsUntilTheServerStops) {
  const auto ask = [&] { EXPECT_EQ(server_.get("/cgi-bin/" + broken(0)).status, 500); };
  ask();
  ask();
  EXPECT_EQ(counts(server_)[broken(0)], 2U);
  server_.graceful();
  ask();
  EXPECT_EQ(counts(server_)[broken(0)], 3U);
  server_.restart();
  ask();
  EXPECT_EQ(counts(server_)[broken(0)], 4U);
  server_.stop();
  server_.start();
  EXPECT_EQ(counts(server_).size(), 0U);
  ask();
  EXPECT_EQ(counts(server_)[broken(0)], 1U);
}

TEST_P(Retained, BeginsAnewWithAnotherTable) {
  EXPECT_EQ(server_.get("/cgi-bin/" + broken(0)).status, 500);
  EXPECT_EQ(counts(server_).size(), 1U);
  server_.configure(options().config + "PermGuardIncidents 32\n");
  server_.graceful();
  EXPECT_EQ(counts(server_).size(), 0U);
}

}  // namespace
}  // namespace permguard::test
