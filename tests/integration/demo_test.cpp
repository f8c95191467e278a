// SPDX-License-Identifier: Apache-2.0
//
// scripts/demo as a stranger runs it: every case tells its cause, and nothing stays behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "support/httpd_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kOnce = {PERMGUARD_SOURCE "/scripts/demo", "--once"};

ProcessOptions demo_options(int port, const std::string& build = PERMGUARD_BUILD) {
  ProcessOptions options;
  options.environment = {{"PORT", std::to_string(port)}, {"PERMGUARD_BUILD", build}};
  options.directory = "/";
  return options;
}

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The demo's directory, from what it printed.
std::string tree_of(const std::string& output) {
  std::smatch match;
  if (!std::regex_search(output, match, std::regex("/tmp/permguard-demo\\.[A-Za-z0-9]+")))
    return "";
  return match[0];
}

/// The status page's key, from what it printed.
std::string key_of(const std::string& output) {
  std::smatch match;
  const std::regex line("asks for a password, any user name will do: ([0-9a-f]{64})\n");
  return std::regex_search(output, match, line) ? std::string(match[1]) : "";
}

/// What is left of the demo's files, mounts and processes.
std::vector<std::string> left_of(const std::string& tree) {
  std::vector<std::string> left;
  if (std::filesystem::exists(tree)) left.push_back(tree);
  if (read("/proc/self/mounts").find(tree) != std::string::npos) left.push_back("a mount");
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (read(entry.path() / "cmdline").find(tree) != std::string::npos)
      left.push_back(entry.path());
  }
  return left;
}

/// The demo's block for one script, without line breaks: from its title to the next empty line.
std::string block_of(const std::string& output, const std::string& script) {
  const auto start = output.find("  /cgi-bin/" + script + "\n");
  if (start == std::string::npos) return "";
  const std::string block = output.substr(start, output.find("\n\n", start) - start);
  return std::regex_replace(block, std::regex("\\s+"), " ");
}

void expect_case(const std::string& output, const std::string& script, const std::string& says) {
  EXPECT_THAT(block_of(output, script), AnyOf(HasSubstr(says), HasSubstr("skipped: "))) << output;
}

class Demo : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the demo's httpd has no sanitizer runtime";
#endif
  }
};

TEST_F(Demo, EachCaseTellsItsCause) {
  const ProcessResult result = run(kOnce, demo_options(free_port()));
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, Not(HasSubstr("\033")));
  expect_case(result.out, "hello.cgi", "mod_permguard 200");
  expect_case(result.out, "mode.cgi", "mod_permguard 500 not-executable: ");
  expect_case(result.out, "ann/private.cgi", "search-denied: www-data cannot execute ");
  expect_case(result.out, "python.cgi", "mod_permguard 500 interpreter-not-found: ");
  expect_case(result.out, "windows.cgi", "mod_permguard 500 shebang-crlf: ");
  expect_case(result.out, "notes.cgi", "mod_permguard 500 no-shebang: ");
  expect_case(result.out, "secret.cgi", "read-denied: www-data cannot ");
  expect_case(result.out, "acl.cgi", "mod_permguard 500 execute-denied: ");
  expect_case(result.out, "mnt/upload.cgi", "mod_permguard 500 noexec-mount: ");
  expect_case(result.out, "buggy.cgi", "exonerated: ");
  EXPECT_THAT(result.out, HasSubstr("/permguard-status"));
  ASSERT_NE(tree_of(result.out), "");
  EXPECT_THAT(left_of(tree_of(result.out)), testing::IsEmpty());
}

TEST_F(Demo, ServesUntilItIsInterrupted) {
  for (const int signal : {SIGINT, SIGTERM}) {
    TempTree tree;
    const int port = free_port();
    ProcessOptions options = demo_options(port);
    options.output = tree.path("output");
    Child demo({kOnce[0]}, options);
    ASSERT_TRUE(poll_until([&] {
      return read(options.output).find("Ctrl-C") != std::string::npos;
    })) << read(options.output);
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(port) + "/permguard-status";
    EXPECT_EQ(send(request).status, 401);
    request.headers = {"Authorization: Bearer " + key_of(read(options.output))};
    EXPECT_EQ(send(request).status, 200);
    demo.signal(signal);
    const auto end = demo.wait(std::chrono::seconds(20));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 0);
    EXPECT_THAT(left_of(tree_of(read(options.output))), testing::IsEmpty());
  }
}

TEST_F(Demo, CleansUpAfterAnError) {
  const ProcessResult result = run(kOnce, demo_options(free_port(), "/no/such/build"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("did not start"));
  ASSERT_NE(tree_of(result.err), "");
  EXPECT_THAT(left_of(tree_of(result.err)), testing::IsEmpty());
}

TEST_F(Demo, SaysThatThePortIsTaken) {
  HttpdOptions options;
  options.permguard = false;
  HttpdServer other(options);
  other.start();
  const ProcessResult result = run(kOnce, demo_options(other.port()));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              HasSubstr("port " + std::to_string(other.port()) + " on 127.0.0.1 is taken"));
}

}  // namespace
}  // namespace permguard::test
