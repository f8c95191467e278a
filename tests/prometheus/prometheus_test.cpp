// SPDX-License-Identifier: Apache-2.0
//
// Debian's Prometheus with the rules of conf/prometheus against three real httpd: the right alert
// for the right host, and its end. A copy of the rules has every `for:` at five seconds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "support/httpd_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using Json = nlohmann::json;

constexpr auto kPatience = std::chrono::seconds(90);

std::string packaged(const std::string& name) {
  std::ifstream file(PERMGUARD_SOURCE "/conf/prometheus/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr const char* kKey = "0123456789abcdef0123456789abcdef\n";

/// A host as scrape.yml and permguard-metrics.conf want it, with one healthy script.
class Host : public HttpdServer {
 public:
  Host() : HttpdServer(options()) {
    tree().write("cgi-bin/pay.cgi", cgi_script("paid"), 0755);
    tree().write("status.key", kKey, 0600);
    start();
  }
  std::string instance() const { return "127.0.0.1:" + std::to_string(port()); }

 private:
  static HttpdOptions options() {
    HttpdOptions chosen;
    chosen.config =
        "PermGuard report\nPermGuardWatchInterval 1\nPermGuardStatusKey @ROOT@/status.key\n" +
        packaged("permguard-metrics.conf");
    return chosen;
  }
};

/// The packaged files, with what only a test wants: these targets, seconds instead of minutes.
class Prometheus {
 public:
  explicit Prometheus(const std::vector<std::string>& targets) {
    tree_.write("permguard.rules.yml", std::regex_replace(packaged("permguard.rules.yml"),
                                                          std::regex("for: [0-9]+m"), "for: 5s"));
    tree_.write("prometheus.yml", scrape_file(targets));
    tree_.write("permguard.key", kKey, 0600);
    for (int attempt = 0; attempt < 3 && !start(); ++attempt) {
    }
    if (!ready()) throw std::runtime_error("prometheus does not answer: " + tree_.read("log"));
  }

  Json query(const std::string& path) const {
    const HttpResponse answer = get(path);
    return Json::parse(answer.body, nullptr, false);
  }

  /// "alert code instance" of each alert that fires, in alphabetical order.
  std::vector<std::string> firing() const {
    std::vector<std::string> names;
    const Json answer = query("/api/v1/alerts");
    if (!answer.is_object()) return {"no answer"};
    for (const Json& alert : answer["data"]["alerts"]) {
      if (alert["state"] != "firing") continue;
      const Json& labels = alert["labels"];
      names.push_back(labels["alertname"].get<std::string>() + ' ' + labels.value("code", "") +
                      ' ' + labels.value("instance", ""));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::size_t healthy_targets() const {
    const Json answer = query("/api/v1/targets");
    std::size_t healthy = 0;
    if (!answer.is_object()) return 0;
    for (const Json& target : answer["data"]["activeTargets"]) healthy += target["health"] == "up";
    return healthy;
  }

 private:
  static std::string scrape_file(const std::vector<std::string>& targets) {
    std::string list;
    for (const std::string& target : targets) list += (list.empty() ? "\"" : ", \"") + target + '"';
    const std::string example = packaged("scrape.yml");
    std::string text = example.substr(0, example.find("  # Optional"));
    text = std::regex_replace(text, std::regex("_interval: 30s"), "_interval: 1s");
    return std::regex_replace(text, std::regex("targets: .*"), "targets: [" + list + "]");
  }

  bool start() {
    port_ = free_port();
    ProcessOptions options;
    options.output = tree_.path("log");
    child_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/bin/prometheus",
                                 "--config.file=" + tree_.path("prometheus.yml"),
                                 "--storage.tsdb.path=" + tree_.path("data"),
                                 "--web.listen-address=127.0.0.1:" + std::to_string(port_)},
        options);
    return poll_until([&] { return ready() || !child_->running(); }, kPatience) && ready();
  }

  bool ready() const { return get("/-/ready").status == 200; }
  HttpResponse get(const std::string& path) const {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(port_) + path;
    return send(request);
  }

  TempTree tree_;
  int port_ = 0;
  std::unique_ptr<Child> child_;
};

class PrometheusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as httpd's parent has";
  }
};

using Alerts = std::vector<std::string>;

TEST_F(PrometheusTest, TheRightAlertFiresForTheRightHostAndEndsWithTheRepair) {
  std::array<Host, 3> hosts;
  const Prometheus prometheus({hosts[0].instance(), hosts[1].instance(), hosts[2].instance()});
  ASSERT_TRUE(poll_until([&] { return prometheus.healthy_targets() == 3; }, kPatience))
      << prometheus.query("/api/v1/targets").dump(2);
  EXPECT_EQ(prometheus.firing(), Alerts{});

  hosts[1].tree().chmod("cgi-bin/pay.cgi", 0644);
  hosts[1].log().expect("not-executable");
  const Alerts broken = {"PermGuardScriptBroken not-executable " + hosts[1].instance()};
  EXPECT_TRUE(poll_until([&] { return !prometheus.firing().empty(); }, kPatience));
  EXPECT_EQ(prometheus.firing(), broken);

  hosts[1].tree().chmod("cgi-bin/pay.cgi", 0755);
  hosts[1].log().expect("recovered: not-executable");
  EXPECT_TRUE(poll_until([&] { return prometheus.firing().empty(); }, kPatience))
      << prometheus.query("/api/v1/alerts").dump(2);
}

TEST_F(PrometheusTest, DriftIsAWarningOfItsOwn) {
  Host host;
  host.configure("PermGuard report\nPermGuardWatchInterval 1\n" +
                 packaged("permguard-metrics.conf") +
                 "<Directory @ROOT@/cgi-bin>\nPermGuardExpect mode=0755\n</Directory>\n");
  host.graceful();
  const Prometheus prometheus({host.instance()});
  host.tree().chmod("cgi-bin/pay.cgi", 0750);
  host.tree().chown("cgi-bin/pay.cgi", "www-data");
  host.log().expect("mode-drift");
  host.log().allow("server-writable");
  EXPECT_TRUE(poll_until([&] { return !prometheus.firing().empty(); }, kPatience));
  EXPECT_EQ(prometheus.firing(), Alerts{"PermGuardDrift mode-drift " + host.instance()});
}

}  // namespace
}  // namespace permguard::test
