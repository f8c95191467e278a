// SPDX-License-Identifier: Apache-2.0
// The page of a running status handler in a real browser, with real incidents of real files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "browser/browser.h"
#include "support/status_states.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPage = "/permguard-status";
constexpr const char* kAxe = PERMGUARD_BUILD "/axe/node_modules/axe-core/axe.min.js";
constexpr const char* kTab = "\uE004";
constexpr const char* kEnter = "\uE007";
// Phones of the smallest common width, and a desk.
constexpr int kWidths[] = {360, 1280};

class StatusPageInBrowser : public testing::Test {
 protected:
  void SetUp() override {
    if (!Browser::available()) GTEST_SKIP() << "chromium and chromedriver are not installed";
    if (geteuid() != 0) GTEST_SKIP() << "needs root, so that mode 0644 is all that is wrong";
    browser_ = std::make_unique<Browser>();
    browser_->resize(1280, 900);
  }

  HttpdServer& server(StatusState state) {
    std::unique_ptr<HttpdServer>& server = servers_[state];
    if (!server) server = server_in(state);
    return *server;
  }
  void open(StatusState state, const std::string& query = "") {
    browser_->open(server(state).url(kPage + query));
  }
  json status(StatusState state) {
    return json::parse(server(state).get(std::string(kPage) + "?json").body);
  }
  json run(const std::string& script, const json& arguments = {}) {
    return browser_->run(script, arguments);
  }
  std::string text(const std::string& selector) {
    return run("return document.querySelector(arguments[0]).textContent", {selector});
  }
  bool visible(const std::string& selector) {
    return run("return document.querySelector(arguments[0]).checkVisibility()", {selector});
  }
  /// One string for each incident that is shown: the path in its summary.
  std::vector<std::string> shown() {
    return run(
        "return [...document.querySelectorAll('#open-list > .case')]"
        ".filter(c => c.checkVisibility()).map(c => c.querySelector('.path').textContent)");
  }
  int unfolded() {
    return run("return document.querySelectorAll('#open-list > .case[open]').length");
  }
  std::vector<std::string> in_order(const std::string& order) {
    run("const o = document.getElementById('order'); o.value = arguments[0];"
        "o.dispatchEvent(new Event('change'))",
        {order});
    return shown();
  }
  void press_until_focused(const std::string& selector) {
    const auto focused = [&] {
      return run("return document.activeElement.matches(arguments[0])", {selector}).get<bool>();
    };
    for (int i = 0; i < 40 && !focused(); ++i) browser_->press(kTab);
    EXPECT_TRUE(focused()) << selector;
  }
  void expect_copied(const std::string& command) {
    EXPECT_TRUE(poll_until([&] { return text("#said") == "Copied"; }));
    EXPECT_EQ(run("return (window.real ?? navigator.clipboard).readText()"), command);
  }

  std::map<StatusState, std::unique_ptr<HttpdServer>> servers_;
  std::unique_ptr<Browser> browser_;
};

TEST_F(StatusPageInBrowser, RendersEveryStateWithoutAComplaint) {
  const std::map<StatusState, std::string> verdicts = {
      {StatusState::healthy, "Nothing is broken"},
      {StatusState::one_incident, "Broken: 1 open error"},
      {StatusState::drift, "Nothing is broken, 2 warnings"},
      {StatusState::watched, "Broken: 1 open error"},
      {StatusState::recovered, "Nothing is broken"},
      {StatusState::hostile, "Broken: 9 open errors"},
      {StatusState::some, "Broken: 14 open errors"}};
  for (const auto& [state, verdict] : verdicts) {
    open(state);
    EXPECT_EQ(text("h1"), verdict) << name_of(state);
    EXPECT_EQ(run("return document.querySelectorAll('h1').length"), 1) << name_of(state);
    EXPECT_THAT(browser_->console(), IsEmpty()) << name_of(state);
    // data: is the icon.
    EXPECT_EQ(run("return performance.getEntriesByType('resource').map(e => e.name)"
                  ".filter(n => !n.startsWith('data:'))"),
              json::array())
        << name_of(state);
  }
}

TEST_F(StatusPageInBrowser, OpensWithItsKeyAsPassword) {
  HttpdServer guarded;
  guarded.tree().write("status.key", "0123456789abcdef\n", 0600);
  guarded.configure("PermGuardStatusKey status.key");
  guarded.start();
  std::string url = guarded.url(std::string(kPage) + "?refresh=60");
  url.insert(std::string_view("http://").size(), "anybody:0123456789abcdef@");
  browser_->open(url);
  EXPECT_THAT(run("return document.title").get<std::string>(), HasSubstr("permguard"));
  EXPECT_THAT(browser_->console(), IsEmpty());
}

TEST_F(StatusPageInBrowser, ThePolicyStopsWhatIsNotThePages) {
  open(StatusState::healthy);
  run("const s = document.createElement('script'); s.textContent = 'window.broken = 1';"
      "document.body.append(s);");
  EXPECT_TRUE(run("return window.broken").is_null());
  EXPECT_THAT(browser_->console(), ElementsAre(HasSubstr("Content Security Policy")));
}

TEST_F(StatusPageInBrowser, SaysEverythingWithoutJavaScript) {
  browser_->set_javascript(false);
  open(StatusState::some);
  EXPECT_EQ(text("h1"), "Broken: 14 open errors");
  EXPECT_FALSE(visible("#filter"));
  EXPECT_FALSE(visible("button[data-copy]"));
  EXPECT_TRUE(visible(".fix"));
  browser_->click("#open-list > .case:last-child summary");
  EXPECT_TRUE(visible("#open-list > .case:last-child .facts"));
}

TEST_F(StatusPageInBrowser, FiltersAThousandIncidents) {
  open(StatusState::many);
  EXPECT_EQ(shown().size(), 667U);
  EXPECT_EQ(text("h1"), "Broken: 667 open errors");
  const std::string target = server(StatusState::many).tree().path("cgi-bin/tenant16/job889.cgi");
  browser_->type("#filter", "JOB889.cgi empty-file");
  EXPECT_EQ(text("#shown"), "0 of 667 shown");
  run("document.getElementById('filter').value = ''");
  browser_->type("#filter", "JOB889.cgi no-shebang");
  EXPECT_THAT(shown(), ElementsAre(target));
  EXPECT_EQ(text("#shown"), "1 of 667 shown");
  browser_->open(run("return location.href"));
  run("return location.reload()");
  EXPECT_THAT(shown(), ElementsAre(target));
  EXPECT_THAT(browser_->console(), IsEmpty());
}

TEST_F(StatusPageInBrowser, OrdersAndUnfolds) {
  open(StatusState::some);
  std::vector<std::string> paths = in_order("path");
  EXPECT_EQ(paths.size(), 14U);
  EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end()));
  EXPECT_NE(in_order("worst"), paths);
  for (const auto& [order, member] : {std::pair{"count", "count"}, {"last", "last_seen"}}) {
    const std::vector<std::string> sorted = in_order(order);
    std::map<std::string, json> values;
    for (const json& each : status(StatusState::some)["incidents"]) {
      values[each["finding"]["target"]] = each[member];
    }
    EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) {
      return values[a] > values[b];
    })) << order;
  }
  EXPECT_EQ(unfolded(), 1);
  browser_->click("#unfold");
  EXPECT_EQ(unfolded(), 14);
  browser_->click("#unfold");
  EXPECT_EQ(unfolded(), 0);
}

TEST_F(StatusPageInBrowser, CopiesTheFix) {
  HttpdServer& httpd = server(StatusState::one_incident);
  browser_->grant_clipboard(httpd.url(""));
  open(StatusState::one_incident);
  browser_->click("button[data-copy]");
  expect_copied("chmod a+x '" + httpd.tree().path("cgi-bin/pay.cgi") + "'");
}

TEST_F(StatusPageInBrowser, CopiesWherePlainHttpHasNoClipboardApi) {
  browser_->grant_clipboard(server(StatusState::one_incident).url(""));
  open(StatusState::one_incident);
  run("window.real = navigator.clipboard;"
      "Object.defineProperty(navigator, 'clipboard', {value: undefined})");
  browser_->click("button[data-copy]");
  expect_copied("chmod a+x '" + server(StatusState::one_incident).tree().path("cgi-bin/pay.cgi") +
                "'");
}

TEST_F(StatusPageInBrowser, HostileNamesStayText) {
  open(StatusState::hostile);
  const std::string root = server(StatusState::hostile).tree().path("cgi-bin/");
  EXPECT_EQ(run("return document.title"), "9 errors \u2013 permguard");
  EXPECT_EQ(run("return document.scripts.length"), 1);
  EXPECT_EQ(run("return document.images.length"), 0);
  const std::vector<std::string> paths = shown();
  for (const char* name :
       {"<script>document.title='broken'</script>.cgi", "\"><img src=x onerror=alert(1)>.cgi",
        "it's \"quoted\" & &amp; $(id) `id`.cgi", "report[U+202E]gpj.exe[U+2066].cgi",
        "zero[U+200B]width.cgi", "bad\uFFFD\uFFFD\uFFFDutf8\uFFFD\uFFFD.cgi",
        "line\u240Afeed\u240Dand\u2409tab\u241B[31m.cgi", "%s%n%x.cgi"}) {
    EXPECT_THAT(paths, testing::Contains(root + name));
  }
  EXPECT_THAT(paths, testing::Contains(testing::EndsWith("n/long.cgi")));
  EXPECT_THAT(browser_->console(), IsEmpty());
}

/// What the button copies is pasted into a shell, whatever the name.
TEST_F(StatusPageInBrowser, TheFixOfAHostileNameRepairsIt) {
  HttpdServer& httpd = server(StatusState::hostile);
  open(StatusState::hostile);
  const std::vector<std::string> commands =
      run("return [...document.querySelectorAll('#open-list button[data-copy]')]"
          ".map(b => b.dataset.copy)");
  EXPECT_EQ(commands.size(), hostile_names().size());
  for (const std::string& command : commands) {
    EXPECT_TRUE(test::run({"sh", "-c", command}).succeeded()) << command;
  }
  for (const std::string& name : hostile_names()) {
    EXPECT_EQ(httpd.get("/cgi-bin/" + url_escape(name)).status, 200) << name;
  }
  open(StatusState::hostile);
  EXPECT_EQ(text("h1"), "Nothing is broken");
}

TEST_F(StatusPageInBrowser, NothingIsWiderThanThePage) {
  for (const int width : kWidths) {
    browser_->resize(width, 800);
    for (const StatusState state : kStatusStates) {
      if (state == StatusState::many) continue;  // "some" has the same parts
      open(state);
      EXPECT_EQ(run("return document.documentElement.scrollWidth"), width) << name_of(state);
    }
  }
}

TEST_F(StatusPageInBrowser, TheKeyboardReachesAll) {
  open(StatusState::one_incident);
  browser_->press(kTab);
  EXPECT_EQ(run("return document.activeElement.textContent"), "Skip to the verdict");
  EXPECT_GE(run("return document.activeElement.getBoundingClientRect().left").get<double>(), 0);
  browser_->press(kEnter);
  EXPECT_EQ(run("return document.activeElement.id"), "main");
  press_until_focused("#open-list summary");
  EXPECT_EQ(unfolded(), 1);
  browser_->press(kEnter);
  EXPECT_EQ(unfolded(), 0);
  browser_->press(kEnter);
  press_until_focused("button[data-copy]");
}

TEST_F(StatusPageInBrowser, RefreshesWithTheFilterKept) {
  open(StatusState::some, "?refresh=2");
  // At once, before the page goes.
  const std::size_t count = run(
      "window.old = true; const f = document.getElementById('filter'); f.value = 'no-shebang';"
      "f.dispatchEvent(new Event('input'));"
      "return [...document.querySelectorAll('#open-list > .case')].filter(c => !c.hidden).length");
  EXPECT_GT(count, 0U);
  EXPECT_TRUE(poll_until([&] { return run("return window.old").is_null(); }));
  EXPECT_EQ(run("return document.getElementById('filter').value"), "no-shebang");
  EXPECT_EQ(shown().size(), count);
  EXPECT_THAT(text(".bar .right"), HasSubstr("every 2 s"));
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
      for (const StatusState state : kStatusStates) {
        if (state == StatusState::many) continue;  // "some" has the same parts
        open(state);
        run(axe.str());
        const json violations = run(
            "return axe.run(document, {resultTypes: ['violations']}).then(r => r.violations"
            ".map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html + n.failureSummary)))");
        EXPECT_EQ(violations, json::array()) << name_of(state) << ' ' << scheme << ' ' << width;
      }
    }
  }
}

// For people: PERMGUARD_SCREENSHOTS=DIR writes a picture of each state.
TEST_F(StatusPageInBrowser, CanBeLookedAt) {
  const char* directory = std::getenv("PERMGUARD_SCREENSHOTS");
  const std::vector<StatusState> states =
      directory ? std::vector(std::begin(kStatusStates), std::end(kStatusStates))
                : std::vector{StatusState::one_incident};
  for (const std::string scheme : {"light", "dark"}) {
    browser_->prefer(scheme);
    for (const int width : kWidths) {
      browser_->resize(width, width == 360 ? 780 : 900);
      for (const StatusState state : states) {
        open(state);
        const std::string picture = browser_->screenshot();
        EXPECT_EQ(picture.substr(0, 8), "\x89PNG\r\n\x1a\n");
        if (!directory) continue;
        std::ofstream(std::string(directory) + '/' + name_of(state) + '-' + scheme + '-' +
                      std::to_string(width) + ".png")
            << picture;
      }
    }
  }
}

}  // namespace
}  // namespace permguard::test
