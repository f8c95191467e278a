// SPDX-License-Identifier: Apache-2.0
//
// What goes through the real suexec: CGI, mod_fcgid and FcgidWrapper, of vhosts and of ~users, with
// both of Debian's binaries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <tuple>

#include "integration/dispatcher_server.h"
#include "integration/fcgi_program.h"
#include "support/suexec_world.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kStarter = "/var/www/starters/ann/starter";

void write_as_ann(const std::string& path, std::string_view text, unsigned mode) {
  const std::string directory = fs::path(path).parent_path();
  fs::create_directories(directory);
  std::ofstream(path, std::ios::binary) << text;
  for (const std::string& each : {directory, path}) {
    ASSERT_EQ(lchown(each.c_str(), kAnn, kAnn), 0) << each;
  }
  ASSERT_EQ(chmod(path.c_str(), mode), 0) << path;
}

class SuexecDispatch : public testing::TestWithParam<std::tuple<Mpm, const char*>> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (access(kPristineSuexec, X_OK) != 0 || access(kCustomSuexec, X_OK) != 0) {
      GTEST_SKIP() << "Debian's two suexec packages are not installed";
    }
    world = std::make_unique<SuexecWorld>();
    if (!world->forbidden().empty()) {
      GTEST_SKIP() << "no mount namespace on this machine: " << world->forbidden();
    }
    world->install(std::get<1>(GetParam()));
    world->configure("/var/www\npublic_html\n");
    const std::string_view who =
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
        "echo \"$(id -un) $REQUEST_METHOD $PATH_INFO\"\ncat\n";
    for (const char* path : {"/var/www/site/a.cgi", "/var/home/ann/public_html/a.cgi"}) {
      write_as_ann(path, who, 0700);
    }
    write_as_ann("/var/www/site/a.fcgi", kFcgiProgram, 0700);
    write_as_ann("/var/www/site/a.page", "the page", 0600);
    write_as_ann(kStarter, kFcgiProgram, 0700);
  }

  std::unique_ptr<SuexecWorld> world;
  Scene scene{.mpm = std::get<0>(GetParam()),
              .modules = {"suexec", "userdir", "fcgid"},
              .config = R"(
FcgidIPCDir @ROOT@/rt/fcgid
FcgidProcessTableFile @ROOT@/rt/fcgid_shm
UserDir public_html
SuexecUserGroup ann ann
Alias /site/ /var/www/site/
ScriptAlias /scripts/ /var/www/site/
<Directory /var/home/*/public_html>
  Options +ExecCGI
  AddHandler cgi-script .cgi
  DirectoryIndex a.cgi
</Directory>
<Directory /var/www/site>
  Options +ExecCGI
  AddHandler cgi-script .cgi
  AddHandler fcgid-script .fcgi .page
  FcgidWrapper /var/www/starters/ann/starter .page
  DirectoryIndex a.cgi
</Directory>
)",
              .allowed = {"mod_fcgid:", "End of script output", "suexec policy violation",
                          "error reading data from FastCGI server"}};
};

INSTANTIATE_TEST_SUITE_P(Binaries, SuexecDispatch,
                         testing::Combine(testing::ValuesIn(kBothMpms),
                                          testing::Values(kPristineSuexec, kCustomSuexec)),
                         [](const auto& each) {
                           const bool custom = std::get<1>(each.param) == kCustomSuexec;
                           return name_of(std::get<0>(each.param)) +
                                  (custom ? "Custom" : "Pristine");
                         });

TEST_P(SuexecDispatch, HealthyScriptsAnswerAsWithStockHttpd) {
  std::vector<Call> calls;
  for (const char* path :
       {"/site/a.cgi", "/site/a.cgi/more", "/scripts/a.cgi", "/site/", "/~ann/a.cgi",
        "/~ann/a.cgi/more", "/~ann/", "/site/a.fcgi", "/site/a.fcgi/more", "/site/a.page"}) {
    for (const char* method : {"GET", "HEAD", "FOO"}) calls.push_back({path, method});
    calls.push_back({path, "POST", {}, "sent=1"});
  }
  expect_as_stock(scene, calls);
}

TEST_P(SuexecDispatch, AWrapperIsJudgedByThePolicyToo) {
  ASSERT_EQ(chmod(kStarter, 0777), 0);
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/site/a.page").status, 500);
  server.log().expect(std::string("suexec-writable (modelled): ann cannot execute '") + kStarter +
                      "': mode 0777");
  ASSERT_EQ(chmod(kStarter, 0700), 0);
  EXPECT_EQ(server.get("/site/a.page").status, 200);
  server.log().expect("recovered: suexec-writable");
}

TEST_P(SuexecDispatch, TheConfigurationTestJudgesWrappersAndPrograms) {
  for (const char* file : {kStarter, "/var/www/site/a.fcgi", "/var/www/site/a.page"}) {
    ASSERT_EQ(chmod(file, 0777), 0);
  }
  DispatcherServer server(scene, "report");
  const std::string dump = server.config_test({"-t", "-D", "DUMP_PERMGUARD"}).out;
  const std::string told = "suexec-writable (modelled): ann cannot execute '";
  EXPECT_THAT(dump, HasSubstr(told + kStarter));
  EXPECT_THAT(dump, HasSubstr(told + "/var/www/site/a.fcgi'"));
  EXPECT_THAT(dump, HasSubstr("fcgid directory '/var/www/site': read as ann"));
}

TEST_P(SuexecDispatch, OnTheWayToAWrapperTheServersUserIsNamed) {
  ASSERT_EQ(chmod("/var/www/starters", 0700), 0);
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/site/a.page").status, 500);
  EXPECT_THAT(server.log().expect("wrapper-search-denied: www-data cannot execute '"),
              HasSubstr("setfacl -m u:www-data:x '/var/www/starters'"));
}

}  // namespace
}  // namespace permguard::test
