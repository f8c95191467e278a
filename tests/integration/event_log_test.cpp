// SPDX-License-Identifier: Apache-2.0
//
// PermGuardEventLog: every event as a line of JSON, in a file or through a program.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;

class EventLogTest : public ::testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root, as httpd's parent has";
    }
  }

  static HttpdOptions options(std::string config, std::vector<std::string> modules = {}) {
    HttpdOptions options;
    options.mpm = GetParam();
    options.config = std::move(config);
    options.modules = std::move(modules);
    return options;
  }

  static void allow_stock_lines(HttpdServer& server) {
    for (const char* text : {"AH01241", "AH01215", "End of script output"}) {
      server.log().allow(text);
    }
  }

  /// All lines; each must be JSON.
  static std::vector<nlohmann::json> events(const std::string& file) {
    std::vector<nlohmann::json> all;
    std::ifstream input(file);
    for (std::string line; std::getline(input, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }

  /// The first event of this action, or null where none comes.
  static nlohmann::json await(const std::string& file, const std::string& action) {
    nlohmann::json found;
    poll_until([&] {
      for (const auto& event : events(file)) {
        if (event["event"]["action"] == action) found = event;
      }
      return !found.is_null();
    });
    return found;
  }
};

TEST_P(EventLogTest, FindingRecoveryAndExoneration) {
  HttpdServer server(options("PermGuard report\nPermGuardEventLog logs/events.json\n"));
  const std::string script = server.tree().write("cgi-bin/a\n\xff\"b.cgi", cgi_script("a"), 0644);
  server.tree().write("cgi-bin/silent.cgi", "#!/bin/sh\nexit 1\n", 0755);
  allow_stock_lines(server);
  server.start();
  const std::string file = server.tree().path("logs/events.json");
  EXPECT_EQ(server.get("/cgi-bin/a%0A%FF%22b.cgi").status, 500);
  server.log().expect("not-executable");
  const nlohmann::json finding = await(file, "finding");
  EXPECT_EQ(finding["permguard"]["code"], "not-executable");
  EXPECT_EQ(finding["client"]["address"], "127.0.0.1");
  EXPECT_EQ(finding["user"]["name"], "www-data");

  run({"chmod", "755", script});
  EXPECT_EQ(server.get("/cgi-bin/a%0A%FF%22b.cgi").status, 200);
  EXPECT_FALSE(await(file, "recovered").is_null());
  EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  EXPECT_FALSE(await(file, "exonerated").is_null());
}

/// The access mode and the target of each descriptor of a process that is not a reading end of its
/// own or a socket: fdinfo's flags, proc(5).
std::vector<std::pair<std::string, unsigned>> descriptors_of(pid_t pid) {
  std::vector<std::pair<std::string, unsigned>> all;
  const std::string process = "/proc/" + std::to_string(pid);
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd")) {
    std::ifstream info(process + "/fdinfo/" + entry.path().filename().string());
    std::string key;
    while (info >> key && key != "flags:") {
    }
    unsigned flags = 0;
    info >> std::oct >> flags;
    std::error_code error;
    all.emplace_back(std::filesystem::read_symlink(entry.path(), error), flags);
  }
  return all;
}

/// It tells of every tenant; a child may add to it, and no more.
TEST_P(EventLogTest, ChildrenCannotReadTheFile) {
  HttpdServer server(options("PermGuard report\nPermGuardEventLog logs/events.json\n"));
  server.tree().write("cgi-bin/fds.cgi",
                      "#!/bin/sh\necho Content-Type: text/plain\necho\nls -l /proc/self/fd\n",
                      0755);
  server.start();
  const std::string file = server.tree().path("logs/events.json");
  EXPECT_EQ(server.get("/cgi-bin/fds.cgi").body.find("events.json"), std::string::npos);
  int holders = 0;
  for (const pid_t child : server.children()) {
    for (const auto& [target, flags] : descriptors_of(child)) {
      if (target != file) continue;
      ++holders;
      EXPECT_EQ(flags & O_ACCMODE, static_cast<unsigned>(O_WRONLY));
      EXPECT_NE(flags & O_APPEND, 0U);
      EXPECT_NE(flags & O_CLOEXEC, 0U);
    }
  }
  EXPECT_GT(holders, 0);
}

/// httpd keeps the reading end for the program it may have to start again.
TEST_P(EventLogTest, ChildrenCannotReadWhatOthersTellTheProgram) {
  HttpdServer server(
      options("PermGuard report\nPermGuardWatch off\n"
              "PermGuardEventLog \"|/usr/bin/tee @ROOT@/logs/events.json\"\n"));
  server.tree().write("cgi-bin/fds.cgi",
                      "#!/bin/sh\necho Content-Type: text/plain\necho\nls -l /proc/self/fd\n",
                      0755);
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  allow_stock_lines(server);
  server.start();
  // The parent has both ends of the one pipe that its children share for writing.
  std::string pipe;
  for (const auto& [target, flags] : descriptors_of(server.pid())) {
    const auto own = descriptors_of(server.pid());
    const bool both = std::count_if(own.begin(), own.end(),
                                    [&](const auto& each) { return each.first == target; }) == 2;
    if (target.starts_with("pipe:") && both && (flags & O_NONBLOCK) != 0) pipe = target;
  }
  ASSERT_FALSE(pipe.empty());
  EXPECT_EQ(server.get("/cgi-bin/fds.cgi").body.find(pipe), std::string::npos);
  int writers = 0, readers = 0;
  for (const pid_t child : server.children()) {
    std::ifstream comm("/proc/" + std::to_string(child) + "/comm");
    std::string name;
    comm >> name;
    const auto threads =
        std::filesystem::directory_iterator("/proc/" + std::to_string(child) + "/task");
    const bool daemon = GetParam() != Mpm::prefork && std::distance(threads, {}) == 1;
    if (name != "apache2" || daemon) continue;  // mod_cgid's daemon runs no child_init
    for (const auto& [target, flags] : descriptors_of(child)) {
      if (target == pipe) ++((flags & O_ACCMODE) == O_WRONLY ? writers : readers);
    }
  }
  EXPECT_GT(writers, 0);
  EXPECT_EQ(readers, 0);
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  server.log().expect("not-executable");
  EXPECT_FALSE(await(server.tree().path("logs/events.json"), "finding").is_null());
}

/// Whoever may write the directory could else have httpd's parent write somewhere else.
TEST_P(EventLogTest, ALinkOfOthersIsNotFollowed) {
  HttpdServer server(options("PermGuard report\nPermGuardEventLog logs/events.json\n"));
  const std::string link = server.tree().symlink(server.tree().path("victim"), "logs/events.json");
  ASSERT_EQ(::lchown(link.c_str(), 33, 33), 0);
  const ProcessResult refused = server.config_test({"-k", "start"});
  EXPECT_NE(refused.exit_code, 0);
  server.log().expect("events.json' cannot be opened");
  EXPECT_EQ(::access(server.tree().path("victim").c_str(), F_OK), -1);
  ASSERT_EQ(::lchown(link.c_str(), 0, 0), 0);
  server.start();
  EXPECT_EQ(::access(server.tree().path("victim").c_str(), F_OK), 0);
}

TEST_P(EventLogTest, TheWatchTellsToo) {
  HttpdServer server(
      options("PermGuard report\nPermGuardWatchInterval 1\nPermGuardEventLog logs/events.json\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  server.start();
  EXPECT_FALSE(await(server.tree().path("logs/events.json"), "audit").is_null());
  server.log().expect("not-executable");
}

TEST_P(EventLogTest, DriftAndRepetitionsAreEventsToo) {
  HttpdServer server(
      options("PermGuard report\nPermGuardLogInterval 1\nPermGuardWatch off\n"
              "PermGuardEventLog logs/events.json\n"
              "<Directory @ROOT@/cgi-bin>\nPermGuardExpect mode=0750\n</Directory>\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  server.log().allow("mode-drift");
  server.start();
  const std::string file = server.tree().path("logs/events.json");
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 200);
  const nlohmann::json drift = await(file, "finding");
  EXPECT_EQ(drift["permguard"]["severity"], "drift");
  EXPECT_EQ(drift["log"]["level"], "warn");
  EXPECT_TRUE(poll_until([&] {
    server.get("/cgi-bin/a.cgi");
    const auto all = events(file);
    return all.back()["event"]["action"] == "repeat" && all.back()["permguard"]["count"] > 0;
  }));
}

/// The watch tells again where requests were hurt meanwhile; each finding of a file is an event.
TEST_P(EventLogTest, EachFindingAndRepetitionOfTheWatchIsAnEvent) {
  HttpdServer server(
      options("PermGuard report\nPermGuardLogInterval 2\nPermGuardWatchInterval 1\n"
              "PermGuardEventLog logs/events.json\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0666);
  for (const char* text : {"[permguard:", "AH01241", "AH01215", "End of script"}) {
    server.log().allow(text);
  }
  server.start();
  const std::string file = server.tree().path("logs/events.json");
  const auto has = [&](const char* action, const char* code) {
    return poll_until([&] {
      for (const auto& event : events(file)) {
        if (event["event"]["action"] == action && event["permguard"].value("code", "") == code &&
            event["permguard"].value("incident", 0) > 0) {
          return true;
        }
      }
      return false;
    });
  };
  EXPECT_TRUE(has("audit", "not-executable"));
  EXPECT_TRUE(has("audit", "world-writable"));
  for (int i = 0; i < 2; ++i) server.get("/cgi-bin/a.cgi");
  EXPECT_TRUE(has("repeat", "not-executable"));
}

TEST_P(EventLogTest, ALineIsShortWhateverThePath) {
  std::string deep;
  for (int i = 0; i < 18; ++i) {
    deep += std::string(20, '\\') + std::string(20, '\1') + std::string(160, 'n') + '/';
  }
  HttpdServer server(
      options("PermGuard enforce\nPermGuardWatch off\nPermGuardEventLog logs/events.json\n"));
  server.tree().write("cgi-bin/" + deep + "a.cgi", cgi_script("a"), 0644);
  server.log().allow("[permguard:");
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/" + url_escape(deep + "a.cgi")).status, 500);
  const std::string file = server.tree().path("logs/events.json");
  const nlohmann::json event = await(file, "finding");
  EXPECT_EQ(event["permguard"]["truncated"], true);
  EXPECT_LE(server.tree().read("logs/events.json").size(), 4096U);
}

TEST_P(EventLogTest, AProgramGetsTheLinesAndARestartLosesNone) {
  HttpdServer server(
      options("PermGuard report\nPermGuardLogInterval 0\n"
              "PermGuardEventLog \"|$/bin/cat >> @ROOT@/logs/piped.json\"\n"));
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0644);
  allow_stock_lines(server);
  server.log().allow("not-executable");
  server.log().allow("long lost child came home");  // the logger of the old generation ends
  server.start();
  const std::string file = server.tree().path("logs/piped.json");
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  server.graceful();
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 500);
  EXPECT_TRUE(poll_until([&] { return events(file).size() == 2; })) << events(file).size();
}

TEST_P(EventLogTest, ServerStatusHasASection) {
  HttpdServer server(
      options("<Location /server-status>\nSetHandler server-status\n</Location>\n", {"status"}));
  server.start();
  EXPECT_THAT(server.get("/server-status").body, HasSubstr("permguard"));
  EXPECT_THAT(server.get("/server-status?auto").body, HasSubstr("PermGuardHealth: pass"));
  EXPECT_THAT(server.get("/server-status?notable").body, HasSubstr("<dt>Health: pass</dt>"));
}

INSTANTIATE_TEST_SUITE_P(Mpms, EventLogTest, ::testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

}  // namespace
}  // namespace permguard::test
