// SPDX-License-Identifier: Apache-2.0
//
// The tools of the integration tests must themselves be able to fail.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "support/httpd_server.h"
#include "support/suexec_world.h"

namespace permguard::test {
namespace {

using std::chrono::milliseconds;

HttpdOptions plain(Mpm mpm = Mpm::event) {
  HttpdOptions options;
  options.mpm = mpm;
  options.permguard = false;
  return options;
}

class HttpdHarness : public testing::TestWithParam<Mpm> {};
INSTANTIATE_TEST_SUITE_P(Mpm, HttpdHarness, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(HttpdHarness, ServesScriptsAsItsUser) {
  HttpdServer server(plain(GetParam()));
  server.tree().write("cgi-bin/who", "#!/bin/sh\necho; id -u\n", 0755);
  server.start();
  EXPECT_EQ(server.get("/").status, 200);
  EXPECT_EQ(server.get("/cgi-bin/who").body,
            ::geteuid() == 0 ? "33\n" : std::to_string(::geteuid()) + "\n");
  EXPECT_EQ(server.request("HEAD", "/").body, "");
  EXPECT_EQ(server.get("/%2e%2e/none").status, 400);  // sent as it is
  server.log().expect("invalid URI path (/%2e%2e/none)");
}

TEST_P(HttpdHarness, AnUnexpectedErrorLineFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        HttpdServer server(plain(GetParam()));
        server.tree().write("cgi-bin/bad", "#!/bin/sh\n", 0644);
        server.start();
        server.get("/cgi-bin/bad");
      },
      "unexpected in the error log");
}

TEST_P(HttpdHarness, AnExpectedOrAllowedLineDoesNotFail) {
  HttpdServer server(plain(GetParam()));
  server.tree().write("cgi-bin/bad", "#!/bin/sh\n", 0644);
  server.start();
  server.log().allow("exec of '");
  EXPECT_EQ(server.get("/cgi-bin/bad").status, 500);
  EXPECT_NE(server.log().expect("End of script output before headers").find("bad"),
            std::string::npos);
  EXPECT_NONFATAL_FAILURE(server.log().expect("End of script output", milliseconds(50)),
                          "no line with");
}

TEST_P(HttpdHarness, ACrashedChildFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        HttpdServer server(plain(GetParam()));
        server.log().allow("AH");  // of other things
        server.start();
        for (const pid_t pid : server.children()) ::kill(pid, SIGSEGV);
        poll_until([&] { return server.log().count("AH00052") > 0; });
      },
      "AH00052");
}

TEST_P(HttpdHarness, RestartsTakeTheNewConfiguration) {
  HttpdServer server(plain(GetParam()));
  server.start();
  const pid_t pid = server.pid();
  server.tree().write("other/file", "other");
  server.configure("Alias /other @ROOT@/other");
  server.graceful();
  EXPECT_EQ(server.get("/other/file").body, "other");
  server.configure("");
  server.restart();
  EXPECT_EQ(server.get("/other/file").status, 404);
  EXPECT_EQ(server.pid(), pid);
  server.stop();
  EXPECT_EQ(server.get("/").status, 0);
  server.start();
  EXPECT_EQ(server.get("/").status, 200);
}

TEST(HttpdHarnessConfig, TestReportsErrors) {
  HttpdServer server(plain());
  EXPECT_EQ(server.config_test().exit_code, 0);
  server.configure("NoSuchDirective on");
  const ProcessResult result = server.config_test();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("NoSuchDirective"), std::string::npos) << result.err;
  EXPECT_THROW(server.start(), std::runtime_error);
}

TEST(TempTree, IsSearchableAndRemoved) {
  std::string root;
  {
    TempTree tree;
    root = tree.root();
    tree.write("locked/deep/file", "text", 0000);
    tree.chmod("locked/deep", 0000);
    tree.chmod("locked", 0000);
    struct stat status {};
    ASSERT_EQ(::stat(root.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0755U);
  }
  EXPECT_FALSE(std::filesystem::exists(root));
}

TEST(TempTree, MountsAreGoneAfterwards) {
  std::string directory;
  {
    TempTree tree;
    if (!tree.mount_tmpfs("mount", "noexec")) GTEST_SKIP() << "mounts are forbidden here";
    directory = tree.path("mount");
    tree.write("mount/script", "#!/bin/sh\n", 0755);
    EXPECT_EQ(run({tree.path("mount/script")}).exit_code, 127);
  }
  EXPECT_EQ(run({"mountpoint", "-q", directory}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(TempTree, SetsAcls) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  TempTree tree;
  const std::string file = tree.write("file", "text", 0600);
  const auto readable = [&] { return ::access(file.c_str(), R_OK) == 0 ? 0 : 1; };
  EXPECT_EQ(run_as("www-data", readable), 1);
  tree.setfacl("file", {"-m", "u:www-data:r"});
  EXPECT_EQ(run_as("www-data", readable), 0);
}

TEST(Process, CatchesOutputAndStatus) {
  ProcessOptions options;
  options.environment = {{"WORD", "word"}};
  options.directory = "/usr";
  const ProcessResult result = run({"sh", "-c", "echo $WORD; pwd; echo err >&2; exit 7"}, options);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.out, "word\n/usr\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(run({"/no/such/program"}).exit_code, 127);
}

TEST(Process, EndsWhatTakesTooLong) {
  ProcessOptions options;
  options.timeout = milliseconds(50);
  const ProcessResult result = run({"sleep", "600"}, options);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGTERM);
}

/// The tests run wherever the checkout lies.
TEST(SuexecWorldHarness, KeepsWhatLiesBelowVar) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to mount";
  std::string directory = "/var/tmp/per guard.XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string file = directory + "/file";
  std::ofstream(file) << "kept";
  {
    const SuexecWorld world({directory, "/usr"});
    if (world.forbidden().empty()) {
      EXPECT_TRUE(std::filesystem::exists(file));
      EXPECT_FALSE(std::filesystem::exists("/var/lib"));
      EXPECT_FALSE(std::ofstream(file).is_open()) << "a test could empty it";
    }
  }
  EXPECT_EQ(std::filesystem::file_size(file), 4U);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace permguard::test
