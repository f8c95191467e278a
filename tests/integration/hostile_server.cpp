// SPDX-License-Identifier: Apache-2.0
#include "integration/hostile_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/places.h"

namespace permguard::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

/// No request may wait for a word that somebody else has written. A machine under load needs some
/// of it.
constexpr seconds kLongestAnswer{10};
/// A page says what it read; it does not say it for ever.
constexpr std::size_t kLongestPage = std::size_t{8} << 20;
constexpr std::string_view kLetters = "AAAAAAAAAAAAAAAA";

constexpr std::string_view kAttacker = R"(
<Location "/hostile">
  SetHandler hostile
</Location>
<Location "/server-status">
  SetHandler server-status
</Location>
)";

constexpr std::string_view kGuardedConfig = R"(
PermGuard enforce
PermGuardIncidents 300
PermGuardLogInterval 3600
PermGuardWatchInterval 1
)";

constexpr std::string_view kVhosts = R"(
<VirtualHost *>
  ServerName plain
</VirtualHost>
<VirtualHost *>
  ServerName games
  AssignUserID games games
</VirtualHost>
)";

Mpm mpm_of(Stage stage) {
  return stage == Stage::event ? Mpm::event : Mpm::prefork;
}

std::vector<std::string> modules_of(Stage stage, std::vector<std::string> further) {
  further.emplace_back("status");
  further.emplace_back("hostile=" PERMGUARD_BUILD "/tests/mod_hostile.so");
  if (stage == Stage::itk) {
    further.emplace_back("mpm_itk=/usr/lib/apache2/modules/mpm_itk.so");
  }
  return further;
}

std::string config_of(Stage stage, const std::string& further) {
  return std::string(kAttacker) + further + std::string(stage == Stage::itk ? kVhosts : "");
}

/// Of memory that has a name, the name may tell of the server.
std::string directory_of(const Mapping& mapping) {
  return mapping.file.substr(0, mapping.file.rfind('/'));
}

std::multiset<std::pair<std::size_t, std::string>> shared_of(const std::vector<Mapping>& mappings) {
  std::multiset<std::pair<std::size_t, std::string>> shared;
  for (const Mapping& mapping : mappings) {
    if (mapping.is_shared()) shared.emplace(mapping.size(), directory_of(mapping));
  }
  return shared;
}

}  // namespace

std::string name_of(Stage stage) {
  switch (stage) {
    case Stage::event:
      return "event";
    case Stage::prefork:
      return "prefork";
    case Stage::itk:
      return "itk";
  }
  return "";
}

std::string ranges_text(const std::vector<Mapping>& mappings) {
  std::ostringstream text;
  text << std::hex;
  for (const Mapping& mapping : mappings) text << mapping.begin << '-' << mapping.end << ',';
  return text.str();
}

std::size_t effort() {
  return std::getenv("PERMGUARD_LONG") ? 30 : 1;
}

HostileServer::HostileServer(Stage stage, const std::string& config,
                             const std::vector<std::string>& modules)
    : GuardedServer(std::string(kGuardedConfig) + config_of(stage, config), mpm_of(stage),
                    modules_of(stage, modules)),
      stage_(stage),
      config_(config),
      modules_(modules) {
  // A table of functions that is filled in when they are first called would change without a
  // reason.
  ::setenv("LD_BIND_NOW", "1", 1);
  add_user("www-data");
  // A child of mpm-itk is root until it knows whose the request is.
  if (stage == Stage::itk) {
    add_user("root");
    add_user("games");
  }
  tree().write("cgi-bin/moody.cgi", cgi_script("moody"), 0755);
  // What is true of the scripts may be said at any time, and that a record is damaged.
  for (const char* script : {"broken.cgi", "moody.cgi"}) {
    const std::string path = "'" + tree().path("cgi-bin/" + std::string(script)) + "'";
    for (const char* user : {"www-data", "games"}) {
      log().allow("not-executable: " + std::string(user) + " cannot execute " + path);
    }
    log().allow("not-executable: " + path + " still failing");
  }
  log().allow("damaged");
}

void HostileServer::add_user(const char* name) {
  const passwd* user = ::getpwnam(name);
  ASSERT_NE(user, nullptr) << name;
  const std::string number = std::to_string(user->pw_uid);
  add_user_ids(number + '\t' + number + '\t' + number + '\t' + number);
}

void HostileServer::learn_stock() {
  HttpdOptions options;
  options.mpm = mpm_of(stage_);
  options.modules = modules_of(stage_, modules_);
  options.config = config_of(stage_, config_);
  options.permguard = false;
  HttpdServer stock(options);
  stock.start();
  stock_segments_ = shared_of(mappings_in(stock.get("/hostile?maps").body));
  ASSERT_FALSE(stock_segments_.empty());
}

void HostileServer::prepare() {
  learn_stock();
  start();
  parent_ = pid();
  ASSERT_FALSE(segments().empty()) << "the memory of mod_permguard is not found";
  stable_ = image_of(parent_);
  for (int i = 0; i < 3; ++i) {
    expect_serves();
    i == 1 ? restart() : graceful();
    stable_ = common(stable_, image_of(parent_));
  }
  // Some modules register more of them at their first restart.
  hooks_ = get("/hostile?hooks").body;
  ASSERT_THAT(hooks_, HasSubstr("drop_privileges "));
  ASSERT_THAT(hooks_, HasSubstr("post_config mod_permguard.c "));
  ASSERT_GT(stable_.size(), 1000U) << "the parent's memory cannot be read";
  log().expect("not-executable: www-data cannot execute");
}

std::vector<Mapping> HostileServer::segments() const {
  return segments_of(mappings_in(get("/hostile?maps").body));
}

// mod_watchdog has a lock of one page where a module has something to watch.
std::vector<Mapping> HostileServer::segments_of(const std::vector<Mapping>& mappings) const {
  std::vector<Mapping> ours;
  auto stock = stock_segments_;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (const Mapping& mapping : mappings) {
    if (!mapping.is_shared() || !mapping.is_writable() || mapping.size() <= page) continue;
    const auto found = stock.find({mapping.size(), directory_of(mapping)});
    if (found != stock.end()) {
      stock.erase(found);
    } else {
      ours.push_back(mapping);
    }
  }
  return ours;
}

std::string HostileServer::attack(const std::string& command, const std::string& host,
                                  std::size_t most) {
  auto ours = segments_of(mappings_in(get_from(host, "/hostile?maps").body));
  EXPECT_FALSE(ours.empty());
  for (Mapping& segment : ours) segment.end = segment.begin + std::min(most, segment.size());
  const HttpResponse response = get_from(host, "/hostile?" + command + "&" + ranges_text(ours));
  EXPECT_EQ(response.status, 200) << command;
  return response.body;
}

HttpResponse HostileServer::expect_answer(int status, std::string_view path,
                                          const std::vector<std::string>& headers) {
  HttpRequest question;
  question.url = url(path);
  question.headers = headers;
  question.timeout = kLongestAnswer;
  HttpResponse response = send(question);
  EXPECT_EQ(response.status, status) << path << ": " << response.error;
  return response;
}

void HostileServer::expect_page(std::string_view path) {
  const HttpResponse page = expect_answer(200, path);
  EXPECT_LT(page.body.size(), kLongestPage) << path;
  EXPECT_EQ(page.body.find(kLetters), page.body.npos) << path << " shows what was written there";
  if (page.header("Content-Type").find("json") == std::string::npos) return;
  EXPECT_TRUE(nlohmann::json::accept(page.body)) << path << ": " << page.body.substr(0, 400);
}

void HostileServer::expect_scripts() {
  EXPECT_EQ(expect_answer(200, "/cgi-bin/ok.cgi").body, "ok\n");
  expect_answer(500, "/cgi-bin/broken.cgi");
  expect_answer(200, "/");
  for (int i = 0; i < 2; ++i) {
    broken_ = !broken_;
    tree().chmod("cgi-bin/moody.cgi", broken_ ? 0644 : 0755);
    expect_answer(broken_ ? 500 : 200, "/cgi-bin/moody.cgi");
  }
}

void HostileServer::expect_serves() {
  SCOPED_TRACE("requests");
  expect_scripts();
  for (const char* path : {"/permguard-status", "/permguard-status?json", "/permguard-status?auto",
                           "/permguard-status?openmetrics", "/permguard-status?health",
                           "/server-status", "/server-status?auto"}) {
    if (!testing::Test::HasFailure()) expect_page(path);
  }
}

// "exit signal" is httpd's word for the end of a child, "died with signal" mpm-itk's.
void HostileServer::expect_honest_log() {
  std::string crashes;
  for (const std::string& line : log().lines()) {
    const bool crash =
        line.find("exit signal") != line.npos || line.find("died with signal") != line.npos;
    if (crash) crashes += line + '\n';
    if (line.find("[permguard:") == line.npos) continue;
    EXPECT_EQ(line.find(kLetters), line.npos) << line;
    EXPECT_EQ(line.find("\\x"), line.npos) << line;
  }
  EXPECT_EQ(crashes, "") << "processes of httpd have crashed";
}

/// A child is root for a moment after its fork.
void HostileServer::expect_users() {
  std::string others;
  poll_until(
      [&] {
        others.clear();
        for (const pid_t child : children()) {
          const std::string user = status_field(child, "Uid");
          // A log program stays root, as with stock httpd.
          if (status_field(child, "Name") != status_field(parent_, "Name")) continue;
          if (!user.empty() && !users_.contains(user)) others += user + '\n';  // empty: gone
        }
        return others.empty();
      },
      std::chrono::seconds(5));
  EXPECT_EQ(others, "") << "processes of httpd run as somebody else";
}

void HostileServer::expect_unharmed() {
  SCOPED_TRACE("after the attack");
  ASSERT_TRUE(running()) << "the parent is dead";
  EXPECT_EQ(pid(), parent_);
  EXPECT_EQ(status_field(parent_, "Uid"), "0\t0\t0\t0");
  expect_users();
  EXPECT_EQ(get("/hostile?hooks").body, hooks_);
  EXPECT_EQ(changes(stable_, image_of(parent_)), "");
  expect_honest_log();
}

void HostileServer::expect_survives() {
  const auto is_well = [this] {
    expect_serves();
    expect_unharmed();
    return !testing::Test::HasFailure();
  };
  if (!is_well()) return;
  graceful();
  if (!is_well()) return;
  restart();
  is_well();
}

HostileServer::Scribbler::Scribbler(HostileServer& server, const std::string& host)
    : pid_(std::atoi(server.attack("scribble=60000", host).c_str())) {
  EXPECT_GT(pid_, 0);
}

HostileServer::Scribbler::~Scribbler() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

}  // namespace permguard::test
