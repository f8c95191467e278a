// SPDX-License-Identifier: Apache-2.0
//
// What the module's directives accept, where, and what they answer to nonsense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "integration/guarded_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

struct BadValue {
  const char* name;
  const char* line;
  const char* value;    ///< as the error must quote it
  const char* allowed;  ///< part of what it must offer
};

class DirectiveRefuses : public testing::TestWithParam<BadValue> {};

TEST_P(DirectiveRefuses, NamesFileLineValueAndWhatIsAllowed) {
  const BadValue& bad = GetParam();
  GuardedServer server(bad.line);
  const ProcessResult result = server.config_test();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, testing::ContainsRegex("line [0-9]+ of .*/httpd\\.conf"));
  EXPECT_THAT(result.err, HasSubstr(std::string("'") + bad.value + "'"));
  EXPECT_THAT(result.err, HasSubstr(bad.allowed));
  const std::string directive(bad.line, std::string_view(bad.line).find(' '));
  EXPECT_THAT(result.err, HasSubstr(directive));
}

INSTANTIATE_TEST_SUITE_P(
    Value, DirectiveRefuses,
    testing::Values(
        BadValue{"Mode", "PermGuard on", "on", "off, explain, report, enforce"},
        BadValue{"Strictness", "PermGuard enforce hard", "enforce hard", "enforce strict"},
        BadValue{"StrictReport", "PermGuard report strict", "report strict", "enforce strict"},
        BadValue{"Status", "PermGuardStatusCode 200", "200", "auto, 403, 404, 500, 503"},
        BadValue{"User", "PermGuardRunAs no-such-user", "no-such-user", "USER:GROUP"},
        BadValue{"Group", "PermGuardRunAs root:no-such-group", "root:no-such-group", "unknown"},
        BadValue{"Need", "PermGuardHandler cgi-script run", "run", "execute, read, off"},
        BadValue{"Handler", "PermGuardHandler nobodys-handler execute", "nobodys-handler",
                 "application/x-httpd-cgi"},
        BadValue{"Interval", "PermGuardLogInterval 1m", "1m", "whole number from 0"},
        BadValue{"NegativeInterval", "PermGuardLogInterval -1", "-1", "whole number from 0"},
        BadValue{"NoIncidents", "PermGuardIncidents 0", "0", "from 1 to 65536"},
        BadValue{"ManyIncidents", "PermGuardIncidents 65537", "65537", "from 1 to 65536"},
        BadValue{"Health", "PermGuardHealth yes", "yes", "warn, fail"}),
    [](const auto& bad) { return bad.param.name; });

class DirectiveContext : public testing::TestWithParam<const char*> {};

TEST_P(DirectiveContext, ServerVhostAndDirectory) {
  const std::string line = GetParam();
  GuardedServer server;
  for (const std::string& section :
       {line, "<VirtualHost *:1>\n" + line + "\n</VirtualHost>",
        "<Directory /srv>\n" + line + "\n</Directory>", "<Location /x>\n" + line + "\n</Location>",
        "<FilesMatch x>\n" + line + "\n</FilesMatch>", "<If true>\n" + line + "\n</If>"}) {
    server.configure(section);
    const ProcessResult result = server.config_test();
    EXPECT_EQ(result.exit_code, 0) << section << result.err;
  }
}

TEST_P(DirectiveContext, NeverAllowedToTenants) {
  const std::string line = GetParam();
  const std::string name = line.substr(0, line.find(' '));
  GuardedServer server(
      "<Directory @ROOT@/htdocs/tenant>\nAllowOverride All\n</Directory>\n"
      "<Directory @ROOT@/htdocs/listed>\nAllowOverrideList " +
      name + "\n</Directory>\n");
  const ProcessResult test = server.config_test();
  if (test.exit_code != 0) {  // httpd itself refuses to hand the directive out
    EXPECT_THAT(test.err, HasSubstr(name));
    server.configure("<Directory @ROOT@/htdocs/tenant>\nAllowOverride All\n</Directory>");
  }
  server.tree().write("htdocs/tenant/.htaccess", line + "\n");
  server.tree().write("htdocs/tenant/page", "page");
  server.tree().write("htdocs/listed/.htaccess", line + "\n");
  server.tree().write("htdocs/listed/page", "page");
  server.log().allow(name + " not allowed");
  server.log().allow(name + " cannot occur within htaccess files");
  server.start();
  EXPECT_EQ(server.get("/tenant/page").status, 500);
  if (test.exit_code == 0) {
    EXPECT_EQ(server.get("/listed/page").status, 500);
  }
}

INSTANTIATE_TEST_SUITE_P(Line, DirectiveContext,
                         testing::Values("PermGuard enforce strict", "PermGuardStatusCode 503",
                                         "PermGuardRunAs www-data"),
                         [](const auto& line) {
                           const std::string_view text = line.param;
                           return std::string(text.substr(0, text.find(' ')));
                         });

TEST(DirectiveContextOfServer, OnlyServers) {
  GuardedServer server;
  for (const char* line : {"PermGuardHandler cgi-script read", "PermGuardLogInterval 5",
                           "PermGuardIncidents 5", "PermGuardHealth fail"}) {
    server.configure(line);
    EXPECT_EQ(server.config_test().exit_code, 0) << line;
    server.configure(std::string("<Directory /srv>\n") + line + "\n</Directory>");
    EXPECT_EQ(server.config_test().exit_code, 1) << line;
  }
}

TEST(DirectiveContextOfServer, SomeOnlyTheMainServer) {
  GuardedServer server;
  for (const char* line : {"PermGuardIncidents 5", "PermGuardHealth fail"}) {
    server.configure(std::string("<VirtualHost *:1>\n") + line + "\n</VirtualHost>");
    EXPECT_EQ(server.config_test().exit_code, 1) << line;
  }
}

/// All of the module's, as they would be taken in the server's configuration.
const std::vector<std::string> kLines = {
    "PermGuard off",           "PermGuardStatusCode 403",  "PermGuardRunAs root",
    "PermGuardFpmPools /x",    "PermGuardLogInterval 0",   "PermGuardHandler cgi-script off",
    "PermGuardIncidents 1",    "PermGuardEventLog logs/x", "PermGuardHealth fail",
    "PermGuardExpect none",    "PermGuardForbid writable", "PermGuardWatch off",
    "PermGuardConfigTest off", "PermGuardWatchInterval 1", "PermGuardStatusKey none"};

std::string directive_in(const std::string& line) {
  return line.substr(0, line.find(' '));
}

TEST(Directive, NoneIsTakenFromHtaccess) {
  GuardedServer server("<Directory @ROOT@/htdocs>\nAllowOverride All\n</Directory>");
  server.log().allow(":alert]");
  server.start();
  for (const std::string& line : kLines) {
    for (const char* section :
         {"@", "<If true>\n@\n</If>", "<Files *>\n@\n</Files>", "<Limit GET>\n@\n</Limit>"}) {
      std::string text = section;
      server.tree().write("htdocs/.htaccess", text.replace(text.find('@'), 1, line) + "\n");
      EXPECT_EQ(server.get("/index.html").status, 500) << text;
      server.log().expect(directive_in(line) + " not allowed");
    }
  }
}

TEST(Directive, NoOtherIsRegistered) {
  GuardedServer server("", Mpm::event,
                       {"command_tables=" PERMGUARD_BUILD "/tests/command_tables.so"});
  std::istringstream rows(server.config_test({"-t", "-D", "DUMP_COMMAND_TABLES"}).out);
  std::vector<std::string> registered, expected;
  for (std::string module, name, override_; rows >> module >> name >> override_;) {
    if (module == "mod_permguard.c") registered.push_back(name);
  }
  for (const std::string& line : kLines) expected.push_back(directive_in(line));
  EXPECT_THAT(registered, testing::UnorderedElementsAreArray(expected));
}

TEST(Directive, HandlersThatTheConfigurationNamesAreKnown) {
  GuardedServer server;
  for (const char* naming :
       {"AddHandler my-handler .my", "<Location /x>\nSetHandler my-handler\n</Location>"}) {
    server.configure(std::string(naming) + "\nPermGuardHandler my-handler read");
    const ProcessResult result = server.config_test();
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
}

TEST(Directive, BothFormsOfIfModuleSeeTheModule) {
  for (const char* name : {"permguard_module", "mod_permguard.c"}) {
    GuardedServer server(std::string("<IfModule ") + name + ">\nNoSuchDirective\n</IfModule>");
    EXPECT_THAT(server.config_test().err, HasSubstr("NoSuchDirective")) << name;
  }
}

}  // namespace
}  // namespace permguard::test
