// SPDX-License-Identifier: Apache-2.0
//
// What happens before a script is dispatched, with mod_cgid and with mod_cgi.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Check : public testing::TestWithParam<Mpm> {
 protected:
  GuardedServer server{"", GetParam(), {"include", "rewrite"}};

  void start(const std::string& config) {
    server.configure(config);
    server.start();
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, Check, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

TEST_P(Check, EnforceAnswersWithoutDispatchingAndTellsNoPath) {
  start("PermGuard enforce\nPermGuardStatusCode 503");
  const HttpResponse response = server.get("/cgi-bin/broken.cgi");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, Not(HasSubstr("cgi-bin/broken.cgi")));
  EXPECT_THAT(response.body, Not(HasSubstr(server.tree().root())));
  const std::string line = server.log().expect("[permguard:error]");
  EXPECT_THAT(line, HasSubstr("[client 127.0.0.1:"));
  EXPECT_THAT(line, HasSubstr("not-executable: www-data cannot execute '" +
                              server.tree().path("cgi-bin/broken.cgi") + "': mode 0644"));
  EXPECT_THAT(line, HasSubstr("; fix: chmod a+x '"));
  EXPECT_EQ(server.log().count("exec of"), 0U);
  EXPECT_EQ(server.get("/cgi-bin/ok.cgi").body, "ok\n");
}

TEST_P(Check, NoAnswerTellsAPath) {
  for (const char* status : {"403", "404", "500"}) {
    server.configure(std::string("PermGuardStatusCode ") + status + "\nPermGuardLogInterval 0");
    server.start();
    const HttpResponse response = server.get("/cgi-bin/broken.cgi");
    EXPECT_EQ(std::to_string(response.status), status);
    EXPECT_THAT(response.body, Not(HasSubstr(server.tree().root())));
    server.log().expect("not-executable:");
    server.stop();
  }
}

TEST_P(Check, ReportLogsAndLetsThrough) {
  start("PermGuard report");
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 500);
  server.log().expect("not-executable: www-data");
  server.log().expect("End of script output before headers");
}

TEST_P(Check, OffSaysNothing) {
  start("PermGuard off");
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 500);
  EXPECT_EQ(server.get("/cgi-bin/silent.cgi").status, 500);
  EXPECT_EQ(server.told("cgi"), 0U);
}

TEST_P(Check, ARepairCountsAtTheNextRequestAndSoDoesABreak) {
  start("PermGuardStatusCode 503");
  server.log().allow("not-executable:");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
    server.tree().chmod("cgi-bin/broken.cgi", 0755);
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 200);
    EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 200);
    server.tree().chmod("cgi-bin/broken.cgi", 0644);
  }
}

TEST_P(Check, AnUnsearchableDirectoryIsSeenByTheOneCallOfACachedVerdict) {
  server.tree().write("deep/cgi/a.cgi", cgi_script("ok"), 0755);
  // The link is looked up by httpd at every request too, so it answers 403 itself; the script
  // lies behind a rewrite to a path that httpd has no reason to look up.
  start("ScriptAlias /deep/ @ROOT@/deep/cgi/");
  EXPECT_EQ(server.get("/deep/a.cgi").status, 200);
  server.tree().chmod("deep", 0700);
  EXPECT_EQ(server.get("/deep/a.cgi").status, 403);
  server.log().expect("search-denied: www-data cannot execute");
  server.tree().chmod("deep", 0755);
  EXPECT_EQ(server.get("/deep/a.cgi").status, 200);
}

TEST_P(Check, ABrokenInterpreterIsSeenWithinASecond) {
  server.tree().write("bin/interpreter", "#!/bin/sh\nexec /bin/sh \"$@\"\n", 0755);
  server.tree().write("cgi-bin/a.cgi", cgi_script("ok", server.tree().path("bin/interpreter")),
                      0755);
  start("PermGuardStatusCode 503");
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").status, 200);
  server.tree().chmod("bin/interpreter", 0644);
  EXPECT_TRUE(poll_until([&] { return server.get("/cgi-bin/a.cgi").status == 503; },
                         std::chrono::seconds(5)));
  server.log().expect("interpreter-not-executable: www-data cannot execute");
}

TEST_P(Check, SilentWhereHttpdAnswersBeforeExec) {
  server.tree().write("htdocs/plain/a.cgi", cgi_script("ok"), 0644);
  server.tree().write("htdocs/cgi/a.cgi", cgi_script("ok"), 0644);
  server.tree().write("htdocs/cgi/nph-a.cgi", "#!/bin/sh\n", 0644);
  server.tree().write("htdocs/page.shtml", "<!--#include virtual=\"/cgi/nph-a.cgi\" -->");
  server.tree().mkdir("cgi-bin/directory");
  for (const char* text : {"AH01262", "AH02809", "AH01265", "AH02812", "AH01260", "AH02807",
                           "unable to include", "AH01263", "AH02810", "AH01266", "AH02813"}) {
    server.log().allow(text);
  }
  start(R"(
AddHandler cgi-script .cgi
<Directory @ROOT@/htdocs/cgi>
Options +ExecCGI
AcceptPathInfo Off
</Directory>
<Directory @ROOT@/htdocs>
Options +Includes
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
</Directory>
)");
  EXPECT_EQ(server.get("/plain/a.cgi").status, 403);          // ExecCGI off
  EXPECT_EQ(server.get("/cgi-bin/missing.cgi").status, 404);  // stays httpd's
  EXPECT_EQ(server.get("/cgi-bin/directory/").status, 403);
  EXPECT_EQ(server.get("/cgi/a.cgi/extra").status, 404);  // rejected PATH_INFO
  EXPECT_EQ(server.get("/page.shtml").status, 200);       // nph- in SSI
  EXPECT_EQ(server.told("cgi"), 0U);
  EXPECT_EQ(server.get("/cgi/a.cgi").status, 500);
  server.log().expect("not-executable: www-data");
}

TEST_P(Check, SilentWhereNobodyDispatchesCgi) {
  // Without mod_cgi and mod_cgid httpd serves the text of a script, which needs no x bit.
  HttpdOptions options;
  options.mpm = GetParam();
  options.config =
      "AddHandler cgi-script .cgi\n<Directory @ROOT@/htdocs>\nOptions +ExecCGI\n"
      "</Directory>";
  options.cgi = false;
  HttpdServer plain(options);
  plain.tree().write("htdocs/a.cgi", cgi_script("ok"), 0644);
  plain.start();
  EXPECT_EQ(plain.get("/a.cgi").status, 200);
}

TEST_P(Check, EveryWayToTheHandler) {
  server.tree().write("htdocs/cgi/a.added", cgi_script("ok"), 0644);
  server.tree().write("htdocs/cgi/a.typed", cgi_script("ok"), 0644);
  server.tree().write("htdocs/set/a", cgi_script("ok"), 0644);
  server.tree().write("htdocs/index/index.added", cgi_script("ok"), 0644);
  server.tree().write("htdocs/rewritten", cgi_script("ok"), 0644);
  start(R"(
PermGuardStatusCode 503
AddHandler cgi-script .added
DirectoryIndex index.added
<Directory @ROOT@/htdocs>
Options +ExecCGI
AddType application/x-httpd-cgi .typed
RewriteEngine on
RewriteRule ^rewritten$ - [H=cgi-script]
</Directory>
<Directory @ROOT@/htdocs/set>
SetHandler cgi-script
</Directory>
)");
  for (const char* path : {"/cgi/a.added", "/cgi/a.typed", "/set/a", "/index/", "/rewritten",
                           "/cgi-bin/broken.cgi/path/info", "/cgi-bin/broken.cgi?query"}) {
    EXPECT_EQ(server.get(path).status, 503) << path;
  }
  for (const char* file :
       {"a.added'", "a.typed'", "set/a'", "index.added'", "rewritten'", "broken.cgi'"}) {
    EXPECT_EQ(server.told(file), 1U) << file;
  }
  server.log().allow("not-executable:");
  for (const char* method : {"HEAD", "POST", "OPTIONS", "DELETE", "ODD"}) {
    EXPECT_EQ(server.request(method, "/cgi-bin/broken.cgi").status, 503) << method;
  }
}

TEST_P(Check, SubRequestsAreCheckedAndNeverExonerated) {
  server.tree().write("htdocs/page.shtml",
                      "<!--#include virtual=\"/cgi-bin/broken.cgi\" -->"
                      "<!--#include virtual=\"/cgi-bin/silent.cgi\" -->"
                      "<!--#include virtual=\"/cgi-bin/ok.cgi\" -->");
  server.log().allow("unable to include");
  start(
      "<Directory @ROOT@/htdocs>\nOptions +Includes\nAddType text/html .shtml\n"
      "AddOutputFilter INCLUDES .shtml\n</Directory>");
  EXPECT_THAT(server.get("/page.shtml").body, HasSubstr("ok\n"));
  server.log().expect("not-executable: www-data");
  EXPECT_EQ(server.told("silent.cgi"), 0U);
}

TEST_P(Check, AnElfProgramThatCannotBeReadRunsUnharmed) {
  server.tree().write("elf.c",
                      "#include <stdio.h>\nint main(void) {\n"
                      "puts(\"Content-Type: text/plain\\n\\nelf\"); return 0; }\n");
  if (!run({"cc", "-o", server.tree().path("cgi-bin/elf"), server.tree().path("elf.c")})
           .succeeded()) {
    GTEST_SKIP() << "no C compiler";
  }
  server.tree().chmod("cgi-bin/elf", 0711);
  server.tree().write("cgi-bin/script", cgi_script("ok"), 0711);
  server.log().allow("cannot open");
  start("PermGuard enforce strict");
  EXPECT_EQ(server.get("/cgi-bin/elf").body, "elf\n");
  EXPECT_EQ(server.told("elf"), 0U);
  EXPECT_EQ(server.get("/cgi-bin/script").status, 500);
  server.log().expect("read-denied");
  EXPECT_EQ(server.log().count("End of script output before headers: script"), 1U)
      << "it must have been dispatched";
}

TEST_P(Check, ModelledFindingsWaitForTheFailure) {
  // daemon may not execute these; www-data, who really runs them, may the first.
  server.tree().write("cgi-bin/works.cgi", cgi_script("ok"), 0750);
  server.tree().chown("cgi-bin/works.cgi", "root", "www-data");
  server.tree().write("cgi-bin/fails.cgi", cgi_script("ok"), 0744);
  start("PermGuard enforce\nPermGuardRunAs daemon\nPermGuardStatusCode 503");
  EXPECT_EQ(server.get("/cgi-bin/works.cgi").status, 200);
  EXPECT_EQ(server.told("works.cgi"), 0U);
  EXPECT_EQ(server.get("/cgi-bin/fails.cgi").status, 500);
  server.log().expect("execute-denied (modelled): daemon cannot execute");
}

TEST_P(Check, StrictAnswersModelledErrorsAtOnce) {
  server.tree().write("cgi-bin/works.cgi", cgi_script("ok"), 0750);
  server.tree().chown("cgi-bin/works.cgi", "root", "www-data");
  start("PermGuard enforce strict\nPermGuardRunAs daemon\nPermGuardStatusCode 503");
  EXPECT_EQ(server.get("/cgi-bin/works.cgi").status, 503);
  server.log().expect("execute-denied (modelled): daemon cannot execute");
}

TEST_P(Check, RunAsTheServersOwnUserIsCertain) {
  server.tree().chmod("cgi-bin/broken.cgi", 0744);
  start("PermGuardRunAs www-data\nPermGuardStatusCode 503");
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 503);
  server.log().expect("execute-denied: www-data cannot execute");
}

TEST_P(Check, EnvLooksTheCommandUpInTheRequestsPath) {
  server.tree().write("tools/mytool", "#!/bin/sh\nexec /bin/sh \"$@\"\n", 0755);
  server.tree().write("cgi-bin/env.cgi", cgi_script("ok", "/usr/bin/env mytool"), 0755);
  start(
      "PermGuardStatusCode 503\nSetEnv PATH /bin\n<Location /cgi-bin/env.cgi/with>\nSetEnv PATH "
      "@ROOT@/tools:/bin\n"
      "</Location>");
  EXPECT_EQ(server.get("/cgi-bin/env.cgi/with").status, 200);
  EXPECT_EQ(server.get("/cgi-bin/env.cgi").status, 503);
  server.log().expect("command-not-found: www-data cannot execute");
}

TEST_P(Check, StrangeNamesAreLoggedAsTheyAre) {
  start("PermGuardStatusCode 503");
  const std::string names[] = {"a b",
                               "a'b",
                               "a\"b",
                               "%s%n%d",
                               "a\nb",
                               "a\x1b[31mb",
                               "a\xff\xfe"
                               "b",
                               "a\\b",
                               "<script>",
                               std::string(250, 'x')};
  const std::string shown[] = {"a b",      R"(a'"'"'b)",         "a\"b",         "%s%n%d",
                               "a\\nb",    "a\\x1b[31mb",        "a\\xff\\xfeb", "a\\\\b",
                               "<script>", std::string(250, 'x')};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    server.tree().write("cgi-bin/" + names[i], cgi_script("ok"), 0644);
    EXPECT_EQ(server.get("/cgi-bin/" + url_escape(names[i])).status, 503) << names[i];
    server.log().expect("not-executable: www-data cannot execute '" +
                        server.tree().path("cgi-bin/" + shown[i]) + "'");
  }
}

TEST_P(Check, OtherHandlersNeedWhatTheyAreSaidToNeed) {
  server.tree().write("htdocs/a.my", "text", 0600);
  server.tree().write("htdocs/b.my", "text", 0644);
  server.log().allow("AH00132");
  start("AddHandler my-handler .my\nPermGuardHandler my-handler read\nPermGuardStatusCode 503");
  EXPECT_EQ(server.get("/a.my").status, 503);
  server.log().expect("read-denied: www-data cannot read");
  EXPECT_EQ(server.get("/b.my").status, 200);
}

}  // namespace
}  // namespace permguard::test
