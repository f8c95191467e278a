// SPDX-License-Identifier: Apache-2.0
//
// What a package installs: the two configuration files as they are, and where they go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <stdexcept>

#include "support/httpd_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

/// A server without the module in its own configuration: the files under test load it.
HttpdOptions bare() {
  HttpdOptions options;
  options.permguard = false;
  return options;
}

std::string read(const std::string& file) {
  const ProcessResult result = run({"cat", file});
  if (!result.succeeded()) throw std::runtime_error(result.err);
  return result.out;
}

/// The committed permguard.load, with the module that was just built.
std::string load_file() {
  return std::regex_replace(read(PERMGUARD_SOURCE "/conf/permguard.load"),
                            std::regex("/usr/lib/apache2/modules"), PERMGUARD_BUILD);
}

constexpr const char* kKeyFile = "/etc/permguard/status.key";

/// The committed permguard.conf; the key is made where a test may write.
std::string conf_file(const std::string& key) {
  const std::string conf = read(PERMGUARD_SOURCE "/conf/permguard.conf");
  EXPECT_THAT(conf, HasSubstr("\n    PermGuardStatusKey " + std::string(kKeyFile) + "\n"));
  return std::regex_replace(conf, std::regex(kKeyFile), key);
}

void make_key(const std::string& file) {
  const ProcessResult result = run({PERMGUARD_SOURCE "/conf/make-status-key", file});
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

TEST(Conf, IsSafeToEnableAsItIs) {
  HttpdServer server(bare());
  const std::string key = server.tree().path("keys/status.key");
  make_key(key);
  server.configure(load_file() + conf_file(key));
  const ProcessResult tested = server.config_test();
  EXPECT_EQ(tested.exit_code, 0) << tested.err;
  EXPECT_THAT(tested.err, HasSubstr("Syntax OK"));
  server.tree().write("cgi-bin/broken", "#!/bin/sh\n", 0644);
  server.start();
  EXPECT_EQ(server.get("/permguard-status").status, 401);
  EXPECT_EQ(server.get("/permguard-status?health").status, 200);
  std::string text = server.tree().read("keys/status.key");
  text.pop_back();
  EXPECT_EQ(server.request("GET", "/permguard-status", {"Authorization: Bearer " + text}).status,
            200);
  EXPECT_EQ(server.get("/cgi-bin/broken").status, 500);
  server.log().allow("not-executable: ");  // once more where the watch was first
  server.log().expect("not-executable: ");
  server.log().expect("exec of ");  // report: httpd tried, too
  server.log().expect("End of script output before headers");
}

TEST(Conf, EveryDirectiveInItIsAccepted) {
  HttpdServer server(bare());
  make_key(server.tree().path("status.key"));
  const std::string conf =
      std::regex_replace(conf_file(server.tree().path("status.key")),
                         std::regex("\n    # *(PermGuard|</?Directory)"), "\n    $1");
  for (const char* directive : {"PermGuardIncidents ", "PermGuardExpect "}) {
    ASSERT_THAT(conf, HasSubstr("\n    " + std::string(directive)));
  }
  server.configure("Define APACHE_LOG_DIR @ROOT@/logs\n" + load_file() + conf);
  const ProcessResult tested = server.config_test();
  EXPECT_EQ(tested.exit_code, 0) << tested.err;
}

TEST(Conf, TheKeyIsMadeOnceForItsOwnerOnly) {
  TempTree tree;
  const std::string file = tree.path("etc/permguard/status.key");
  make_key(file);
  const std::string key = tree.read("etc/permguard/status.key");
  EXPECT_THAT(key, testing::MatchesRegex("[0-9a-f]+\n"));
  EXPECT_EQ(key.size(), 65U);
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  make_key(file);
  EXPECT_EQ(tree.read("etc/permguard/status.key"), key);
  const std::filesystem::directory_iterator files(tree.path("etc/permguard"));
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(Conf, InstallsWhereHttpdLooks) {
  TempTree tree;
  ProcessOptions options;
  options.environment = {{"DESTDIR", tree.root()}};
  const ProcessResult result = run({"cmake", "--install", PERMGUARD_BUILD}, options);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* file :
       {"usr/lib/apache2/modules/mod_permguard.so", "etc/apache2/mods-available/permguard.load",
        "etc/apache2/mods-available/permguard.conf"}) {
    EXPECT_TRUE(std::filesystem::is_regular_file(tree.path(file))) << file << "\n" << result.out;
  }
  EXPECT_THAT(result.out, HasSubstr("/libexec/permguard/make-status-key\n"));
  EXPECT_EQ(tree.read("etc/apache2/mods-available/permguard.load"),
            read(PERMGUARD_SOURCE "/conf/permguard.load"));
}

}  // namespace
}  // namespace permguard::test
