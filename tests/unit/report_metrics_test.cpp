// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/metrics_text.h"
#include "report/pages.h"
#include "unit/report_snapshots.h"

namespace permguard {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string prometheus(const StatusSnapshot& snapshot) {
  return status_metrics(snapshot, MetricsFormat::prometheus);
}
std::string openmetrics(const StatusSnapshot& snapshot) {
  return status_metrics(snapshot, MetricsFormat::openmetrics);
}

TEST(Metrics, CountersNameTheirFamilyAsTheFormatWants) {
  const std::string sample = "permguard_checks_total{handler=\"cgi\",result=\"blocked\"} 4213\n";
  EXPECT_THAT(prometheus(samples::one_incident()), HasSubstr(sample));
  EXPECT_THAT(openmetrics(samples::one_incident()), HasSubstr(sample));
  EXPECT_THAT(prometheus({}), HasSubstr("# TYPE permguard_checks_total counter\n"));
  EXPECT_THAT(openmetrics({}), HasSubstr("# TYPE permguard_checks counter\n"));
}

TEST(Metrics, OnlyOpenMetricsHasUnitsInfoAndAnEnd) {
  EXPECT_THAT(openmetrics({}), HasSubstr("# UNIT permguard_check_duration_seconds seconds\n"));
  EXPECT_THAT(openmetrics({}), HasSubstr("# TYPE permguard_build info\n"));
  EXPECT_THAT(openmetrics({}), EndsWith("\n# EOF\n"));
  EXPECT_THAT(prometheus({}), Not(HasSubstr("UNIT")));
  EXPECT_THAT(prometheus({}), Not(HasSubstr("EOF")));
  EXPECT_THAT(
      prometheus(samples::healthy()),
      HasSubstr("# TYPE permguard_build_info gauge\npermguard_build_info{version=\"0.1.0\"} 1\n"));
}

TEST(Metrics, EveryHandlerAndResultIsAlwaysThere) {
  const std::string text = prometheus({});
  for (std::size_t handler = 0; handler < kHandlerCount; ++handler) {
    for (std::size_t result = 0; result < kCheckResultCount; ++result) {
      EXPECT_THAT(text, HasSubstr(std::string("permguard_checks_total{handler=\"") +
                                  name_of(static_cast<Handler>(handler)) + "\",result=\"" +
                                  name_of(static_cast<CheckResult>(result)) + "\"} 0\n"));
    }
  }
}

TEST(Metrics, EveryFamilyIsThereAtTheFirstScrape) {
  for (const char* name : {"permguard_exonerated_total{handler=\"cgi\"}",
                           "permguard_incidents_open", "permguard_incidents_evicted_total",
                           "permguard_check_duration_seconds_count", "permguard_watch_directories",
                           "permguard_watch_files", "permguard_watch_last_run_timestamp_seconds",
                           "permguard_watch_duration_seconds", "permguard_events_dropped_total",
                           "permguard_findings_total{code=\"not-executable\",role=\"script\"}",
                           "permguard_findings_total{code=\"bad-elf\",role=\"script\"}"}) {
    EXPECT_THAT(prometheus({}), HasSubstr(std::string("\n") + name + " 0\n"));
    EXPECT_THAT(openmetrics({}), HasSubstr(std::string("\n") + name + " 0\n"));
  }
}

TEST(Metrics, UnusualFindingsAppearOnceTheyWereFound) {
  EXPECT_THAT(prometheus({}), Not(HasSubstr("role=\"socket\"")));
  EXPECT_THAT(prometheus({}), Not(HasSubstr("permguard_watch_findings{")));
  EXPECT_THAT(
      prometheus(samples::one_incident()),
      HasSubstr("permguard_findings_total{code=\"not-executable\",role=\"script\"} 4213\n"));
  EXPECT_THAT(prometheus(samples::drift()),
              HasSubstr("permguard_watch_findings{code=\"mode-drift\",role=\"script\"} 1\n"));
}

TEST(Metrics, HistogramIsCumulative) {
  StatusSnapshot snapshot;
  snapshot.counters.duration_buckets = {1, 2, 0, 0, 0, 0, 0, 0, 0, 4, 8};
  snapshot.counters.duration_ns = 1'500'000'007;
  const std::string text = prometheus(snapshot);
  for (const char* line : {"_bucket{le=\"1e-06\"} 1\n", "_bucket{le=\"5e-06\"} 3\n",
                           "_bucket{le=\"0.0001\"} 3\n", "_bucket{le=\"0.1\"} 7\n",
                           "_bucket{le=\"+Inf\"} 15\n", "_sum 1.500000007\n", "_count 15\n"}) {
    EXPECT_THAT(text, HasSubstr(std::string("permguard_check_duration_seconds") + line));
  }
}

TEST(Metrics, TellNoPath) {
  for (const auto& [name, snapshot] : samples::every_state()) {
    EXPECT_THAT(prometheus(snapshot), Not(HasSubstr("/srv"))) << name;
  }
}

TEST(Metrics, LabelsAreEscaped) {
  StatusSnapshot snapshot;
  snapshot.version = "a\"b\\c\nd";
  EXPECT_THAT(prometheus(snapshot), HasSubstr(R"({version="a\"b\\c\nd"} 1)"));
}

struct AcceptCase {
  const char* accept;
  MetricsFormat format;
};

class Negotiation : public testing::TestWithParam<AcceptCase> {};

TEST_P(Negotiation, TakesTheFormatAskedFor) {
  EXPECT_EQ(negotiate_metrics(GetParam().accept), GetParam().format);
}

constexpr auto kText = MetricsFormat::prometheus;
constexpr auto kOpen = MetricsFormat::openmetrics;

INSTANTIATE_TEST_SUITE_P(
    Accept, Negotiation,
    testing::Values(
        AcceptCase{nullptr, kText}, AcceptCase{"", kText}, AcceptCase{"*/*", kText},
        AcceptCase{"text/html,*/*;q=0.8", kText},
        // Prometheus 2.42 and Prometheus 3.
        AcceptCase{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                   "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                   kOpen},
        AcceptCase{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                   "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
                   "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                   kOpen},
        // Prometheus 2.4, and a scraper that prefers the text format.
        AcceptCase{"text/plain;version=0.0.4;q=1,*/*;q=0.1", kText},
        AcceptCase{"text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.9",
                   kText},
        AcceptCase{"application/openmetrics-text", kOpen},
        AcceptCase{"Application/OpenMetrics-Text ; Version=\"1.0.0\" , */*", kOpen},
        AcceptCase{"application/openmetrics-text; version=0.0.1", kText},
        AcceptCase{"application/openmetrics-text;q=0", kText},
        AcceptCase{"application/openmetrics-text;q=rubbish", kText},
        AcceptCase{"application/openmetrics-text;q=0.4,text/*;q=0.3,*/*;q=0.9", kOpen},
        AcceptCase{";;,,=;q=", kText}));

TEST(Metrics, ContentTypesNameTheVersion) {
  EXPECT_STREQ(content_type(kText), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_STREQ(content_type(kOpen), "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace permguard
