// SPDX-License-Identifier: Apache-2.0
//
// Server, vhost and directory: what is set below wins, what is unset is inherited.
#include <gtest/gtest.h>

#include "integration/guarded_server.h"

namespace permguard::test {
namespace {

constexpr const char* kTwo = "two.example";
constexpr const char* kThree = "three.example";

/// The main server's scripts under further URLs; the vhost two inherits, the vhost three has
/// `in_vhost` for itself.
std::string layered(const std::string& server, const std::string& vhost,
                    const std::string& directory) {
  const std::string main = server + R"(
ScriptAlias /inner/ @ROOT@/inner/
<Directory @ROOT@/inner>
)" + directory + R"(
</Directory>
<VirtualHost 127.0.0.1:@PORT@>
ServerName main.example
</VirtualHost>
<VirtualHost 127.0.0.1:@PORT@>
ServerName two.example
</VirtualHost>
<VirtualHost 127.0.0.1:@PORT@>
ServerName three.example
)";
  return main + vhost + "\n</VirtualHost>\n";
}

/// A server with the same broken script in cgi-bin/ and inner/.
struct Layers : GuardedServer {
  Layers(const std::string& main, const std::string& vhost, const std::string& directory)
      : GuardedServer(layered(main, vhost, directory)) {
    tree().write("inner/broken.cgi", cgi_script("ok"), 0644);
    log().allow("not-executable");
    log().allow("execute-denied");
    start();
  }
};

TEST(Merge, Mode) {
  Layers layers("PermGuard report", "PermGuard enforce\nPermGuardStatusCode 503", "PermGuard off");
  EXPECT_EQ(layers.get_from(kTwo, "/cgi-bin/broken.cgi").status, 500);
  EXPECT_EQ(layers.told("not-executable"), 1U) << "the vhost inherits report";
  EXPECT_EQ(layers.get_from(kThree, "/cgi-bin/broken.cgi").status, 503) << "its own enforce";
  EXPECT_EQ(layers.get_from(kThree, "/inner/broken.cgi").status, 500) << "off in the directory";
  EXPECT_EQ(layers.told("inner/broken.cgi"), 0U);
}

TEST(Merge, ModeOfADirectoryOverAServerThatIsOff) {
  Layers layers("PermGuard off", "", "PermGuard enforce\nPermGuardStatusCode 404");
  EXPECT_EQ(layers.get_from(kTwo, "/cgi-bin/broken.cgi").status, 500);
  EXPECT_EQ(layers.told("not-executable"), 0U);
  EXPECT_EQ(layers.get_from(kThree, "/inner/broken.cgi").status, 404);
  EXPECT_EQ(layers.told("not-executable"), 1U);
}

TEST(Merge, EnforceIsTheDefault) {
  Layers layers("PermGuardStatusCode 503", "", "");
  EXPECT_EQ(layers.get_from(kTwo, "/cgi-bin/broken.cgi").status, 503);
}

TEST(Merge, StrictnessBelongsToTheMode) {
  // Strict answers for another user's rights, which are only modelled; a later plain enforce
  // does not.
  Layers layers("PermGuard enforce strict\nPermGuardStatusCode 503\nPermGuardRunAs daemon",
                "PermGuard enforce", "");
  layers.tree().chmod("cgi-bin/broken.cgi", 0744);
  EXPECT_EQ(layers.get_from(kTwo, "/cgi-bin/broken.cgi").status, 503);
  EXPECT_EQ(layers.get_from(kThree, "/cgi-bin/broken.cgi").status, 500);
}

TEST(Merge, StatusCode) {
  Layers layers("PermGuardStatusCode 503", "PermGuardStatusCode 404", "PermGuardStatusCode auto");
  EXPECT_EQ(layers.get_from(kTwo, "/cgi-bin/broken.cgi").status, 503);
  EXPECT_EQ(layers.get_from(kThree, "/cgi-bin/broken.cgi").status, 404);
  EXPECT_EQ(layers.get_from(kThree, "/inner/broken.cgi").status, 500) << "auto is a value too";
}

TEST(Merge, RunAs) {
  Layers layers("PermGuardRunAs daemon", "PermGuardRunAs games", "PermGuardRunAs auto");
  layers.tree().chmod("cgi-bin/broken.cgi", 0744);
  layers.tree().chmod("inner/broken.cgi", 0744);
  layers.get_from(kTwo, "/cgi-bin/broken.cgi");
  layers.log().expect("execute-denied (modelled): daemon cannot execute");
  layers.get_from(kThree, "/cgi-bin/broken.cgi");
  layers.log().expect("execute-denied (modelled): games cannot execute");
  layers.get_from(kThree, "/inner/broken.cgi");
  layers.log().expect("execute-denied: www-data cannot execute");
}

TEST(Merge, Handler) {
  Layers layers("PermGuardHandler cgi-script off", "PermGuardHandler cgi-script read", "");
  layers.tree().write("cgi-bin/secret.cgi", cgi_script("ok"), 0600);
  EXPECT_EQ(layers.get_from(kTwo, "/cgi-bin/secret.cgi").status, 500);
  EXPECT_EQ(layers.told("secret.cgi"), 0U) << "off is inherited";
  layers.get_from(kThree, "/cgi-bin/secret.cgi");
  layers.log().expect("read-denied: www-data cannot read");
  EXPECT_EQ(layers.get_from(kThree, "/cgi-bin/broken.cgi").status, 500);
  layers.log().expect("exonerated: www-data can read");
}

TEST(Merge, AVerdictCountsOnlyUnderTheRulesItWasFoundUnder) {
  Layers layers(
      "PermGuardStatusCode 503\nScriptAlias /strict/ @ROOT@/cgi-bin/\n"
      "<Location /strict>\nPermGuardForbid world-writable\n</Location>",
      "", "");
  layers.tree().chmod("cgi-bin/ok.cgi", 0757);
  EXPECT_EQ(layers.get("/cgi-bin/ok.cgi").status, 200);
  EXPECT_EQ(layers.get("/strict/ok.cgi").status, 503);
  layers.log().expect("world-writable");
  EXPECT_EQ(layers.get("/cgi-bin/ok.cgi").status, 200);
}

TEST(Merge, LogInterval) {
  Layers layers("PermGuardLogInterval 3600", "PermGuardLogInterval 0", "");
  for (int i = 0; i < 3; ++i) layers.get_from(kTwo, "/cgi-bin/broken.cgi");
  EXPECT_EQ(layers.told("cgi-bin/broken.cgi"), 1U);
  for (int i = 0; i < 3; ++i) layers.get_from(kThree, "/inner/broken.cgi");
  EXPECT_EQ(layers.told("inner/broken.cgi"), 3U);
}

}  // namespace
}  // namespace permguard::test
