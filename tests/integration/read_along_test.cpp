// SPDX-License-Identifier: Apache-2.0
//
// Directives of other modules that mod_permguard reads along: httpd answers as without it, wherever
// they stand and in whatever order the modules are loaded, and no .htaccess file reaches what
// belongs to the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "integration/fcgi_program.h"
#include "support/httpd_server.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using testing::HasSubstr;

/// httpd asks the module that was loaded last first.
enum class Order { stock, before, after };

const char* name_of(Order order) {
  return order == Order::stock ? "stock" : order == Order::before ? "before" : "after";
}

void PrintTo(Order order, std::ostream* out) {
  *out << name_of(order);
}

/// A module whose directives are read along, with lines that it takes or refuses.
struct Owner {
  std::string module;
  std::vector<std::string> needs;  ///< modules that must be loaded before it
  std::string settings;            ///< without which it does not start
  std::string listed;              ///< what httpd accepts of it in AllowOverrideList
  std::vector<std::string> lines;
};

void PrintTo(const Owner& owner, std::ostream* out) {
  *out << owner.module;
}

const Owner kFcgid{
    "fcgid",
    {},
    "FcgidIPCDir @ROOT@/rt/fcgid\nFcgidProcessTableFile @ROOT@/rt/fcgid_shm\n",
    "FcgidWrapper FCGIWrapper FcgidAccessChecker FcgidAuthenticator FcgidAuthorizer",
    {"FcgidWrapper @ROOT@/apps/program .page", "FcgidWrapper \"@ROOT@/apps/program -x\" virtual",
     "FcgidWrapper @ROOT@/apps/none .page", "FcgidWrapper", "FcgidWrapper a .b c d",
     "FCGIWrapper @ROOT@/apps/program .page", "FcgidAccessChecker @ROOT@/apps/program",
     "FcgidAccessChecker a b", "FcgidAuthenticator @ROOT@/apps/program",
     "FcgidAuthorizer @ROOT@/apps/program", "FastCgiAccessChecker @ROOT@/apps/program",
     "FastCgiAuthenticator @ROOT@/apps/program", "FastCgiAuthorizer @ROOT@/apps/program",
     "FcgidInitialEnv PATH /no/such/directory", "FcgidInitialEnv", "FcgidInitialEnv PATH a b",
     "DefaultInitEnv PATH /no/such/directory",
     "FcgidCmdOptions @ROOT@/apps/program InitialEnv PATH=/no/such", "FcgidCmdOptions"}};

const Owner kWsgi{
    "wsgi",
    {},
    "",
    "WSGIProcessGroup WSGIHandlerScript WSGIDispatchScript",
    {"WSGIDaemonProcess tenant threads=1", "WSGIDaemonProcess tenant user=no-such-user",
     "WSGIDaemonProcess", "WSGIProcessGroup tenant", "WSGIProcessGroup a b",
     "WSGIHandlerScript x-app @ROOT@/apps/app.wsgi", "WSGIHandlerScript x-app",
     "WSGIDispatchScript @ROOT@/apps/app.wsgi", "WSGIDispatchScript"}};

const Owner kProxyFcgi{
    "proxy_fcgi",
    {"proxy"},
    "",
    "ProxyFCGISetEnvIf",
    {"ProxyFCGISetEnvIf true SCRIPT_FILENAME /x", "ProxyFCGISetEnvIf true !SCRIPT_FILENAME",
     "ProxyFCGISetEnvIf true", "ProxyFCGISetEnvIf \"what is\" SCRIPT_FILENAME /x"}};

HttpdOptions options_for(const Owner& owner, Order order, bool loaded = true) {
  HttpdOptions options;
  options.permguard = false;
  options.modules = owner.needs;
  const std::string permguard = "permguard=" PERMGUARD_BUILD "/mod_permguard.so";
  if (order == Order::before) options.modules.push_back(permguard);
  if (loaded) options.modules.push_back(owner.module);
  if (order == Order::after) options.modules.push_back(permguard);
  if (order == Order::stock) options.config = "# LoadModule\n";  // lines have the same numbers
  options.config += "<IfModule permguard_module>\nPermGuardWatch off\n</IfModule>\n";
  if (loaded) options.config += owner.settings;
  return options;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// A line of the error log without date, process and the client's port.
std::string timeless(std::string line) {
  if (!line.starts_with('[')) return line;
  line.erase(0, line.find("] ") + 2);
  for (const char* field : {"[pid ", "[client "}) {
    const std::size_t start = line.find(field);
    const std::size_t end = line.find("] ", start);
    if (start != std::string::npos && end != std::string::npos) line.erase(start, end + 2 - start);
  }
  return line;
}

/// `text` without what differs between two servers.
std::string comparable(const std::string& text, const HttpdServer& server, const TempTree& tree) {
  std::string all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("[permguard:") == std::string::npos) all += timeless(line) + "\n";
  }
  return replaced(replaced(all, tree.root(), "@ROOT@"), std::to_string(server.port()), "@PORT@");
}

/// One of the three servers, with the files that the lines name.
struct Place {
  Place(const Owner& owner, Order chosen, bool loaded = true)
      : order(chosen), options(options_for(owner, chosen, loaded)), server(options) {
    server.tree().write("apps/program", kFcgiProgram, 0755);
    server.tree().write("apps/app.wsgi", "def application(environ, answer):\n  pass\n");
  }

  /// What `apache2 -t` says and returns with `text` in the configuration.
  std::string tested(const std::string& text) {
    server.configure(options.config + text);
    const ProcessResult result = server.config_test();
    return std::to_string(result.exit_code) + "\n" +
           comparable(result.out + result.err, server, server.tree());
  }

  Order order;
  HttpdOptions options;
  HttpdServer server;
};

using Places = std::vector<std::unique_ptr<Place>>;

Places places_for(const Owner& owner, bool loaded = true) {
  Places places;
  for (const Order order : {Order::stock, Order::before, Order::after}) {
    places.push_back(std::make_unique<Place>(owner, order, loaded));
  }
  return places;
}

class ReadAlong : public testing::TestWithParam<Owner> {};

INSTANTIATE_TEST_SUITE_P(Of, ReadAlong, testing::Values(kFcgid, kWsgi, kProxyFcgi),
                         [](const auto& owner) { return owner.param.module; });

const std::vector<std::pair<std::string, std::string>> kContexts = {
    {"Server", "@LINE@"},
    {"VirtualHost", "<VirtualHost *:1>\n@LINE@\n</VirtualHost>"},
    {"Directory", "<Directory /srv>\n@LINE@\n</Directory>"},
    {"Location", "<Location /srv>\n@LINE@\n</Location>"},
    {"Files", "<Files x>\n@LINE@\n</Files>"},
    {"If", "<If true>\n@LINE@\n</If>"},
    {"Limit", "<Directory /srv>\n<Limit GET>\n@LINE@\n</Limit>\n</Directory>"}};

class ReadAlongInConfiguration
    : public testing::TestWithParam<std::tuple<Owner, std::pair<std::string, std::string>>> {};

INSTANTIATE_TEST_SUITE_P(Of, ReadAlongInConfiguration,
                         testing::Combine(testing::Values(kFcgid, kWsgi, kProxyFcgi),
                                          testing::ValuesIn(kContexts)),
                         [](const auto& test) {
                           return std::get<0>(test.param).module + "_" +
                                  std::get<1>(test.param).first;
                         });

TEST_P(ReadAlongInConfiguration, IsTakenAndRefusedAsWithoutTheModule) {
  const auto& [owner, context] = GetParam();
  const Places places = places_for(owner);
  for (const std::string& line : owner.lines) {
    const std::string text = replaced(context.second, "@LINE@", line);
    const std::string stock = places[0]->tested(text);
    for (const int i : {1, 2}) {
      EXPECT_EQ(places[i]->tested(text), stock) << text << "\n" << name_of(places[i]->order);
    }
  }
}

constexpr std::array kOverrides = {"AllowOverride None",
                                   "AllowOverride AuthConfig",
                                   "AllowOverride FileInfo",
                                   "AllowOverride Indexes",
                                   "AllowOverride Limit",
                                   "AllowOverride Options",
                                   "AllowOverride All",
                                   "AllowOverride All Nonfatal=Unknown",
                                   "AllowOverride None\nAllowOverrideList @LISTED@"};

constexpr std::array kTenants = {"@LINE@", "<Files \"*\">\n@LINE@\n</Files>",
                                 "<If \"true\">\n@LINE@\n</If>", "<Limit GET>\n@LINE@\n</Limit>"};

/// Below htdocs: a directory for each of kOverrides, in it one for each line and each of kTenants.
std::string directory_of(std::size_t override_, std::size_t line, std::size_t tenant) {
  return std::to_string(override_) + "/" + std::to_string(line) + "/" + std::to_string(tenant);
}

std::string override_config(const Owner& owner, bool loaded) {
  std::string config;
  for (std::size_t i = 0; i < kOverrides.size(); ++i) {
    if (!loaded && std::string(kOverrides[i]).find("@LISTED@") != std::string::npos) continue;
    config += "<Directory @ROOT@/htdocs/" + std::to_string(i) + ">\n" +
              replaced(kOverrides[i], "@LISTED@", owner.listed) + "\n</Directory>\n";
  }
  return config;
}

/// Asks for a page in every directory; what was answered and logged, by directory.
std::map<std::string, std::string> answers_of(Place& place, const Owner& owner, bool loaded) {
  HttpdServer& server = place.server;
  server.configure(place.options.config + override_config(owner, loaded));
  for (const char* said : {":alert]", "mod_fcgid:", "AH022", "fcgid:"}) server.log().allow(said);
  server.start();
  std::map<std::string, std::string> answers;
  for (std::size_t i = 0; i < kOverrides.size(); ++i) {
    for (std::size_t line = 0; line < owner.lines.size(); ++line) {
      for (std::size_t tenant = 0; tenant < kTenants.size(); ++tenant) {
        const std::string at = directory_of(i, line, tenant);
        server.tree().write("htdocs/" + at + "/page.html", "page");
        server.tree().write("htdocs/" + at + "/.htaccess",
                            replaced(replaced(kTenants[tenant], "@LINE@", owner.lines[line]),
                                     "@ROOT@", server.tree().root()) +
                                "\n");
        const std::size_t logged = server.log().lines().size();
        const HttpResponse response = server.get("/" + at + "/page.html");
        std::string text = std::to_string(response.status) + " " + response.body + "\n";
        const std::vector<std::string> log = server.log().lines();
        for (std::size_t n = logged; n < log.size(); ++n) text += log[n] + "\n";
        answers[std::string(kOverrides[i]) + ": " + owner.lines[line] + " in " + kTenants[tenant]] =
            comparable(text, server, server.tree());
      }
    }
  }
  return answers;
}

void expect_as_stock_in_htaccess(const Owner& owner, bool loaded) {
  const Places places = places_for(owner, loaded);
  const auto stock = answers_of(*places[0], owner, loaded);
  for (const int i : {1, 2}) {
    for (const auto& [where, answer] : answers_of(*places[i], owner, loaded)) {
      EXPECT_EQ(answer, stock.at(where)) << where << "\n" << name_of(places[i]->order);
    }
  }
}

TEST_P(ReadAlong, IsTakenAndRefusedInHtaccessAsWithoutTheModule) {
  expect_as_stock_in_htaccess(GetParam(), true);
}

std::string directive_in(const std::string& line) {
  return line.substr(0, line.find(' '));
}

Owner one_line_each(Owner owner) {
  std::set<std::string> seen;
  std::erase_if(owner.lines,
                [&](const auto& line) { return !seen.insert(directive_in(line)).second; });
  return owner;
}

TEST_P(ReadAlong, IsUnknownWithoutTheModuleThatOwnsIt) {
  const Owner owner = one_line_each(GetParam());
  const Places places = places_for(owner, false);
  for (const std::string& line : owner.lines) {
    const std::string name = directive_in(line);
    const std::string unless_known = "<IfDirective " + name + ">\nNoSuch\n</IfDirective>\n";
    for (const std::string& text : {line, "<Directory /srv>\n" + line + "\n</Directory>",
                                    "<Files x>\n" + line + "\n</Files>", unless_known}) {
      const std::string stock = places[0]->tested(text);
      for (const int i : {1, 2}) EXPECT_EQ(places[i]->tested(text), stock) << text;
    }
  }
}

TEST_P(ReadAlong, IsUnknownInHtaccessWithoutTheModuleThatOwnsIt) {
  expect_as_stock_in_htaccess(one_line_each(GetParam()), false);
}

/// By directive: what each module registers it with.
using Tables = std::map<std::string, std::map<std::string, std::string>>;

Tables command_tables(const Owner& owner, Order order) {
  HttpdOptions options = options_for(owner, order);
  options.modules.push_back("command_tables=" PERMGUARD_BUILD "/tests/command_tables.so");
  HttpdServer server(options);
  std::istringstream lines(server.config_test({"-t", "-D", "DUMP_COMMAND_TABLES"}).out);
  Tables tables;
  for (std::string module, name, override_; lines >> module >> name >> override_;) {
    tables[name][module] = override_;
  }
  return tables;
}

TEST_P(ReadAlong, IsRegisteredWithItsOwnersOverride) {
  for (const Order order : {Order::before, Order::after}) {
    const Tables tables = command_tables(GetParam(), order);
    std::set<std::string> expected, shared;
    for (const std::string& line : GetParam().lines)
      expected.insert(line.substr(0, line.find(' ')));
    for (const auto& [name, rows] : tables) {
      if (!rows.contains("mod_" + GetParam().module + ".c") || rows.size() == 1) continue;
      shared.insert(name);
      for (const auto& [module, override_] : rows) {
        EXPECT_EQ(override_, rows.begin()->second) << name << " of " << module;
      }
    }
    EXPECT_EQ(shared, expected) << name_of(order);
  }
}

/// Tenants' .htaccess files are read while another virtual host's programs are checked. That a
/// child crashed stands in the error log, which fails the test.
class ReadAlongUnderLoad : public testing::TestWithParam<Order> {
 protected:
  static constexpr int kPrograms = 4;

  static HttpdOptions options() {
    HttpdOptions options = options_for(kFcgid, GetParam());
    options.modules.insert(options.modules.begin(), "wsgi");
    options.config += "PermGuard enforce strict\n";
    options.config += R"(
FcgidInitialEnv PATH /usr/bin:/bin
FcgidMaxRequestsPerProcess 0
<VirtualHost 127.0.0.1:@PORT@>
ServerName tenant.example
<Directory @ROOT@/htdocs>
  AllowOverride All
</Directory>
</VirtualHost>
<VirtualHost 127.0.0.1:@PORT@>
ServerName healthy.example
Alias /apps/ "@ROOT@/apps/"
<Directory "@ROOT@/apps">
  Options +ExecCGI
  AddHandler fcgid-script .fcgi
</Directory>
</VirtualHost>
)";
    return options;
  }

  void SetUp() override {
    std::string program(kFcgiProgram);
    program.replace(0, program.find('\n'), "#!/usr/bin/env python3");
    for (int i = 0; i < kPrograms; ++i) {
      server.tree().write("apps/" + std::to_string(i) + ".fcgi", program, 0755);
    }
    server.tree().write("apps/program", kFcgiProgram, 0755);
    for (const Owner& owner : {kFcgid, kWsgi}) {
      for (const std::string& line : owner.lines) {
        const std::string at = "htdocs/" + std::to_string(tenants++);
        server.tree().write(at + "/page.html", "page");
        server.tree().write(at + "/.htaccess",
                            replaced(line, "@ROOT@", server.tree().root()) + "\n");
      }
    }
    for (const char* said : {":alert]", "mod_fcgid:", "fcgid:"}) server.log().allow(said);
    server.start();
  }

  /// Every tenant's page, so many times.
  void ask_for_pages(int times) {
    for (int i = 0; i < times * tenants; ++i) {
      server.request("GET", "/" + std::to_string(i % tenants) + "/page.html",
                     {"Host: tenant.example"});
    }
  }

  HttpResponse program(int number) {
    return server.request("GET", "/apps/" + std::to_string(number) + ".fcgi",
                          {"Host: healthy.example"});
  }

  HttpdServer server{options()};
  int tenants = 0;
};

INSTANTIATE_TEST_SUITE_P(Loaded, ReadAlongUnderLoad, testing::Values(Order::before, Order::after),
                         [](const auto& order) { return std::string(name_of(order.param)); });

TEST_P(ReadAlongUnderLoad, HtaccessChangesNoOtherHostsVerdict) {
  ask_for_pages(1);  // whatever it left behind is there when the programs are first looked at
  std::atomic<bool> done{false};
  std::vector<std::thread> load;
  for (int i = 0; i < 4; ++i) load.emplace_back([&] { ask_for_pages(15); });
  load.emplace_back([&] {
    for (int n = 0; !done; ++n) {
      const HttpResponse response = program(n % kPrograms);
      EXPECT_EQ(response.status, 200) << response.body;
      // Looked at anew, not remembered.
      server.tree().chmod("apps/" + std::to_string(n % kPrograms) + ".fcgi", n % 2 ? 0755 : 0775);
    }
  });
  for (std::size_t i = 0; i < 4; ++i) load[i].join();
  done = true;
  load.back().join();
  EXPECT_EQ(server.log().count("[permguard:"), 0U);
}

}  // namespace
}  // namespace permguard::test
