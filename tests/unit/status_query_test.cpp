// SPDX-License-Identifier: Apache-2.0
#include "httpd/status_query.h"

#include <gtest/gtest.h>

namespace permguard::test {
namespace {

TEST(StatusQuery, NamesTheViews) {
  const std::pair<const char*, StatusView> views[] = {{"", StatusView::page},
                                                      {"json", StatusView::json},
                                                      {"auto", StatusView::automatic},
                                                      {"openmetrics", StatusView::metrics},
                                                      {"health", StatusView::health}};
  for (const auto& [query, view] : views) {
    const auto parsed = parse_status_query(query);
    ASSERT_TRUE(parsed) << query;
    EXPECT_EQ(parsed->view, view);
    EXPECT_FALSE(parsed->refresh);
  }
}

TEST(StatusQuery, RefreshGoesWithAnyView) {
  EXPECT_EQ(parse_status_query("refresh")->refresh, 10);
  EXPECT_EQ(parse_status_query("refresh=1")->refresh, 1);
  EXPECT_EQ(parse_status_query("auto&refresh=86400")->refresh, 86'400);
  EXPECT_EQ(parse_status_query("refresh=5&json")->view, StatusView::json);
}

TEST(StatusQuery, TakesANameAsPrometheusWritesIt) {
  EXPECT_EQ(parse_status_query("openmetrics=")->view, StatusView::metrics);
}

TEST(StatusQuery, RefusesEverythingElse) {
  for (const char* query : {"x",
                            "json ",
                            "Json",
                            "json==",
                            "jsonauto",
                            "json&auto",
                            "auto&auto",
                            "&",
                            "&json",
                            "json&",
                            "json&&auto",
                            "refresh=",
                            "refresh=0",
                            "refresh=+5",
                            "refresh=-5",
                            "refresh= 5",
                            "refresh=5 ",
                            "refresh=0x5",
                            "refresh=86401",
                            "refresh=99999999999999999999",
                            "refresh=5&refresh=5",
                            "refreshed",
                            "refresh5"}) {
    EXPECT_FALSE(parse_status_query(query)) << query;
  }
}

}  // namespace
}  // namespace permguard::test
