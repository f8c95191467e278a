// SPDX-License-Identifier: Apache-2.0
//
// PermGuardEventLog where lines get lost: restarts and rotation under load, full disks and pipes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Asks for one script from several threads until it is destroyed.
class Load {
 public:
  Load(const HttpdServer& server, const std::string& path) {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([&server, path, this] {
        while (!stop_) {
          ++asked_;
          answered_ += server.get(path).status == 500;
        }
      });
    }
  }
  ~Load() { end(); }
  void end() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  void wait_for_more() const {
    const std::size_t before = answered_;
    EXPECT_TRUE(poll_until([&] { return answered_ > before + 10; }));
  }
  std::size_t asked() const { return asked_; }
  std::size_t answered() const { return answered_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> asked_{0}, answered_{0};
  std::vector<std::thread> threads_;
};

class EventLossTest : public ::testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as httpd's parent has";
  }

  /// Every request for broken.cgi gives one event.
  void start(const std::string& target) {
    server_ = std::make_unique<GuardedServer>(
        "PermGuard enforce\nPermGuardWatch off\nPermGuardLogInterval 0\n"
        "PermGuardEventLog \"" +
            target + "\"\n",
        GetParam());
    server_->log().allow("not-executable");
    server_->log().allow("long lost child came home");  // a logger of the old generation
    server_->start();
  }

  /// The whole lines of the files that begin with `prefix`; each must be JSON.
  std::size_t events(const std::string& prefix) const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(server_->tree().path("logs"))) {
      if (!entry.path().filename().string().starts_with(prefix)) continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line); ++count) {
        EXPECT_TRUE(nlohmann::json::accept(line)) << entry.path() << ": " << line;
      }
    }
    return count;
  }

  std::size_t dropped() const {
    const std::string page = server_->get("/permguard-status?openmetrics").body;
    std::smatch found;
    const std::regex pattern("\npermguard_events_dropped_total ([0-9]+)\n");
    return std::regex_search(page, found, pattern) ? std::stoul(found[1]) : 0;
  }

  /// One line for all processes.
  void expect_said_once() {
    server_->log().expect("events are dropped");
    EXPECT_EQ(server_->log().count("events are dropped"), 1U);
  }

  std::unique_ptr<GuardedServer> server_;
};

/// A request cut off by the restart may have given its event before.
void expect_all(std::size_t events, const Load& load) {
  EXPECT_GE(events, load.answered());
  EXPECT_LE(events, load.asked());
  EXPECT_GT(load.answered(), 20U);  // under load, not between two requests
}

TEST_P(EventLossTest, RotationByRenameAndGracefulLosesNothing) {
  start("logs/events.json");
  Load load(*server_, "/cgi-bin/broken.cgi");
  for (const char* old : {"logs/events.json.1", "logs/events.json.2"}) {
    load.wait_for_more();
    fs::rename(server_->tree().path("logs/events.json"), server_->tree().path(old));
    server_->graceful();
  }
  load.end();
  server_->get("/cgi-bin/broken.cgi");
  EXPECT_TRUE(poll_until([&] { return events("events.json") > load.answered(); }));
  expect_all(events("events.json") - 1, load);
  EXPECT_GT(fs::file_size(server_->tree().path("logs/events.json")), 0U);
}

TEST_P(EventLossTest, CopytruncateLeavesWholeLines) {
  start("logs/events.json");
  const std::string file = server_->tree().path("logs/events.json");
  for (int i = 0; i < 3; ++i) server_->get("/cgi-bin/broken.cgi");
  fs::copy_file(file, file + ".1");
  fs::resize_file(file, 0);
  for (int i = 0; i < 2; ++i) server_->get("/cgi-bin/broken.cgi");
  EXPECT_EQ(events("events.json"), 5U);
  EXPECT_EQ(events("events.json.1"), 3U);
}

TEST_P(EventLossTest, AProgramOfTheOldGenerationReadsToTheEnd) {
  for (const char* target :
       {"|/usr/bin/tee -a @ROOT@/logs/piped.json", "|$ cat >> @ROOT@/logs/piped.json"}) {
    start(target);
    Load load(*server_, "/cgi-bin/broken.cgi");
    for (int i = 0; i < 2; ++i) {
      load.wait_for_more();
      server_->graceful();
    }
    // Without load: the event MPM now and then crashes at SIGHUP while it closes a connection
    // (apr_os_sock_get() below server_main_loop(), with and without this module).
    load.end();
    server_->restart();
    server_->stop();
    EXPECT_TRUE(poll_until([&] { return events("piped.json") >= load.answered(); })) << target;
    expect_all(events("piped.json"), load);
  }
}

TEST_P(EventLossTest, RotatelogsGetsEveryLine) {
  start("|/usr/bin/rotatelogs @ROOT@/logs/rotated.%s 1");
  const auto files = [&] {
    const fs::directory_iterator logs(server_->tree().path("logs"));
    return std::count_if(begin(logs), end(logs), [](const fs::directory_entry& entry) {
      return entry.path().filename().string().starts_with("rotated.");
    });
  };
  std::size_t asked = 0;
  for (const int wanted : {2, 4}) {
    ASSERT_TRUE(poll_until([&] {
      server_->get("/cgi-bin/broken.cgi");
      ++asked;
      return files() >= wanted;
    }));
    server_->graceful();
  }
  EXPECT_TRUE(poll_until([&] { return events("rotated.") == asked; }))
      << events("rotated.") << " of " << asked;
}

TEST_P(EventLossTest, WhatLiesInThePipeIsReadAfterTheEnd) {
  start("|$ while read -r line; do echo $line; sleep 0.2; done >> @ROOT@/logs/piped.json");
  constexpr std::size_t kEach = 20;  // fits into a pipe
  const auto ask = [&] {
    for (std::size_t i = 0; i < kEach; ++i) server_->get("/cgi-bin/broken.cgi");
  };
  ask();
  server_->graceful();
  ask();
  server_->restart();
  ask();
  server_->stop();
  EXPECT_TRUE(poll_until([&] { return events("piped.json") == 3 * kEach; }))
      << events("piped.json") << " of " << 3 * kEach << " events";
}

TEST_P(EventLossTest, AProgramThatDiesIsStartedAgain) {
  start("|$ head -n 1 >> @ROOT@/logs/piped.json");
  server_->log().allow("AH00106");  // piped log program failed unexpectedly
  server_->log().allow("events are dropped");
  EXPECT_TRUE(poll_until([&] {
    server_->get("/cgi-bin/broken.cgi");
    return events("piped.json") >= 2;
  }));
}

TEST_P(EventLossTest, AReaderThatStopsCostsLinesAndNoTime) {
  start("|$ while [ -e @ROOT@/stopped ]; do sleep 0.1; done; cat >> @ROOT@/logs/piped.json");
  server_->tree().write("stopped", "");
  server_->restart();
  constexpr std::size_t kRequests = 120;
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_EQ(server_->get("/cgi-bin/broken.cgi").status, 500);
  }
  const std::size_t lost = dropped();
  EXPECT_GT(lost, 0U);
  expect_said_once();
  server_->log().allow("events are dropped");
  server_->tree().remove("stopped");
  EXPECT_TRUE(poll_until([&] { return events("piped.json") == kRequests - lost; }));
}

TEST_P(EventLossTest, AFullDiskKeepsWholeLines) {
  start("logs/first.json");
  if (!server_->tree().mount_tmpfs("logs/small", "size=16k,mode=0755")) {
    GTEST_SKIP() << "no mounts here";
  }
  server_->configure(
      "PermGuard enforce\nPermGuardWatch off\nPermGuardLogInterval 0\n"
      "PermGuardEventLog logs/small/events.json\n");
  server_->graceful();
  for (int i = 0; i < 40; ++i) ASSERT_EQ(server_->get("/cgi-bin/broken.cgi").status, 500);
  const std::string file = server_->tree().path("logs/small/events.json");
  std::ifstream input(file);
  std::size_t kept = 0;
  for (std::string line; std::getline(input, line); ++kept) {
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_EQ(kept + dropped(), 40U);
  EXPECT_GT(kept, 0U);
  expect_said_once();
  fs::resize_file(file, 0);
  server_->get("/cgi-bin/broken.cgi");
  EXPECT_TRUE(nlohmann::json::accept(server_->tree().read("logs/small/events.json")));
}

TEST_P(EventLossTest, ADeviceThatIsFullDropsAndCounts) {
  start("/dev/full");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(server_->get("/cgi-bin/broken.cgi").status, 500);
  EXPECT_EQ(dropped(), 10U);
  expect_said_once();
}

TEST_P(EventLossTest, TheFileIsNotForEverybody) {
  start("logs/events.json");
  struct stat status {};
  ASSERT_EQ(stat(server_->tree().path("logs/events.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
}

/// httpd says so before it leaves the terminal, so that the command fails.
TEST_P(EventLossTest, WhatCannotBeOpenedStopsTheStart) {
  const std::pair<const char*, const char*> targets[] = {
      {"/nowhere/events.json", "No such file or directory"},
      {"|/nowhere/program", "No such file or directory"},
      {"|/etc/passwd -x", "Permission denied"},
      {"@ROOT@", "Is a directory"},
      {"@ROOT@/fifo", "No such device or address"}};
  for (const auto& [target, why] : targets) {
    GuardedServer server(std::string("PermGuardEventLog \"") + target + "\"\n", GetParam());
    ASSERT_EQ(mkfifo(server.tree().path("fifo").c_str(), 0600), 0);
    EXPECT_NE(server.config_test({"-k", "start"}).exit_code, 0) << target;
    EXPECT_THAT(server.log().expect("PermGuardEventLog: '"), HasSubstr(why)) << target;
    server.log().allow("Configuration Failed");
  }
}

INSTANTIATE_TEST_SUITE_P(Mpms, EventLossTest, ::testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

}  // namespace
}  // namespace permguard::test
