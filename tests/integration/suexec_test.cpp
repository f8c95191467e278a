// SPDX-License-Identifier: Apache-2.0
//
// The module with mod_suexec and mod_userdir and the real suexec of Debian.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "support/httpd_server.h"
#include "support/suexec_world.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kDirectory = "/var/www/site";
constexpr const char* kCopy = "/var/copy/suexec";
constexpr const char* kScript = "/var/www/site/a.cgi";

/// One URL space for every mode, all leading to the same scripts.
constexpr const char* kConfig = R"(
LogLevel permguard:debug
PermGuardLogInterval 0
<VirtualHost *>
  ServerName report
  PermGuard report
  SuexecUserGroup ann ann
  ScriptAlias /s/ /var/www/site/
  ScriptAlias /old/ /var/www-old/
  UserDir public_html
  <Directory /var/home/*/public_html>
    Options +ExecCGI
    AddHandler cgi-script .cgi
  </Directory>
</VirtualHost>
<VirtualHost *>
  ServerName strict
  PermGuard enforce strict
  SuexecUserGroup ann ann
  ScriptAlias /s/ /var/www/site/
  UserDir public_html
  <Directory /var/home/*/public_html>
    Options +ExecCGI
    AddHandler cgi-script .cgi
  </Directory>
</VirtualHost>
<VirtualHost *>
  ServerName lowly
  PermGuard report
  SuexecUserGroup lowly low
  ScriptAlias /s/ /var/www/site/
</VirtualHost>
)";

void give(const std::string& path, uid_t uid, gid_t gid, unsigned mode) {
  ASSERT_EQ(lchown(path.c_str(), uid, gid), 0) << path;
  fs::permissions(path, static_cast<fs::perms>(mode));
}

void write_script(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  give(path, kAnn, kAnn, 0755);
}

/// A server in a world where /s/a.cgi says who runs it: ann.
class SuexecServer : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (access(kPristineSuexec, X_OK) != 0 || access(kCustomSuexec, X_OK) != 0) {
      GTEST_SKIP() << "Debian's two suexec packages are not installed";
    }
    world_ = std::make_unique<SuexecWorld>();
    if (!world_->forbidden().empty()) {
      GTEST_SKIP() << "no mount namespace on this machine: " << world_->forbidden();
    }
    world_->install(kPristineSuexec);
    fs::create_directory(kDirectory);
    give(kDirectory, kAnn, kAnn, 0755);
    write_script(kScript, kWhoAmI);
    write_script("/var/home/ann/public_html/a.cgi", kWhoAmI);
  }
  void TearDown() override {
    server_.reset();
    world_.reset();
  }

  void start(std::vector<std::string> launcher = {}) {
    HttpdOptions options;
    options.mpm = GetParam();
    options.modules = {"suexec", "userdir"};
    options.launcher = std::move(launcher);
    options.config = kConfig;
    server_ = std::make_unique<HttpdServer>(options);
    server_->start();
    // What stock httpd says of a script that suexec refused.
    for (const char* text : {"suexec policy violation", "End of script output before headers",
                             "suexec failure", "fopen", "exec of '", "AH01215", "AH00035"}) {
      server_->log().allow(text);
    }
  }

  HttpResponse get(const std::string& host, const std::string& path = "/s/a.cgi") const {
    return server_->request("GET", path, {"Host: " + host});
  }

  /// The script fails, and the module's line begins with `tag`.
  void expect_told(const std::string& tag, const std::string& host = "report",
                   const std::string& path = "/s/a.cgi") {
    EXPECT_EQ(get(host, path).status, 500) << tag;
    const std::string line = server_->log().expect("] " + tag + " (modelled): ");
    EXPECT_THAT(line, HasSubstr("cannot execute '")) << tag;
  }

  static std::string suexec_log() {
    std::ifstream file("/var/log/apache2/suexec.log");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  static constexpr const char* kWhoAmI =
      "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nid -un\n";
  std::unique_ptr<SuexecWorld> world_;
  std::unique_ptr<HttpdServer> server_;
};

INSTANTIATE_TEST_SUITE_P(Mpm, SuexecServer, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(SuexecServer, ServesWhatSuexecAcceptsEvenInStrict) {
  start();
  for (const char* host : {"report", "strict"}) {
    EXPECT_EQ(get(host).body, "ann\n") << host;
    EXPECT_EQ(get(host, "/~ann/a.cgi").body, "ann\n") << host;
  }
  // Only its owner may read or execute it, so the server's own user could not.
  give(kScript, kAnn, kAnn, 0700);
  EXPECT_EQ(get("strict").body, "ann\n");
}

struct Violation {
  const char* tag;
  std::function<void()> spoil;
};

std::vector<Violation> violations() {
  return {
      {"suexec-writable", [] { give(kScript, kAnn, kAnn, 0775); }},
      {"suexec-setid", [] { give(kScript, kAnn, kAnn, 04755); }},
      {"suexec-owner-cannot-execute", [] { give(kScript, kAnn, kAnn, 0655); }},
      {"suexec-owner-mismatch", [] { give(kScript, kBob, kAnn, 0755); }},
      {"suexec-owner-mismatch", [] { give(kDirectory, kAnn, kBob, 0755); }},
      {"suexec-dir-writable", [] { give(kDirectory, kAnn, kAnn, 0775); }},
      {"suexec-read-denied", [] { give(kDirectory, kAnn, kAnn, 0355); }},
      {"suexec-search-denied", [] { give("/var/www", 0, 33, 0750); }},
      {"suexec-symlink",
       [] {
         fs::rename(kScript, "/var/www/site/real.cgi");
         fs::create_symlink("real.cgi", kScript);
       }},
      {"suexec-no-log", [] { fs::remove_all("/var/log/apache2"); }},
      {"suexec-not-setuid-root", [] { fs::permissions(kCopy, fs::perms{0750}); }},
      {"suexec-execute-denied", [] { give(kCopy, 0, 0, 04750); }},
  };
}

TEST_P(SuexecServer, TellsEveryViolationAfterTheFailureAndAnswersItInStrict) {
  // A copy, because some violations are those of suexec's own file.
  world_->install(world_->copy_of(kPristineSuexec, 04750, 0));
  ASSERT_TRUE(fs::exists(kCopy));
  start();
  for (const Violation& violation : violations()) {
    violation.spoil();
    expect_told(violation.tag);
    const std::string before = suexec_log();
    EXPECT_EQ(get("strict").status, 500) << violation.tag;
    server_->log().expect("] " + std::string(violation.tag));
    EXPECT_EQ(suexec_log(), before) << violation.tag << ": suexec was called nevertheless";
    fs::remove_all(kDirectory);
    fs::create_directories("/var/log/apache2");
    give("/var/www", 0, 0, 0755);
    give(kCopy, 0, 33, 04750);
    fs::create_directory(kDirectory);
    give(kDirectory, kAnn, kAnn, 0755);
    write_script(kScript, kWhoAmI);
    EXPECT_EQ(get("strict").body, "ann\n") << "after " << violation.tag;
  }
}

TEST_P(SuexecServer, TellsAllViolationsInOneLineWithAllFixes) {
  start();
  give(kDirectory, 0, 0, 0777);
  give(kScript, kAnn, kAnn, 04644);
  EXPECT_EQ(get("report").status, 500);
  const std::string line = server_->log().expect("suexec-dir-writable (modelled): ann cannot");
  for (const char* part :
       {"also suexec-setid", "also suexec-owner-mismatch", "also suexec-owner-cannot-execute",
        "chmod go-w '/var/www/site'", "chmod ug-s '/var/www/site/a.cgi'",
        "chown ann:ann '/var/www/site'", "chmod u+x '/var/www/site/a.cgi'"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
}

TEST_P(SuexecServer, NamesTargetsThatSuexecRefuses) {
  start();
  EXPECT_EQ(get("lowly").status, 500);
  const std::string line = server_->log().expect("suexec-uid-too-low (modelled): lowly cannot");
  EXPECT_THAT(line, HasSubstr("also suexec-gid-too-low"));
}

TEST_P(SuexecServer, KnowsDocumentRootAndUserDirectories) {
  start();
  fs::create_directory("/var/www-old");
  give("/var/www-old", kAnn, kAnn, 0755);
  write_script("/var/www-old/a.cgi", kWhoAmI);
  expect_told("suexec-outside-docroot", "report", "/old/a.cgi");
  give("/var/home/ann/public_html/a.cgi", kAnn, kAnn, 0757);
  expect_told("suexec-writable", "report", "/~ann/a.cgi");
}

TEST_P(SuexecServer, TheConfigurationTestKnowsUserDirectories) {
  HttpdOptions options;
  options.mpm = GetParam();
  options.modules = {"suexec", "userdir"};
  options.config = R"(
UserDir public_html
<Directory /var/home/*/public_html>
  Options +ExecCGI
  AddHandler cgi-script .cgi
</Directory>
)";
  give("/var/home/ann/public_html/a.cgi", kAnn, kAnn, 0757);
  HttpdServer server(options);
  const ProcessResult dump = server.config_test({"-t", "-D", "DUMP_PERMGUARD"});
  EXPECT_THAT(dump.out, HasSubstr("'/var/home/ann/public_html': execute as ann, "));
  EXPECT_THAT(dump.out, HasSubstr("suexec-writable"));
}

TEST_P(SuexecServer, TheWatchJudgesByThePolicyToo) {
  HttpdOptions options;
  options.mpm = GetParam();
  options.modules = {"suexec"};
  options.config =
      "PermGuardWatchInterval 1\nSuexecUserGroup ann ann\nScriptAlias /s/ /var/www/site/\n";
  give(kScript, kBob, kAnn, 0755);
  HttpdServer server(options);
  server.start();
  server.log().expect("suexec-owner-mismatch (modelled): ann cannot execute '/var/www/site/a.cgi'");
  give(kScript, kAnn, kAnn, 0755);
  server.log().expect("recovered: suexec-owner-mismatch '/var/www/site/a.cgi'");
  EXPECT_EQ(server.get("/s/a.cgi").body, "ann\n");
}

TEST_P(SuexecServer, TheCommandsAuditJudgesByThePolicyToo) {
  HttpdOptions options;
  options.mpm = GetParam();
  options.modules = {"suexec"};
  options.config =
      "PermGuardConfigTest off\n"
      "SuexecUserGroup ann ann\nScriptAlias /s/ /var/www/site/\n";
  give(kScript, kBob, kAnn, 0755);
  HttpdServer server(options);
  ASSERT_EQ(server.config_test({"-t"}).exit_code, 0);  // writes httpd.conf
  std::vector<std::string> audit = {
      PERMGUARD_BUILD "/permguard", "audit", "--jobs", "4",
      "--httpd=/usr/sbin/apache2 -f " + server.tree().path("httpd.conf")};
  const ProcessResult foreign = run(audit);
  EXPECT_EQ(foreign.exit_code, 1) << foreign.err;
  EXPECT_THAT(foreign.out, HasSubstr("suexec-owner-mismatch"));
  EXPECT_THAT(foreign.out, HasSubstr("ann cannot execute '/var/www/site/a.cgi'"));
  give(kScript, kAnn, kAnn, 0755);
  const ProcessResult healthy = run(audit);
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out << healthy.err;
  // A systemd unit of the audit may have no new privileges; httpd, which does not run, has them.
  std::vector<std::string> in_unit = audit;
  in_unit.insert(in_unit.begin(), {"setpriv", "--no-new-privs"});
  EXPECT_EQ(run(in_unit).exit_code, 0) << run(in_unit).out;
  // Whoever may execute suexec, it answers only root and the server's user.
  audit.insert(audit.begin(), {"setpriv", "--reuid", "ann", "--regid", "33", "--clear-groups"});
  const ProcessResult unknown = run(audit);
  EXPECT_EQ(unknown.exit_code, 2) << unknown.out;
  EXPECT_THAT(unknown.err, HasSubstr("permguard: /usr/lib/apache2/suexec: cannot be examined: "));
}

TEST_P(SuexecServer, TellsWhatTheTargetUserLacksBeyondThePolicy) {
  start();
  give(kScript, kAnn, kAnn, 0300);
  expect_told("read-denied");
  write_script(kScript, "#!/no/such/interpreter\n");
  EXPECT_EQ(get("report").status, 500);
  server_->log().expect("] interpreter-not-found: ann cannot execute '/var/www/site/a.cgi'");
}

TEST_P(SuexecServer, TheServerMustReachTheDirectoryItself) {
  start();
  give(kDirectory, kAnn, kAnn, 0700);
  EXPECT_EQ(get("report").status, 403);
  const std::string line = server_->log().expect("] search-denied: www-data cannot execute '");
  EXPECT_THAT(line, HasSubstr("setfacl -m u:www-data:x '/var/www/site'"));
  give(kDirectory, kAnn, kAnn, 0711);
  EXPECT_EQ(get("report").body, "ann\n");
  server_->log().expect("recovered: search-denied");
}

TEST_P(SuexecServer, ARepairCountsAtOnceAndIsTold) {
  start();
  give(kScript, kAnn, kAnn, 0775);
  expect_told("suexec-writable");
  give(kScript, kAnn, kAnn, 0755);
  EXPECT_EQ(get("report").body, "ann\n");
  server_->log().expect("recovered: suexec-writable '/var/www/site/a.cgi'");
}

TEST_P(SuexecServer, NoNewPrivilegesDisarmSuexec) {
  start({"setpriv", "--no-new-privs"});
  expect_told("suexec-no-new-privs");
  EXPECT_EQ(get("strict").status, 500);
  server_->log().expect("suexec-no-new-privs");
}

TEST_P(SuexecServer, ANosuidMountDisarmsSuexec) {
  world_->install(world_->copy_of(kPristineSuexec, 04750, MS_NOSUID));
  start();
  expect_told("suexec-nosuid");
}

TEST_P(SuexecServer, ReadsTheFileOfSuexecCustomAndItsRepairs) {
  world_->install(kCustomSuexec);
  world_->configure("/var/other\n#public_html\n");
  start();
  expect_told("suexec-outside-docroot");
  expect_told("suexec-disabled", "report", "/~ann/a.cgi");
  world_->configure("/var/www\npublic_html\n");
  EXPECT_EQ(get("strict").body, "ann\n");
  EXPECT_EQ(get("strict", "/~ann/a.cgi").body, "ann\n");
  world_->configure(std::nullopt);
  expect_told("suexec-wrong-caller");
}

}  // namespace
}  // namespace permguard::test
