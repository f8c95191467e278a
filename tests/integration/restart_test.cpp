// SPDX-License-Identifier: Apache-2.0
//
// Graceful restarts under load: no request, no incident and no count is lost.
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using nlohmann::json;

constexpr int kRestarts = 20;
constexpr int kClients = 3;

class Restart : public testing::TestWithParam<Mpm> {};
INSTANTIATE_TEST_SUITE_P(Mpm, Restart, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

/// Clients that ask for the broken and the healthy script until they are stopped.
class Load {
 public:
  explicit Load(const HttpdServer& server) {
    for (int i = 0; i < kClients; ++i) threads_.emplace_back([this, &server] { work(server); });
  }
  ~Load() { stop(); }

  void stop() {
    ending_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  int blocked() const { return blocked_; }
  int wrong() const { return wrong_; }

 private:
  void work(const HttpdServer& server) {
    while (!ending_) {
      count(server.get("/cgi-bin/broken.cgi").status);
      // mod_cgid's daemon is restarted too: meanwhile stock httpd answers 503.
      server.get("/cgi-bin/ok.cgi");
    }
  }
  /// Status 0: httpd closed the connection while it restarted, as it may.
  void count(int status) {
    if (status == 503) {
      ++blocked_;
    } else if (status != 0) {
      ++wrong_;
    }
  }

  std::atomic<bool> ending_{false};
  std::atomic<int> blocked_{0};
  std::atomic<int> wrong_{0};
  std::vector<std::thread> threads_;
};

TEST_P(Restart, TwentyUnderLoadLoseNothing) {
  GuardedServer server("PermGuardStatusCode 503\nPermGuardLogInterval 3600", GetParam());
  server.log().allow("AH");  // what httpd itself says about its restarts
  server.start();
  Load load(server);
  for (int i = 0; i < kRestarts; ++i) server.graceful();
  load.stop();
  EXPECT_EQ(load.wrong(), 0);
  EXPECT_GT(load.blocked(), 0);
  server.log().expect("not-executable: www-data cannot execute");
  EXPECT_EQ(server.told("not-executable"), 1U) << "one incident, told once over all generations";
  const json status = json::parse(server.get("/permguard-status?json").body);
  EXPECT_EQ(status["server"]["generation"], kRestarts);
  ASSERT_EQ(status["incidents"].size(), 1U);
  EXPECT_EQ(status["incidents"][0]["open"], true);
  // A request whose connection broke may have been counted.
  EXPECT_GE(status["incidents"][0]["count"].get<int>(), load.blocked());
}

}  // namespace
}  // namespace permguard::test
