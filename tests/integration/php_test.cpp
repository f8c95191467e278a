// SPDX-License-Identifier: Apache-2.0
//
// mod_php reads scripts in the child itself. Debian builds it for prefork alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "integration/dispatcher_server.h"

namespace permguard::test {
namespace {

class Php : public testing::Test {
 protected:
  Scene scene{.mpm = Mpm::prefork,
              .modules = {"php=/usr/lib/apache2/modules/libphp8.2.so"},
              .config = R"(
AddHandler application/x-httpd-php .php
AddHandler application/x-httpd-php-source .phps
DirectoryIndex index.php index.html
)",
              .lay_out =
                  [](TempTree& tree) {
                    const std::string text = "<?php echo 'php ', $_SERVER['PATH_INFO'] ?? '-';";
                    tree.write("htdocs/php/index.php", text, 0444);
                    tree.write("htdocs/php/source.phps", text, 0644);
                    tree.write("htdocs/php/secret.php", text, 0600);
                  },
              .allowed = {"Failed opening required", "Failed to open stream", "PHP "}};
};

TEST_F(Php, HealthyScriptsAnswerAsWithStockHttpd) {
  expect_as_stock(scene, {{"/php/index.php"},
                          {"/php/index.php/more"},
                          {"/php/"},
                          {"/php/source.phps"},
                          {"/php/index.php", "HEAD"},
                          {"/php/index.php", "FOO"},
                          {"/php/index.php", "POST", {}, "sent=1"},
                          {"/php/index.php", "DELETE"}});
}

TEST_F(Php, AScriptThatCannotBeReadIsAnswered) {
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/php/secret.php").status, 500);
  server.log().expect("read-denied: www-data cannot read '" +
                      server.tree().path("htdocs/php/secret.php") + "': mode 0600");
  EXPECT_EQ(server.lines(), 1U);
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"php\",result=\"blocked\"}"), "1");
}

TEST_F(Php, AScriptThatOpcacheHoldsIsNeverAnsweredFor) {
  scene.lay_out = [lay_out = scene.lay_out](TempTree& tree) {
    lay_out(tree);
    const std::filesystem::path script = tree.path("htdocs/php/index.php");
    // opcache leaves new files alone
    std::filesystem::last_write_time(
        script, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  };
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/php/index.php").status, 200);
  server.tree().chmod("htdocs/php/index.php", 0000);
  EXPECT_EQ(server.get("/php/index.php").body, "php -");
  EXPECT_EQ(server.lines(), 0U);
}

/// Pages whose owner has the x bit are scripts, in which only mod_php itself sees the difference.
TEST_F(Php, APageThatXbithackMakesAScript) {
  scene.config += "php_admin_flag xbithack on\n";
  scene.lay_out = [](TempTree& tree) {
    tree.write("htdocs/run.html", "<?php echo 'ran';", 0744);
    tree.write("htdocs/secret.html", "<?php echo 'ran';", 0700);
    tree.write("htdocs/static.html", "page", 0600);
    tree.write("htdocs/failing.html", "<?php http_response_code(500);", 0744);
  };
  expect_as_stock(scene, {{"/run.html"}, {"/failing.html", "GET", {}, {}, 500}});
  scene.allowed.push_back("AH00132");
  DispatcherServer server(scene, "enforce");
  EXPECT_EQ(server.get("/secret.html").status, 500);
  server.log().expect("read-denied: www-data cannot read '" +
                      server.tree().path("htdocs/secret.html") + "': mode 0700");
  EXPECT_EQ(server.get("/static.html").status, 403);
  server.log().expect("read-denied: www-data cannot read '" +
                      server.tree().path("htdocs/static.html") + "': mode 0600");
  EXPECT_EQ(server.metric("permguard_checks_total{handler=\"php\",result=\"reported\"}"), "1");
  EXPECT_EQ(server.lines(), 2U);
}

TEST_F(Php, AMissingScriptIsHttpdsOwnBusiness) {
  scene.allowed.push_back("not found or unable to stat");
  DispatcherServer server(scene, "enforce strict");
  EXPECT_EQ(server.get("/php/none.php").status, 404);
  EXPECT_EQ(server.lines(), 0U);
}

TEST(WithoutPhp, TheHandlersAreNotItsOwn) {
  const Scene scene{.modules = {"actions"},
                    .config =
                        "AddHandler application/x-httpd-php .php\n"
                        "Action application/x-httpd-php /cgi-bin/act\n",
                    .lay_out = [](TempTree& tree) {
                      tree.write("htdocs/page.php", "text", 0600);
                      tree.write("cgi-bin/act", cgi_script("acted"), 0755);
                    }};
  expect_as_stock(scene, {{"/page.php"}});
}

}  // namespace
}  // namespace permguard::test
