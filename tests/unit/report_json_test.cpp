// SPDX-License-Identifier: Apache-2.0
#include "report/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/sentence.h"
#include "report/utf8.h"
#include "unit/report_samples.h"

namespace permguard {
namespace {

nlohmann::ordered_json json_of(const Finding& finding) {
  return finding_json(finding, samples::www_data(), samples::kNow);
}

TEST(FindingJson, IsTheObjectOfTheContract) {
  EXPECT_EQ(
      dump(json_of(samples::not_executable())),
      R"({"code":"not-executable","role":"script","severity":"error","certainty":"certain",)"
      R"("target":"/srv/www/cgi-bin/pay.cgi","path":"/srv/www/cgi-bin/pay.cgi","need":"execute",)"
      R"("user":{"name":"www-data","uid":33,"gid":33,"groups":[33]},)"
      R"("file":{"type":"regular","mode":"0644","owner":"root","group":"root","uid":0,"gid":0,)"
      R"("device":2049,"inode":131,"changed":"2023-11-05T09:58:12Z"},)"
      R"("decided_by":"no-execute-bit","errno":"EACCES",)"
      R"("message":"not-executable: www-data cannot execute '/srv/www/cgi-bin/pay.cgi': mode 0644 )"
      R"((-rw-r--r--) root:root grants execute to nobody; changed 2023-11-05T09:58:12Z (1m48s ago); )"
      R"(fix: chmod a+x '/srv/www/cgi-bin/pay.cgi'",)"
      R"("fix":["chmod a+x '/srv/www/cgi-bin/pay.cgi'"]})");
}

TEST(FindingJson, UnknownFileAndErrnoAreNull) {
  const auto json = json_of(samples::of_code(Code::not_found, Role::interpreter, "/opt/perl"));
  EXPECT_TRUE(json.at("file").is_null());
  EXPECT_TRUE(json.at("errno").is_null());
  EXPECT_EQ(json.at("fix"), nlohmann::ordered_json::array());
}

TEST(FindingJson, KeepsTheBytesOfAStrangePath) {
  Finding finding = samples::not_executable();
  finding.path = "/srv/\xff\xfe";
  const auto json = json_of(finding);
  EXPECT_EQ(json.at("path"), "/srv/\uFFFD\uFFFD");
  EXPECT_EQ(json.at("path_base64"), base64(finding.path));
  EXPECT_FALSE(json.contains("target_base64"));
  EXPECT_EQ(nlohmann::json::parse(dump(json)).at("path"), "/srv/\uFFFD\uFFFD");
}

TEST(UserJson, GroupsHoldThePrimaryGroup) {
  Identity who = samples::www_data();
  who.groups = {4, 100};
  EXPECT_EQ(dump(user_json(who)), R"({"name":"www-data","uid":33,"gid":33,"groups":[4,33,100]})");
}

TEST(FindingsDocument, IsHealthyWithoutErrorsAndDrift) {
  const Finding risk = samples::of_code(Code::world_writable, Role::script, "/srv/www/a");
  const Finding drift = samples::of_code(Code::mode_drift, Role::script, "/srv/www/a");
  const Identity who = samples::www_data();
  EXPECT_EQ(dump(findings_document(who, 7, {}, {}, 0)),
            R"({"schema":1,"user":{"name":"www-data","uid":33,"gid":33,"groups":[33]},)"
            R"("healthy":true,"checked":7,"findings":[],"unexamined":[]})");
  EXPECT_TRUE(findings_document(who, 1, {&risk, 1}, {}, 0).at("healthy").get<bool>());
  EXPECT_FALSE(findings_document(who, 1, {&drift, 1}, {}, 0).at("healthy").get<bool>());
}

TEST(FindingsDocument, WhatWasNotExaminedIsNotHealthy) {
  const Unexamined secret = {"/root/\xff", 13};
  const auto json = findings_document(samples::www_data(), 0, {}, {&secret, 1}, 0);
  EXPECT_FALSE(json.at("healthy").get<bool>());
  EXPECT_EQ(dump(json.at("unexamined")),
            "[{\"path\":\"/root/\uFFFD\",\"path_base64\":\"L3Jvb3Qv/w==\",\"errno\":\"EACCES\"}]");
}

TEST(Utf8, ReplacesEachBadByte) {
  EXPECT_EQ(to_utf8("plain \u00e9 \U0001F600"), "plain \u00e9 \U0001F600");
  EXPECT_EQ(to_utf8("\x80z"), "\uFFFDz");
  EXPECT_EQ(to_utf8("\xc3"), "\uFFFD");                                // cut short
  EXPECT_EQ(to_utf8("\xe2\x82z"), "\uFFFD\uFFFDz");                    // two of three
  EXPECT_EQ(to_utf8("\xc0\xaf"), "\uFFFD\uFFFD");                      // over-long
  EXPECT_EQ(to_utf8("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(to_utf8("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(to_utf8("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf");
}

TEST(Utf8, Base64AsInRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace permguard
