// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "report/pages.h"
#include "unit/report_snapshots.h"

namespace permguard {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page(const StatusSnapshot& snapshot) {
  return status_page(snapshot, std::nullopt, "/permguard-status").body;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++number;
  }
  return number;
}

/// The page without its own style and script.
std::string markup(const StatusSnapshot& snapshot) {
  std::string html = page(snapshot);
  for (const char* name : {"style", "script"}) {
    const std::size_t begin = html.find('>', html.find(std::string("<") + name)) + 1;
    html.erase(begin, html.find(std::string("</") + name + ">", begin) - begin);
  }
  return html;
}

TEST(StatusPage, OneLookTellsTheVerdict) {
  EXPECT_THAT(page(samples::healthy()), HasSubstr("<h1>Nothing is broken</h1>"));
  EXPECT_THAT(page(samples::one_incident()), HasSubstr("<h1>Broken: 1 open error</h1>"));
  EXPECT_THAT(page(samples::one_incident()), HasSubstr("4,213 requests affected since <time"));
  EXPECT_THAT(page(samples::drift()), HasSubstr("<h1>Nothing is broken, 1 warning</h1>"));
  EXPECT_THAT(page(samples::recovered()), HasSubstr("<h1>Nothing is broken</h1>"));
  EXPECT_THAT(page(samples::one_incident()), HasSubstr("<title>1 error \u2013 permguard</title>"));
}

TEST(StatusPage, AnIncidentHasCauseFixAndFacts) {
  const std::string html = page(samples::one_incident());
  EXPECT_THAT(html, HasSubstr("mode 0644 (-rw-r--r--) root:root grants execute to nobody"));
  EXPECT_THAT(html, HasSubstr("data-copy=\"chmod a+x &#39;/srv/www/cgi-bin/pay.cgi&#39;\""));
  EXPECT_THAT(html, HasSubstr("datetime=\"2023-11-05T09:56:48Z\""));
  EXPECT_THAT(html, HasSubstr("<dt>Requests</dt><dd>4,213</dd>"));
  EXPECT_THAT(html, HasSubstr("id=\"incident-1\""));
}

TEST(StatusPage, ErrorsComeBeforeWarningsAndHeavyBeforeLight) {
  StatusSnapshot snapshot = samples::healthy();
  for (std::uint64_t id = 1; id <= 3; ++id) {
    snapshot.incidents.push_back(samples::incident(id, samples::not_executable()));
    snapshot.incidents.back().count = id;
  }
  snapshot.incidents[2].finding.severity = Severity::warning;
  const std::string html = page(snapshot);
  EXPECT_LT(html.find("id=\"incident-2\""), html.find("id=\"incident-1\""));
  EXPECT_LT(html.find("id=\"incident-1\""), html.find("id=\"incident-3\""));
}

TEST(StatusPage, WhatTheWatchAndRequestsSawIsCountedAndShownOnce) {
  StatusSnapshot snapshot = samples::one_incident();
  snapshot.watch[0].findings = {{snapshot.incidents[0].finding, samples::www_data()},
                                {samples::search_denied(), samples::www_data()}};
  const std::string html = page(snapshot);
  EXPECT_THAT(html, HasSubstr("<h1>Broken: 2 open errors</h1>"));
  EXPECT_THAT(html, HasSubstr("The watch sees 1 more error that no incident stands for."));
  EXPECT_EQ(count(html, "<details"), 2U);
}

TEST(StatusPage, SaysWhereNoRequestWasHurt) {
  StatusSnapshot snapshot = samples::one_incident();
  snapshot.incidents[0].count = 0;
  EXPECT_THAT(page(snapshot), HasSubstr("No request has met it yet; found by the watch <time"));
}

TEST(StatusPage, ABadDayIsSummedUpByCause) {
  const std::string html = page(samples::many(100));
  EXPECT_THAT(html, HasSubstr("<li>search-denied <strong>27</strong></li>"));
  EXPECT_THAT(page(samples::one_incident()), Not(HasSubstr("class=\"causes\"")));
}

TEST(StatusPage, RecoveredIncidentsStandApart) {
  const std::string html = page(samples::recovered());
  EXPECT_THAT(html, HasSubstr("Open incidents (0)"));
  EXPECT_THAT(html, HasSubstr("Recovered (1)"));
  EXPECT_THAT(html, Not(HasSubstr("id=\"incident-1\"")));
}

TEST(StatusPage, RefreshingCanBeStartedAndStopped) {
  EXPECT_THAT(page({}), HasSubstr("<a href=\"/permguard-status?refresh=10\">"));
  const std::string refreshing = status_page({}, 5, "/s\"><script>").body;
  EXPECT_THAT(refreshing,
              HasSubstr("Refreshes every 5 s, <a href=\"/s&quot;&gt;&lt;script&gt;\">"));
}

TEST(StatusPage, HostileNamesStayText) {
  const std::string html = markup(samples::hostile());
  EXPECT_EQ(count(html, "<script"), 1U);
  EXPECT_EQ(count(html, "<img"), 0U);
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;document.title=&#39;broken&#39;&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("report[U+202E]gpj.exe[U+2066]"));
  EXPECT_THAT(html, HasSubstr("bad\uFFFD\uFFFD\uFFFDutf8\uFFFD\uFFFD"));
  EXPECT_THAT(html, HasSubstr("line\u240Afeed\u240Dand\u2409tab\u241B[31m"));
}

TEST(StatusPage, NeedsNothingThePolicyForbids) {
  for (const auto& [name, snapshot] : samples::every_state()) {
    const std::string html = markup(snapshot);
    EXPECT_EQ(count(html, " style="), 0U) << name;
    EXPECT_EQ(count(html, "javascript:"), 0U) << name;
    EXPECT_EQ(count(html, "<link "), 1U) << name;
    EXPECT_EQ(count(html, "src="), count(html, "&lt;img src=") + count(html, "&gt;img src="));
  }
  const std::string policy = status_page({}, {}, "/").content_security_policy;
  EXPECT_THAT(policy, testing::StartsWith("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST(StatusPage, IdsAreUnique) {
  const std::string html = markup(samples::many(100));
  std::set<std::string> ids;
  for (std::size_t at = html.find(" id=\""); at != std::string::npos;
       at = html.find(" id=\"", at + 1)) {
    const std::size_t begin = at + 5;
    const std::string id = html.substr(begin, html.find('"', begin) - begin);
    EXPECT_TRUE(ids.insert(id).second) << id;
  }
  EXPECT_GT(ids.size(), 60U);
}

TEST(StatusPage, AThousandIncidentsAreAllThere) {
  const std::string html = page(samples::many(1000));
  EXPECT_EQ(count(html, "<details"), 667U);
  EXPECT_LT(html.size(), 3U << 20);
}

}  // namespace
}  // namespace permguard
