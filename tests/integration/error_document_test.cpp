// SPDX-License-Identifier: Apache-2.0
//
// conf/errordocument: visitors learn a number, the operator all that belongs to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "integration/guarded_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kFolder = PERMGUARD_SOURCE "/conf/errordocument/";

/// The packaged configuration, with the places of a test.
std::string packaged() {
  std::ifstream file(kFolder + "errordocument.conf");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string page =
      std::regex_replace(text.str(), std::regex("/usr/share/permguard/errordocument/"), kFolder);
  return std::regex_replace(page, std::regex("\\$\\{APACHE_LOG_DIR\\}"), "@ROOT@/logs");
}

class ErrorDocument : public ::testing::TestWithParam<Mpm> {
 protected:
  void start(const std::string& mode) {
    server_ = std::make_unique<GuardedServer>(
        "PermGuard " + mode + "\nPermGuardWatch off\nPermGuardEventLog logs/events.json\n" +
            packaged(),
        GetParam(), std::vector<std::string>{"include"});
    server_->log().allow("not-executable");
    server_->start();
  }

  std::unique_ptr<GuardedServer> server_;
};

TEST_P(ErrorDocument, NamesTheIncidentAndNothingElse) {
  for (const char* mode : {"enforce", "report", "explain"}) {
    start(mode);
    for (int i = 0; i < 2; ++i) {  // the second request is of an incident that is known
      const HttpResponse answer = server_->get("/cgi-bin/broken.cgi");
      EXPECT_EQ(answer.status, 500) << mode;
      EXPECT_THAT(answer.body, HasSubstr("name the reference <strong>1</strong>.")) << mode;
      EXPECT_THAT(answer.body, Not(HasSubstr(server_->tree().root())));
      EXPECT_THAT(answer.body, Not(HasSubstr("not-executable")));
      EXPECT_THAT(answer.body, Not(HasSubstr("permguard")));
    }
    const auto status = nlohmann::json::parse(server_->get("/permguard-status?json").body);
    EXPECT_EQ(status["incidents"][0]["id"], 1);
    EXPECT_THAT(server_->get("/permguard-status").body, HasSubstr("id=\"incident-1\""));
    EXPECT_THAT(server_->tree().read("logs/events.json"), HasSubstr("\"incident\":1"));
    EXPECT_TRUE(poll_until([&] {
      return server_->tree().read("logs/permguard.log").find("500 not-executable #1\n") !=
             std::string::npos;
    })) << mode;
  }
}

TEST_P(ErrorDocument, HasNoNumberWhereItWasNotPermissions) {
  start("report");
  const HttpResponse answer = server_->get("/cgi-bin/silent.cgi");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("It is not your fault."));
  EXPECT_THAT(answer.body, Not(HasSubstr("reference")));
  EXPECT_EQ(server_->tree().read("logs/permguard.log"), "");
}

INSTANTIATE_TEST_SUITE_P(Mpms, ErrorDocument, ::testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

}  // namespace
}  // namespace permguard::test
