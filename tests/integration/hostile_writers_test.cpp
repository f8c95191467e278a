// SPDX-License-Identifier: Apache-2.0
//
// Which of httpd's processes can write into the memory that all of them share, and that none of
// them harms another by it: children of other users, daemons of other modules, programs that httpd
// has started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "integration/hostile_server.h"

namespace permguard::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kApplication = R"(import ctypes, os
def application(environ, start_response):
    query = environ['QUERY_STRING']
    body = open('/proc/self/maps').read() if query == 'maps' else str(os.getuid())
    for text in query.strip(',').split(',') if '-' in query else []:
        begin, end = (int(number, 16) for number in text.split('-'))
        ctypes.memset(begin, 0xff, end - begin)
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body.encode()]
)";

constexpr char kConfig[] = R"(
WSGISocketPrefix @ROOT@/rt/wsgi
WSGIDaemonProcess games user=games threads=1 shutdown-timeout=1 home=/
WSGIScriptAlias /wsgi @ROOT@/apps/attack.wsgi process-group=games
FcgidIPCDir @ROOT@/rt/fcgid
FcgidProcessTableFile @ROOT@/rt/fcgid_shm
CustomLog "|/bin/cat" "%t"
<IfModule permguard_module>
  PermGuardEventLog "|/bin/cat"
</IfModule>
)";

/// The process manager of mod_fcgid keeps root as its real user, for suexec.
constexpr char kProcessManager[] = "0\t33\t0\t33";

std::string user_number(const char* name) {
  const passwd* user = ::getpwnam(name);
  return user ? std::to_string(user->pw_uid) : "";
}

/// All processes below `parent`.
std::vector<pid_t> descendants(pid_t parent) {
  std::vector<pid_t> found;
  const std::string task = std::to_string(parent);
  std::ifstream children("/proc/" + task + "/task/" + task + "/children");
  for (pid_t pid = 0; children >> pid;) {
    found.push_back(pid);
    const auto below = descendants(pid);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

std::string link_of(const std::string& path) {
  std::error_code error;
  return fs::read_symlink(path, error).string();
}

bool is_httpd(pid_t pid) {
  return link_of("/proc/" + std::to_string(pid) + "/exe").ends_with("/apache2");
}

class HostileWriters : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to start processes of other users";
  }

  static void lay_out(HostileServer& server) {
    server.add_user("games");
    server.add_user_ids(kProcessManager);
    server.tree().write("apps/attack.wsgi", kApplication, 0644);
    // What these modules say when httpd restarts or stops, with or without mod_permguard.
    for (const char* text : {"AH00045", "AH00046", "AH00488"}) {
      server.log().allow(text);
    }
  }
};

TEST_F(HostileWriters, AnItkChildOfAnotherUser) {
  HostileServer server(Stage::itk);
  server.prepare();
  ASSERT_EQ(server.get_from("games", "/hostile?who").body, user_number("games"));
  server.attack("fill=ones", "games");
  server.expect_survives();
  if (HasFailure()) return;
  const HostileServer::Scribbler scribbler(server, "games");
  server.expect_survives();
}

TEST_F(HostileWriters, ADaemonOfModWsgiOfAnotherUser) {
  HostileServer server(Stage::event, kConfig, {"wsgi", "fcgid"});
  lay_out(server);
  server.prepare();
  ASSERT_EQ(server.get("/wsgi").body, user_number("games"));
  const auto ours = server.segments_of(mappings_in(server.get("/wsgi?maps").body));
  for (const Mapping& segment : ours) {
    if (!segment.is_writable()) continue;
    EXPECT_EQ(server.get("/wsgi?" + ranges_text({segment})).status, 200);
  }
  server.expect_survives();
  EXPECT_EQ(server.get("/wsgi").body, user_number("games"));
}

/// Each in turn, as if it had done so itself: children, the daemons of mod_cgid and mod_wsgi, the
/// process manager of mod_fcgid.
TEST_F(HostileWriters, EveryProcessThatHasIt) {
  HostileServer server(Stage::event, kConfig, {"wsgi", "fcgid"});
  lay_out(server);
  server.prepare();
  std::set<std::string> users;
  for (const pid_t pid : server.children()) {
    users.insert(status_field(pid, "Uid"));
    for (const Mapping& segment : server.segments_of(mappings_of(pid))) {
      SCOPED_TRACE(status_field(pid, "Uid"));
      EXPECT_TRUE(write_memory(pid, segment.begin, std::string(segment.size(), '\xff')));
    }
    server.expect_serves();
    if (HasFailure()) return;
  }
  EXPECT_THAT(users,
              testing::IsSupersetOf({std::string(kProcessManager), std::string("33\t33\t33\t33")}));
  server.expect_survives();
}

/// A program that httpd has started has none of its memory, and no descriptor of it.
TEST_F(HostileWriters, ALoggerHasNothing) {
  HostileServer server(Stage::event, kConfig, {"wsgi", "fcgid"});
  lay_out(server);
  server.prepare();
  std::size_t programs = 0;
  for (const pid_t pid : descendants(server.pid())) {
    if (is_httpd(pid)) continue;
    ++programs;
    const auto mappings = mappings_of(pid);
    EXPECT_TRUE(std::ranges::none_of(mappings, [](const Mapping& mapping) {
      return mapping.is_shared() && mapping.is_writable();
    }));
    std::error_code error;
    for (const auto& entry :
         fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
      const std::string file = link_of(entry.path().string());
      for (const char* memory : {"/dev/zero", "/dev/shm", "memfd:", "(deleted)"}) {
        EXPECT_EQ(file.find(memory), file.npos) << entry.path() << " is " << file;
      }
    }
  }
  EXPECT_GE(programs, 2U);
}

}  // namespace
}  // namespace permguard::test
