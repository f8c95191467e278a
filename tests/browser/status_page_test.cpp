// SPDX-License-Identifier: Apache-2.0
// The status page in a real browser, served by a real httpd with the headers the module sends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "browser/browser.h"
#include "report/pages.h"
#include "support/httpd_server.h"
#include "tests/places.h"
#include "unit/report_snapshots.h"

namespace permguard {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kAxe = PERMGUARD_BUILD "/axe/node_modules/axe-core/axe.min.js";
constexpr const char* kTab = "\uE004";
// Phones of the smallest common width, and a desk.
constexpr int kWidths[] = {360, 1280};

std::vector<samples::NamedSnapshot> states() {
  std::vector<samples::NamedSnapshot> list = samples::every_state();
  list.push_back({"some", samples::many(20)});
  return list;
}

test::HttpdOptions static_pages() {
  test::HttpdOptions options;
  options.permguard = false;
  options.modules = {"headers"};
  options.config =
      "AddDefaultCharset utf-8\nHeader set Cache-Control no-store\n"
      "Header set Content-Security-Policy \"" +
      status_page({}, {}, "/").content_security_policy + "\"\n";
  return options;
}

class StatusPageInBrowser : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::Browser::available()) GTEST_SKIP() << "chromium and chromedriver are not installed";
    for (const auto& [name, snapshot] : states()) {
      server_.tree().write(std::string("htdocs/") + name + ".html",
                           status_page(snapshot, {}, std::string("/") + name + ".html").body);
    }
    server_.start();
    browser_ = std::make_unique<test::Browser>();
    browser_->resize(1280, 900);
  }

  void open(const std::string& state) { browser_->open(server_.url("/" + state + ".html")); }
  json run(const std::string& script, const json& arguments = {}) {
    return browser_->run(script, arguments);
  }
  std::string text(const std::string& selector) {
    return run("return document.querySelector(arguments[0]).textContent", {selector});
  }
  bool visible(const std::string& selector) {
    return run("return document.querySelector(arguments[0]).checkVisibility()", {selector});
  }
  std::vector<std::string> shown_incidents() {
    return run(
        "return [...document.querySelectorAll('.case')].filter(c => c.checkVisibility())"
        ".map(c => c.id)");
  }
  std::string clipboard() { return run("return navigator.clipboard.readText()"); }

  test::HttpdServer server_{static_pages()};
  std::unique_ptr<test::Browser> browser_;
};

TEST_F(StatusPageInBrowser, RendersEveryStateWithoutAComplaint) {
  for (const auto& state : states()) {
    open(state.name);
    EXPECT_EQ(run("return document.querySelectorAll('h1').length"), 1) << state.name;
    EXPECT_THAT(browser_->console(), IsEmpty()) << state.name;
  }
}

TEST_F(StatusPageInBrowser, ThePolicyStopsWhatIsNotThePages) {
  open("healthy");
  run("const s = document.createElement('script'); s.textContent = 'window.broken = 1';"
      "document.body.append(s);");
  EXPECT_TRUE(run("return window.broken").is_null());
  EXPECT_THAT(browser_->console(), ElementsAre(HasSubstr("Content Security Policy")));
}

TEST_F(StatusPageInBrowser, SaysEverythingWithoutJavaScript) {
  browser_->set_javascript(false);
  open("some");
  EXPECT_EQ(text("h1"), "Broken: 11 open errors");
  EXPECT_FALSE(visible("#filter"));
  EXPECT_FALSE(visible("button[data-copy]"));
  EXPECT_TRUE(visible(".fix pre"));
  browser_->click(".case:last-child summary");
  EXPECT_TRUE(visible(".case:last-child .facts"));
}

TEST_F(StatusPageInBrowser, FiltersAThousandIncidents) {
  open("many");
  EXPECT_EQ(shown_incidents().size(), 667U);
  browser_->type("#filter", "JOB889.cgi not-executable");
  EXPECT_THAT(shown_incidents(), ElementsAre("incident-889"));
  EXPECT_EQ(text("#shown"), "1 of 667 shown");
  browser_->open(run("return location.href"));
  run("return location.reload()");
  EXPECT_THAT(shown_incidents(), ElementsAre("incident-889"));
}

TEST_F(StatusPageInBrowser, OrdersAndUnfolds) {
  open("some");
  const auto choose = [&](const std::string& order) {
    run("const o = document.getElementById('order'); o.value = arguments[0];"
        "o.dispatchEvent(new Event('change'))",
        {order});
    return shown_incidents();
  };
  EXPECT_EQ(choose("first").front(), "incident-1");
  EXPECT_EQ(choose("path").back(), "incident-8");
  EXPECT_EQ(choose("count").front(), "incident-17");
  EXPECT_EQ(run("return document.querySelectorAll('.case[open]').length"), 5);
  browser_->click("#unfold");
  EXPECT_EQ(run("return document.querySelectorAll('.case[open]').length"), 14);
  browser_->click("#unfold");
  EXPECT_EQ(run("return document.querySelectorAll('.case[open]').length"), 0);
}

TEST_F(StatusPageInBrowser, CopiesTheFix) {
  browser_->grant_clipboard(server_.url(""));
  open("one-incident");
  browser_->click("button[data-copy]");
  EXPECT_TRUE(test::poll_until([&] { return text("#said") == "Copied"; }));
  EXPECT_EQ(clipboard(), "chmod a+x '/srv/www/cgi-bin/pay.cgi'");
}

TEST_F(StatusPageInBrowser, CopiesWherePlainHttpHasNoClipboardApi) {
  browser_->grant_clipboard(server_.url(""));
  open("hostile");
  run("window.real = navigator.clipboard;"
      "Object.defineProperty(navigator, 'clipboard', {value: undefined})");
  browser_->click("#incident-3 button[data-copy]");
  EXPECT_TRUE(test::poll_until([&] { return text("#said") == "Copied"; }));
  EXPECT_EQ(run("return window.real.readText()"),
            R"(chmod a+x '/srv/www/it'"'"'s "quoted" & &amp; $(id) `id`')");
}

TEST_F(StatusPageInBrowser, HostileNamesStayText) {
  open("hostile");
  EXPECT_EQ(run("return document.title"), "18 errors \u2013 permguard");
  EXPECT_EQ(run("return document.scripts.length"), 1);
  EXPECT_EQ(run("return document.images.length"), 0);
  EXPECT_EQ(text("#incident-1 summary .path"), "/srv/www/<script>document.title='broken'</script>");
  EXPECT_EQ(text("#incident-4 summary .path"), "/srv/www/report[U+202E]gpj.exe[U+2066]");
  EXPECT_EQ(run("return document.querySelector('#incident-7 button').dataset.copy"),
            "chmod a+x '/srv/www/line\nfeed\rand\ttab\x1b[31m'");
  EXPECT_THAT(browser_->console(), IsEmpty());
}

TEST_F(StatusPageInBrowser, NothingIsWiderThanThePage) {
  for (const int width : kWidths) {
    browser_->resize(width, 800);
    for (const auto& state : states()) {
      open(state.name);
      EXPECT_EQ(run("return document.documentElement.scrollWidth"), width) << state.name;
    }
  }
}

TEST_F(StatusPageInBrowser, TheKeyboardReachesTheVerdictFirst) {
  open("one-incident");
  browser_->press(kTab);
  EXPECT_EQ(run("return document.activeElement.textContent"), "Skip to the verdict");
  EXPECT_GE(run("return document.activeElement.getBoundingClientRect().left").get<double>(), 0);
  browser_->press("\uE007");
  EXPECT_EQ(run("return document.activeElement.id"), "main");
}

TEST_F(StatusPageInBrowser, AxeFindsNoViolation) {
  std::ifstream file(kAxe);
  if (!file) GTEST_SKIP() << "axe-core is not installed: scripts/fetch-axe";
  std::stringstream axe;
  axe << file.rdbuf();
  for (const std::string scheme : {"light", "dark"}) {
    browser_->prefer(scheme);
    for (const int width : kWidths) {
      browser_->resize(width, 800);
      for (const auto& state : states()) {
        if (std::string_view(state.name) == "many") continue;  // "some" has the same parts
        open(state.name);
        run(axe.str());
        const json violations = run(
            "return axe.run(document, {resultTypes: ['violations']}).then(r => r.violations"
            ".map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html + n.failureSummary)))");
        EXPECT_EQ(violations, json::array()) << state.name << ' ' << scheme << ' ' << width;
      }
    }
  }
}

// For people: PERMGUARD_SCREENSHOTS=DIR writes a picture of each state.
TEST_F(StatusPageInBrowser, CanBeLookedAt) {
  const char* directory = std::getenv("PERMGUARD_SCREENSHOTS");
  for (const std::string scheme : {"light", "dark"}) {
    browser_->prefer(scheme);
    for (const auto& state : states()) {
      open(state.name);
      const std::string picture = browser_->screenshot();
      EXPECT_EQ(picture.substr(0, 8), "\x89PNG\r\n\x1a\n");
      if (directory == nullptr) continue;
      std::ofstream(std::string(directory) + '/' + state.name + '-' + scheme + ".png") << picture;
    }
  }
}

}  // namespace
}  // namespace permguard
