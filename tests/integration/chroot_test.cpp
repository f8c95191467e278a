// SPDX-License-Identifier: Apache-2.0
//
// httpd where the world looks different: in a chroot, in a mount namespace of its own, with groups
// that the group data base has changed since.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSilent = "#!/bin/sh\nexit 1\n";
constexpr const char* kOk = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nok'\n";

class Chroot : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    TempTree& tree = server.tree();
    copy_with_libraries("/bin/sh");
    tree.write("jail/cgi/ok.cgi", kOk, 0755);
    tree.write("jail/cgi/silent.cgi", kSilent, 0755);
    tree.write("jail/cgi/broken.cgi", kOk, 0644);
    // Outside the jail there is one, inside there is none.
    tree.write("jail/cgi/outside.cgi", "#!/bin/bash\n", 0755);
    tree.write("jail/locked/cgi/a.cgi", kOk, 0755);
    tree.chmod("jail/locked", 0700);
    tree.write("jail/page.html", "page", 0600);
    // Children look for mod_cgid's socket inside the jail, the daemon has made it outside.
    tree.mkdir("jail/rt", 0777);
    tree.symlink("/", "jail" + tree.root() + "/jail");
    server.configure(
        "ChrootDir @ROOT@/jail\nScriptAlias /cgi/ /cgi/\nScriptAlias /locked/ /locked/cgi/\n"
        "Alias /page.html /page.html\nPermGuardStatusCode 503\n" +
        std::string(GetParam() == Mpm::event ? "ScriptSock @ROOT@/jail/rt/cgisock" : ""));
  }

  void copy(const std::string& file) {
    const std::string to = server.tree().path("jail" + file);
    std::filesystem::create_directories(std::filesystem::path(to).parent_path());
    std::filesystem::copy_file(file, to);
  }

  /// ldd names each library with its absolute path.
  void copy_with_libraries(const std::string& program) {
    copy(program);
    std::istringstream words(run({"ldd", program}).out);
    for (std::string word; words >> word;) {
      if (word.starts_with('/')) copy(word);
    }
  }

  GuardedServer server{"", GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Mpm, Chroot, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Chroot, PathsAreThoseOfTheJail) {
  server.log().allow("AH00132");
  server.start();
  EXPECT_EQ(server.get("/cgi/ok.cgi").body, "ok");
  EXPECT_EQ(server.get("/cgi/broken.cgi").status, 503);
  EXPECT_THAT(server.log().expect("not-executable: www-data cannot execute"),
              HasSubstr("'/cgi/broken.cgi': mode 0644"));
  EXPECT_EQ(server.get("/cgi/outside.cgi").status, 503);
  EXPECT_THAT(server.log().expect("interpreter-not-found: www-data"),
              HasSubstr("'/cgi/outside.cgi': interpreter '/bin/bash' does not exist"));
  EXPECT_EQ(server.get("/locked/a.cgi").status, 403);
  server.log().expect("search-denied: www-data cannot execute '/locked/cgi/a.cgi'");
  EXPECT_EQ(server.get("/page.html").status, 403);
  server.log().expect("read-denied: www-data cannot read '/page.html'");
  EXPECT_EQ(server.get("/cgi/silent.cgi").status, 500);
  server.log().expect("exonerated: www-data can execute '/cgi/silent.cgi'");
}

TEST_P(Chroot, TheConfigurationTestLooksIntoTheJail) {
  const ProcessResult result = server.config_test({"-t", "-D", "DUMP_PERMGUARD"});
  EXPECT_TRUE(result.succeeded()) << result.err;
  EXPECT_THAT(result.out, HasSubstr("www-data cannot execute '/cgi/broken.cgi': mode 0644"));
  EXPECT_THAT(result.out, HasSubstr("'/cgi/outside.cgi': interpreter '/bin/bash' does not exist"));
  EXPECT_THAT(result.out, Not(HasSubstr("ok.cgi")));
}

/// A server whose processes see `mounts`, a shell command, that nobody else sees.
class PrivateMounts : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    if (!run({"unshare", "--mount", "true"}).succeeded()) GTEST_SKIP() << "no mounts here";
  }

  static HttpdOptions options(const std::string& mounts) {
    HttpdOptions chosen;
    chosen.launcher = {"unshare", "--mount", "sh", "-c", mounts + " && exec \"$@\"", "sh"};
    return chosen;
  }
};

TEST_F(PrivateMounts, AHiddenHomeIsNamedWithTheSettingThatHidesIt) {
  HttpdOptions chosen = options("mount -t tmpfs -o mode=000 tmpfs /home");
  chosen.config = "ScriptAlias /ann/ /home/ann/cgi/";
  HttpdServer server(chosen);
  server.log().allow("AH00035");
  server.start();
  EXPECT_EQ(server.get("/ann/a.cgi").status, 403);
  EXPECT_THAT(
      server.log().expect("search-denied: www-data cannot execute"),
      HasSubstr("directory '/home' mode 0000 (d---------) root:root gives search to nobody, "
                "the mount '/home' (tmpfs) may come from systemd's ProtectHome="));
}

TEST_F(PrivateMounts, ANoexecBindMountIsNamed) {
  TempTree scripts;
  scripts.write("a.cgi", kOk, 0755);
  const std::string root = scripts.root();
  HttpdOptions chosen =
      options("mount --bind " + root + " " + root + " && mount -o remount,bind,noexec " + root);
  chosen.config = "PermGuardStatusCode 503\nScriptAlias /scripts/ " + root + "/";
  HttpdServer server(chosen);
  server.start();
  EXPECT_EQ(server.get("/scripts/a.cgi").status, 503);
  const std::string line = server.log().expect("noexec-mount: www-data cannot execute");
  EXPECT_THAT(line, HasSubstr("it lies on '" + root + "', which is mounted noexec"));
  EXPECT_THAT(line, HasSubstr("may come from systemd's NoExecPaths="));
}

TEST_F(PrivateMounts, AnOrdinaryMountIsNotBlamedOnSystemd) {
  GuardedServer server("PermGuardStatusCode 503\nScriptAlias /scripts/ @ROOT@/scripts/");
  if (!server.tree().mount_tmpfs("scripts", "noexec")) GTEST_SKIP() << "no mounts here";
  server.tree().write("scripts/a.cgi", kOk, 0755);
  server.start();
  EXPECT_EQ(server.get("/scripts/a.cgi").status, 503);
  EXPECT_THAT(server.log().expect("noexec-mount: www-data"), Not(HasSubstr("systemd")));
}

/// A group of the system that goes with the object.
class TemporaryGroup {
 public:
  explicit TemporaryGroup(std::string name) : name_(std::move(name)) {
    made_ = run({"groupadd", "--system", name_}).succeeded();
  }
  ~TemporaryGroup() {
    if (made_) run({"groupdel", name_});
  }
  TemporaryGroup(const TemporaryGroup&) = delete;
  TemporaryGroup& operator=(const TemporaryGroup&) = delete;

  bool made() const { return made_; }
  bool add(const std::string& user) const {
    return run({"gpasswd", "--add", user, name_}).succeeded();
  }

 private:
  std::string name_;
  bool made_ = false;
};

class StaleGroups : public testing::TestWithParam<Mpm> {};
INSTANTIATE_TEST_SUITE_P(Mpm, StaleGroups, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(StaleGroups, AGroupJoinedAfterTheStartNeedsARestartAndNoChmod) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string name = "permguard" + std::to_string(::getpid());
  const TemporaryGroup group(name);
  if (!group.made()) GTEST_SKIP() << "no group can be added here";
  GuardedServer server(
      "PermGuardStatusCode 503\nScriptAlias /team/ @ROOT@/team/cgi/\nPermGuardLogInterval 0",
      GetParam());
  server.log().allow("AH00132");
  server.tree().write("team/cgi/a.cgi", kOk, 0755);
  server.tree().write("cgi-bin/team.cgi", kOk, 0754);
  server.tree().write("htdocs/team.html", "page", 0640);
  for (const char* file : {"team", "cgi-bin/team.cgi", "htdocs/team.html"}) {
    server.tree().chown(file, "root", name);
  }
  server.tree().chmod("team", 0750);
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/team.cgi").status, 503);
  EXPECT_THAT(server.log().expect("execute-denied: www-data"), HasSubstr("; fix: chmod o+x"));
  ASSERT_TRUE(group.add("www-data"));
  const std::string advice = "; fix: restart httpd: www-data is in group " + name;
  EXPECT_EQ(server.get("/cgi-bin/team.cgi").status, 503);
  EXPECT_THAT(server.log().expect("execute-denied: www-data"), HasSubstr(advice));
  EXPECT_EQ(server.get("/team/a.cgi").status, 403);
  EXPECT_THAT(server.log().expect("search-denied: www-data"), HasSubstr(advice));
  EXPECT_EQ(server.get("/team.html").status, 403);
  EXPECT_THAT(server.log().expect("read-denied: www-data"), HasSubstr(advice));
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
  EXPECT_THAT(server.log().expect("not-executable: www-data"), HasSubstr("; fix: chmod a+x"));
  server.restart();
  EXPECT_EQ(server.get("/team/a.cgi").status, 200);
  EXPECT_EQ(server.get("/team.html").status, 200);
}

}  // namespace
}  // namespace permguard::test
