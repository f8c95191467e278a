// SPDX-License-Identifier: Apache-2.0
//
// <Directory> sections for directories below a place, and <Files>: watch, configuration test and
// dump judge by them as requests do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSections = R"(
PermGuardWatchInterval 1
<Directory "@ROOT@/cgi-bin/daemon">
  PermGuardRunAs daemon
</Directory>
<Directory "@ROOT@/cgi-bin/daemon/back">
  PermGuardRunAs auto
  PermGuardExpect mode=0755
</Directory>
<Directory "@ROOT@/cgi-bin/off">
  PermGuard off
</Directory>
<Directory "@ROOT@/cgi-bin/wild*">
  PermGuardForbid world-writable
</Directory>
<Directory "@ROOT@/cgi-bin/same">
  Options +FollowSymLinks
</Directory>
<Directory "@ROOT@/cgi-bin/gone">
  PermGuardRunAs daemon
</Directory>
)";

class SectionsBelow : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as configtest has";
    options_.config = kSections;
  }

  /// In each directory one script that its settings, and only they, make right or wrong.
  static void lay_out(TempTree& tree) {
    tree.write("cgi-bin/daemon/a.cgi", cgi_script("a"), 0750);
    tree.write("cgi-bin/daemon/back/b.cgi", cgi_script("b"), 0555);
    tree.write("cgi-bin/off/c.cgi", cgi_script("c"), 0644);
    tree.write("cgi-bin/wild1/d.cgi", cgi_script("d"), 0757);
    tree.write("cgi-bin/same/e.cgi", cgi_script("e"), 0750);
    tree.chown("cgi-bin/same/e.cgi", "", "www-data");
  }

  HttpdOptions options_;
};

TEST_F(SectionsBelow, AreJudgedByInTheConfigurationTest) {
  HttpdServer server(options_);
  lay_out(server.tree());
  const std::string said = server.config_test().err;
  EXPECT_THAT(said, HasSubstr("execute-denied (modelled): daemon cannot execute '" +
                              server.tree().path("cgi-bin/daemon/a.cgi") + "'"));
  EXPECT_THAT(said, HasSubstr("world-writable: www-data cannot execute '" +
                              server.tree().path("cgi-bin/wild1/d.cgi")));
  for (const char* fine : {"off/c.cgi", "same/e.cgi", "cgi-bin/gone"}) {
    EXPECT_THAT(said, Not(HasSubstr(fine)));
  }
}

TEST_F(SectionsBelow, MakePlacesOfTheirOwnInTheDump) {
  HttpdServer server(options_);
  lay_out(server.tree());
  const std::string text = server.config_test({"-t", "-D", "DUMP_PERMGUARD"}).out;
  const auto place = [&](const std::string& name, const std::string& rest) {
    return "  cgi directory '" + server.tree().path(name) + "': execute as " + rest;
  };
  EXPECT_THAT(text, HasSubstr(place("cgi-bin/daemon", "daemon, PermGuard enforce")));
  EXPECT_THAT(text, HasSubstr(place("cgi-bin/daemon/back", "www-data, PermGuard enforce")));
  EXPECT_THAT(text, HasSubstr(place("cgi-bin/off", "www-data, PermGuard off")));
  EXPECT_THAT(text, HasSubstr("mode-drift: '" + server.tree().path("cgi-bin/daemon/back/b.cgi")));
  EXPECT_THAT(text, Not(HasSubstr("cgi-bin/same'")));
}

/// What the place around has found of them before is not told twice, and what is off not at all.
TEST_F(SectionsBelow, AreJudgedByInTheWatch) {
  HttpdServer server(options_);
  lay_out(server.tree());
  server.start();
  server.log().expect("execute-denied (modelled): daemon cannot execute '" +
                      server.tree().path("cgi-bin/daemon/a.cgi"));
  server.log().expect("world-writable: www-data cannot execute '" +
                      server.tree().path("cgi-bin/wild1/d.cgi"));
  server.log().expect("mode-drift: '" + server.tree().path("cgi-bin/daemon/back/b.cgi"));
  const auto status = nlohmann::json::parse(server.get("/permguard-status?json").body);
  std::set<std::string> watched;
  for (const auto& each : status["watch"]) watched.insert(each["directory"].get<std::string>());
  EXPECT_TRUE(watched.contains(server.tree().path("cgi-bin/daemon/back")));
  EXPECT_FALSE(watched.contains(server.tree().path("cgi-bin/off")));
}

/// An incident below closes when its section turns PermGuard off.
TEST_F(SectionsBelow, ThatTurnPermGuardOffCloseWhatWasOpen) {
  options_.config = "PermGuardWatchInterval 1\n";
  HttpdServer server(options_);
  server.tree().write("cgi-bin/off/c.cgi", cgi_script("c"), 0644);
  server.start();
  server.log().expect("not-executable: www-data cannot execute");
  server.configure(kSections);
  server.graceful();
  server.log().expect("recovered: not-executable");
}

/// As httpd's fnmatch, but no place is the directory itself, the one above, or behind a link.
TEST_F(SectionsBelow, OfWildcardsAreWhatLiesThere) {
  options_.config =
      "<Directory \"@ROOT@/cgi-bin/*\">\nPermGuardRunAs daemon\n</Directory>\n"
      "<Directory \"@ROOT@/cgi-bin/.*\">\nPermGuardForbid world-writable\n</Directory>\n";
  HttpdServer server(options_);
  server.tree().write("cgi-bin/.hidden/a.cgi", cgi_script("a"), 0755);
  server.tree().write("secret/tool", cgi_script("b"), 0700);
  server.tree().symlink("../secret", "cgi-bin/link");
  const std::string text = server.config_test({"-t", "-D", "DUMP_PERMGUARD"}).out;
  EXPECT_THAT(text, HasSubstr(server.tree().path("cgi-bin/.hidden") + "': execute as daemon"));
  for (const char* other : {"cgi-bin/.'", "cgi-bin/..", "cgi-bin/link", "tool"}) {
    EXPECT_THAT(text, Not(HasSubstr(other)));
  }
}

/// httpd matches them with files too.
TEST_F(SectionsBelow, OfWildcardsCountForFilesThere) {
  options_.modules = {"headers"};
  options_.config =
      "PermGuardWatchInterval 1\nPermGuard report\n"
      "<Directory \"@ROOT@/cgi-bin/*.cgi\">\nPermGuardRunAs daemon\nHeader set Fits yes\n"
      "</Directory>\n";
  HttpdServer server(options_);
  const std::string script = server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0750);
  server.tree().chown("cgi-bin/a.cgi", "", "www-data");
  server.tree().write("cgi-bin/b.sh", cgi_script("b"), 0755);
  server.tree().write("cgi-bin/deep/a.cgi", cgi_script("c"), 0750);
  server.tree().chown("cgi-bin/deep/a.cgi", "", "www-data");
  const std::string said = "execute-denied (modelled): daemon cannot execute '" + script + "'";
  EXPECT_THAT(server.config_test().err, HasSubstr(said));
  EXPECT_THAT(server.config_test({"-t", "-D", "DUMP_PERMGUARD"}).out, HasSubstr(said));
  server.start();
  server.log().expect(said);
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").header("Fits"), "yes");
  EXPECT_EQ(server.get("/cgi-bin/b.sh").header("Fits"), "");
  EXPECT_EQ(server.get("/cgi-bin/deep/a.cgi").body, "c\n") << "no file of that directory";
  EXPECT_EQ(server.log().count("deep/a.cgi"), 0U);
}

constexpr const char* kFiles = R"(
PermGuardWatchInterval 1
<Files "known-*.cgi">
  PermGuard off
</Files>
<Directory "@ROOT@/cgi-bin">
  PermGuardExpect mode=0555
  <Files "daemon.cgi">
    PermGuardRunAs daemon
    PermGuardExpect none
  </Files>
  <FilesMatch "^(daemon|open)\.cgi$">
    PermGuardForbid world-writable
  </FilesMatch>
</Directory>
)";

class FilesSections : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, as configtest has";
    options_.config = kFiles;
  }

  static void lay_out(TempTree& tree) {
    tree.write("cgi-bin/known-bad.cgi", cgi_script("a"), 0644);
    tree.write("cgi-bin/plain.cgi", cgi_script("b"), 0757);
    tree.write("cgi-bin/open.cgi", cgi_script("c"), 0757);
    tree.write("cgi-bin/data.txt", "no script", 0444);
  }

  HttpdOptions options_;
};

TEST_F(FilesSections, CountForTheirNamesInConfigurationTestAndAudit) {
  HttpdServer server(options_);
  lay_out(server.tree());
  server.tree().write("cgi-bin/daemon.cgi", cgi_script("d"), 0750);
  const std::string said = server.config_test().err;
  EXPECT_THAT(said, HasSubstr("execute-denied (modelled): daemon cannot execute '" +
                              server.tree().path("cgi-bin/daemon.cgi")));
  server.tree().chmod("cgi-bin/daemon.cgi", 0757);
  EXPECT_THAT(server.config_test().err, HasSubstr("world-writable: daemon cannot execute '"))
      << "both sections count";
  EXPECT_THAT(said, HasSubstr("world-writable: www-data cannot execute '" +
                              server.tree().path("cgi-bin/open.cgi")));
  EXPECT_THAT(said, Not(HasSubstr("cgi-bin/known-bad.cgi")));
  EXPECT_THAT(said, Not(HasSubstr("cgi-bin/plain.cgi"))) << "a warning, no error";
  const std::string dump = server.config_test({"-t", "-D", "DUMP_PERMGUARD"}).out;
  EXPECT_THAT(dump, HasSubstr(server.tree().path("cgi-bin") +
                              "' <Files \"known-*.cgi\">: execute as www-data, PermGuard off"));
  EXPECT_THAT(dump, HasSubstr("mode-drift: mode 0757"));
  EXPECT_THAT(dump, Not(HasSubstr("data.txt"))) << "it is dispatched, but nobody means it to be";
}

TEST_F(FilesSections, CountForTheirNamesInTheWatch) {
  HttpdServer server(options_);
  lay_out(server.tree());
  server.start();
  server.log().expect("world-writable: '" + server.tree().path("cgi-bin/plain.cgi"));
  server.log().expect("world-writable: www-data cannot execute '" +
                      server.tree().path("cgi-bin/open.cgi"));
  const auto status = nlohmann::json::parse(server.get("/permguard-status?json").body);
  ASSERT_EQ(status["watch"].size(), 1U);
  EXPECT_EQ(status["watch"][0]["files"], 2);
}

/// The section below says nothing but of these names; a single script is one of a directory too.
TEST_F(FilesSections, BelowAndOfOneFileCount) {
  options_.modules = {"wsgi"};
  options_.config =
      "<Directory \"@ROOT@/cgi-bin/below\">\n<Files \"f.cgi\">\nPermGuardRunAs bin\n</Files>\n"
      "</Directory>\nWSGIScriptAlias /app \"@ROOT@/app/app.wsgi\"\n"
      "<Directory \"@ROOT@/app\">\n<Files \"app.wsgi\">\nPermGuardRunAs daemon\n</Files>\n"
      "</Directory>\n";
  HttpdServer server(options_);
  server.tree().write("cgi-bin/below/f.cgi", cgi_script("f"), 0644);
  server.tree().write("app/app.wsgi", "application = None\n", 0644);
  const std::string dump = server.config_test({"-t", "-D", "DUMP_PERMGUARD"}).out;
  EXPECT_THAT(dump, HasSubstr("not-executable: bin cannot execute '" +
                              server.tree().path("cgi-bin/below/f.cgi")));
  EXPECT_THAT(dump, Not(HasSubstr("www-data cannot")));
  EXPECT_THAT(dump, HasSubstr(server.tree().path("app/app.wsgi") + "': read as daemon"));
}

}  // namespace
}  // namespace permguard::test
