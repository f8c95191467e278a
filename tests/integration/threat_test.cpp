// SPDX-License-Identifier: Apache-2.0
//
// What a visitor, a tenant with .htaccess files and a tenant's programs may not reach.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "integration/fcgi_program.h"
#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string whole(const HttpResponse& response) {
  std::string text = response.body;
  for (const auto& [name, value] : response.headers) text += name + ": " + value + "\n";
  return text;
}

class Visitor : public testing::TestWithParam<Mpm> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: nothing is refused to a test's own httpd";
  }

  static void lay_out(GuardedServer& server) {
    TempTree& tree = server.tree();
    tree.write("htdocs/locked.html", "locked", 0600);
    tree.write("htdocs/closed/page.html", "page");
    tree.chmod("htdocs/closed", 0700);
    tree.write("htdocs/strange/.htaccess", "Require all granted\n", 0600);
    tree.write("htdocs/part.shtml", "<!--#include virtual=\"/cgi-bin/broken.cgi\" -->\n");
    tree.write("cgi-bin/interpreter.cgi", "#!/no/such/interpreter\n", 0755);
    tree.write("cgi-bin/crlf.cgi", "#!/bin/sh\r\necho\r\n", 0755);
    tree.symlink(tree.path("nowhere"), "cgi-bin/dangling.cgi");
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, Visitor, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

constexpr char kVisited[] = R"(
PermGuardLogInterval 0
PermGuardWatchInterval 1
<Directory "@ROOT@/htdocs/strange">
  AllowOverride All
</Directory>
<FilesMatch "\.shtml$">
  Options +Includes
  SetOutputFilter INCLUDES
</FilesMatch>
<Location "/permguard-status">
  Require all denied
</Location>
)";

/// Neither in the body nor in a header, whatever is refused and however it is asked for.
TEST_P(Visitor, LearnsNoPathAndNoFinding) {
  GuardedServer server("", GetParam(), {"include"});
  lay_out(server);
  server.log().allow("[permguard:");
  server.log().allow("AH01630");  // client denied by server configuration
  server.log().allow("[core:");   // what cannot be read
  server.log().allow("[cgi");
  server.log().allow("[include:");
  for (const char* mode :
       {"enforce strict", "enforce\nPermGuardStatusCode 403", "report", "explain"}) {
    server.configure("PermGuard " + std::string(mode) + kVisited);
    server.running() ? server.graceful() : server.start();
    for (const char* path :
         {"/cgi-bin/broken.cgi", "/cgi-bin/broken.cgi/more?a=b", "/cgi-bin/interpreter.cgi",
          "/cgi-bin/crlf.cgi", "/cgi-bin/dangling.cgi", "/cgi-bin/silent.cgi", "/cgi-bin/none.cgi",
          "/cgi-bin/", "/locked.html", "/closed/page.html", "/strange/", "/part.shtml",
          "/permguard-status", "/permguard-status?json", "/permguard-status?health",
          "/permguard-status?nonsense"}) {
      for (const char* method : {"GET", "HEAD", "POST", "OPTIONS", "TRACE", "FOO"}) {
        const HttpResponse response = server.request(method, path);
        EXPECT_NE(response.status, 0) << method << ' ' << path;
        const std::string text = whole(response);
        for (const std::string& word :
             {server.tree().root(), std::string("not-executable"), std::string("permguard:"),
              std::string("chmod"), std::string("incident"), std::string("/no/such")}) {
          EXPECT_THAT(text, Not(HasSubstr(word))) << mode << ": " << method << ' ' << path;
        }
      }
    }
  }
}

/// The names of all directives of the module, as it has registered them.
std::vector<std::string> directives(HttpdServer& server) {
  std::vector<std::string> names;
  std::istringstream lines(server.config_test({"-L"}).out);
  for (std::string line; std::getline(lines, line);) {
    const auto end = line.find(" (mod_permguard.c)");
    if (end != line.npos && line.starts_with("PermGuard")) names.push_back(line.substr(0, end));
  }
  return names;
}

/// A tenant's .htaccess in a directory of its own, with the words of AllowOverride.
struct Tenant {
  std::string override;
  std::string text;
  int status;  ///< of a page below
};

TEST(TenantsHtaccess, SetsNoDirectiveWhateverIsAllowed) {
  GuardedServer server;
  const std::vector<std::string> names = directives(server);
  EXPECT_GE(names.size(), 14U);
  std::vector<Tenant> tenants;
  for (const std::string& name : names) {
    for (const char* text : {" off", " none", " 1 2 3"}) {
      tenants.push_back({"All", name + text, 500});
      tenants.push_back({"Options=All FileInfo Indexes AuthConfig Limit", name + text, 500});
      tenants.push_back({"All Nonfatal=All", name + text, 200});  // left out, and said
      tenants.push_back({"None", name + text, 200});              // not read
    }
  }
  std::string config;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const std::string directory = "htdocs/t" + std::to_string(i);
    server.tree().write(directory + "/.htaccess", tenants[i].text + "\n");
    server.tree().write(directory + "/page", "page");
    config += "<Directory \"@ROOT@/" + directory + "\">\nAllowOverride " + tenants[i].override +
              "\n</Directory>\n";
  }
  server.configure(config);
  server.log().allow("not allowed");
  server.log().allow("AH02295");  // forbidden by AllowOverride
  server.start();
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    EXPECT_EQ(server.get("/t" + std::to_string(i) + "/page").status, tenants[i].status)
        << tenants[i].override << ": " << tenants[i].text;
  }
  // Nobody's verdict has changed.
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 500);
  server.log().expect("not-executable: www-data cannot execute");
  EXPECT_EQ(server.get("/cgi-bin/ok.cgi").body, "ok\n");
}

/// Where mistakes are not fatal, a tenant can neither switch off what is said about his scripts nor
/// who answers.
TEST(TenantsHtaccess, ChangesNoVerdictWhereMistakesAreNotFatal) {
  GuardedServer server(
      "PermGuard enforce\n<Directory \"@ROOT@/cgi-bin\">\nAllowOverride All Nonfatal=All\n"
      "</Directory>\n");
  std::string text;
  for (const char* line :
       {"PermGuard off", "PermGuardStatusCode 404", "PermGuardRunAs root", "PermGuardForbid none",
        "PermGuardHandler cgi-script off", "PermGuardLogInterval 0", "PermGuardExpect none"}) {
    text += std::string(line) + "\n";
  }
  server.tree().write("cgi-bin/.htaccess", text);
  server.log().allow("not allowed");
  server.log().allow("AH02295");  // forbidden by AllowOverride
  server.start();
  EXPECT_EQ(server.get("/cgi-bin/broken.cgi").status, 500);
  server.log().expect("not-executable: www-data cannot execute");
  EXPECT_EQ(server.log().count("exec of"), 0U) << "it was dispatched";
}

/// Other ways to a handler than those of StatusPage.OfATenantIsNotFound.
TEST(TenantsHtaccess, ReachesNoStatusPage) {
  GuardedServer server(
      "<Directory @ROOT@/htdocs>\nAllowOverride All\nOptions All MultiViews\n</Directory>\n"
      "<Location \"/permguard-status\">\nRequire ip 192.0.2.1\n</Location>\n"
      "<Location \"/open\">\nSetHandler permguard-status\n</Location>\n",
      Mpm::event, {"rewrite", "actions", "negotiation", "include", "headers"});
  const std::pair<const char*, const char*> tenants[] = {
      {"forced", "ForceType permguard-status\n"},
      {"action", "SetHandler mine\nAction mine /permguard-status virtual\n"},
      {"internal", "RewriteEngine on\nRewriteRule . /permguard-status?json [L]\n"},
      {"document", "ErrorDocument 404 /permguard-status?json\n"},
      {"index", "DirectoryIndex /permguard-status\n"},
      {"fallback", "FallbackResource /permguard-status\n"},
      {"typed", "<Files page.html>\nForceType permguard-status\n</Files>\n"},
      {"included", "AddOutputFilter INCLUDES .html\n"}};
  for (const auto& [name, text] : tenants) {
    server.tree().write("htdocs/" + std::string(name) + "/.htaccess", text);
    server.tree().write("htdocs/" + std::string(name) + "/page.html",
                        "<!--#include virtual=\"/permguard-status?json\" -->");
  }
  server.log().allow("AH01630");  // client denied by server configuration
  server.log().allow("[include:");
  server.log().allow("AH01599");  // what mod_mime thinks of such a type
  server.log().allow("not-executable");
  server.start();
  server.get("/cgi-bin/broken.cgi");
  ASSERT_THAT(server.get("/open?json").body, HasSubstr(server.tree().root()));
  for (const auto& [name, text] : tenants) {
    for (const char* page : {"/page.html", "/", "/none"}) {
      const std::string body = server.get("/" + std::string(name) + page).body;
      EXPECT_THAT(body, Not(HasSubstr(server.tree().root()))) << name << page;
      EXPECT_THAT(body, Not(HasSubstr("counters"))) << name << page;
    }
  }
}

/// "MODE LINK" of each descriptor, without what differs between two servers.
std::vector<std::string> descriptors(const std::string& listing, const std::string& root) {
  std::vector<std::string> found;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    const auto arrow = line.find(" -> ");
    if (arrow == line.npos) continue;
    std::string target = line.substr(arrow + 4);
    if (target.starts_with(root)) target.replace(0, root.size(), "@ROOT@");
    target = std::regex_replace(target, std::regex("[0-9]+"), "N");
    found.push_back(line.substr(0, line.find(' ')) + " " + target);
  }
  std::ranges::sort(found);
  return found;
}

constexpr std::string_view kLister = "#!/bin/sh\necho\nexec ls -l /proc/self/fd/\n";

constexpr char kPrograms[] = R"(
<IfModule permguard_module>
  PermGuardEventLog logs/events.json
  PermGuardWatchInterval 1
</IfModule>
FcgidIPCDir @ROOT@/rt/fcgid
FcgidProcessTableFile @ROOT@/rt/fcgid_shm
Alias /apps/ "@ROOT@/apps/"
<Directory "@ROOT@/apps">
  Options +ExecCGI
  AddHandler fcgid-script .fcgi
</Directory>
)";

class Program : public testing::TestWithParam<Mpm> {
 protected:
  /// What programs of mod_cgi or mod_cgid and of mod_fcgid have open.
  static std::map<std::string, std::vector<std::string>> open_in_programs(bool permguard) {
    HttpdOptions options;
    options.mpm = GetParam();
    options.modules = {"fcgid"};
    options.config = kPrograms;
    options.permguard = permguard;
    HttpdServer server(options);
    TempTree& tree = server.tree();
    tree.mkdir("out", 0777);
    tree.write("cgi-bin/list.cgi", kLister, 0755);
    tree.write("apps/real.fcgi", kFcgiProgram, 0755);
    tree.write("apps/list.fcgi",
               "#!/bin/sh\nls -l /proc/self/fd/ > " + tree.path("out/list") + "\nexec " +
                   tree.path("apps/real.fcgi") + "\n",
               0755);
    server.log().allow("mod_fcgid: process");
    server.start();
    std::map<std::string, std::vector<std::string>> open;
    for (const char* generation : {"first", "second"}) {
      open["cgi " + std::string(generation)] =
          descriptors(server.get("/cgi-bin/list.cgi").body, tree.root());
      EXPECT_EQ(server.get("/apps/list.fcgi").status, 200);
      open["fcgid " + std::string(generation)] = descriptors(tree.read("out/list"), tree.root());
      server.graceful();
    }
    return open;
  }
};

INSTANTIATE_TEST_SUITE_P(Mpm, Program, testing::ValuesIn(kBothMpms),
                         [](const auto& mpm) { return name_of(mpm.param); });

/// Neither the event log nor the shared memory, nor a log of httpd's that can be read.
TEST_P(Program, InheritsWhatItInheritsFromStockHttpd) {
  const auto stock = open_in_programs(false);
  const auto guarded = open_in_programs(true);
  EXPECT_EQ(guarded, stock);
  EXPECT_EQ(guarded.size(), 4U);
  for (const auto& [program, open] : guarded) {
    EXPECT_GE(open.size(), 3U) << program;
    for (const std::string& file : open) {
      EXPECT_THAT(file, Not(HasSubstr("events.json"))) << program;
      EXPECT_THAT(file, Not(HasSubstr("/dev/zero"))) << program;
      EXPECT_THAT(file, Not(HasSubstr("memfd:"))) << program;
      const bool readable = file[1] == 'r';
      EXPECT_FALSE(readable && file.find(".log") != file.npos) << program << ": " << file;
    }
  }
}

/// In a child, where a tenant's code may run in httpd's own process: the log may be written, not
/// read. It tells of all tenants.
TEST(Child, MayNotReadTheEventLog) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to look at httpd's children";
  GuardedServer server("PermGuardEventLog logs/events.json");
  server.start();
  server.log().allow("not-executable");
  server.get("/cgi-bin/broken.cgi");
  int found = 0;
  for (const pid_t child : server.children()) {
    const std::string folder = "/proc/" + std::to_string(child) + "/fd";
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const auto target = std::filesystem::read_symlink(entry.path(), error).string();
      if (target != server.tree().path("logs/events.json")) continue;
      ++found;
      const auto mode = std::filesystem::symlink_status(entry.path()).permissions();
      EXPECT_EQ(mode & std::filesystem::perms::owner_read, std::filesystem::perms::none)
          << "it can be read by descriptor " << entry.path();
    }
  }
  EXPECT_GE(found, 1);
}

}  // namespace
}  // namespace permguard::test
