// SPDX-License-Identifier: Apache-2.0
//
// Whose rights root asks for where nobody is named: those of the httpd that runs, and of nothing
// that only looks like one. Each test has processes and mounts of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <sstream>

#include "support/httpd_server.h"
#include "support/process.h"
#include "support/temp_tree.h"
#include "tests/places.h"

namespace permguard::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kCommand = PERMGUARD_BUILD "/permguard";
constexpr const char* kHttpd = "/usr/sbin/apache2";

unsigned mode_of(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? file.st_mode & 07777U : 0;
}

/// Processes and mounts that no other test sees, with a `sleep` as the first process.
class World {
 public:
  World()
      : first_({"unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
                "exec sleep 300"}) {
    poll_until([this] { return !inside().empty(); });
    poll_until([this] { return in({"true"}).succeeded(); });
  }

  ~World() { first_.signal(SIGKILL); }  // unshare waits for what it has started
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// `command` in this world, to its end.
  ProcessResult in(std::vector<std::string> command, const ProcessOptions& options = {}) const {
    command.insert(command.begin(), {"nsenter", "--target", inside(), "--pid", "--mount"});
    return run(command, options);
  }
  /// A line for sh that leaves something running there.
  void leave(const std::string& line) const {
    const ProcessResult left =
        in({"sh", "-c", "(" + line + ") </dev/null >/dev/null 2>&1 & echo started"});
    ASSERT_EQ(left.exit_code, 0) << left.err;
  }

 private:
  std::string inside() const {
    const std::string pid = std::to_string(first_.pid());
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    std::string child;
    children >> child;
    return child;
  }

  Child first_;
};

class RunningHttpd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, who asks for httpd's user";
    world_ = std::make_unique<World>();
    script_ = tree_.write("a.cgi", "#!/bin/sh\n", 0755);
  }

  ProcessResult explain(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {kCommand, "explain", script_});
    return world_->in(more);
  }
  /// Waits for a process whose name and effective user these are.
  void await(const std::string& name, const std::string& user) const {
    EXPECT_TRUE(poll_until([&] {
      return world_
          ->in({"sh", "-c", "ps -eo comm=,euser= | grep -q '^" + name + " *" + user + "$'"})
          .succeeded();
    })) << world_->in({"ps", "-ef"}).out;
  }
  /// A configuration of Debian's httpd for `user`, its PidFile NAME.pid; its path.
  std::string configuration(const std::string& name, const std::string& user) const {
    std::ostringstream text;
    text << "ServerRoot " << tree_.root() << "\nDefaultRuntimeDir " << tree_.root()
         << "\nLoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so"
         << "\nLoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so"
         << "\nStartServers 1\nMutex posixsem\nServerName x\nPidFile " << name << ".pid\nErrorLog "
         << name << ".log\nUser " << user << "\nGroup nogroup\nListen 127.0.0.1:" << free_port()
         << '\n';
    return tree_.write(name + ".conf", text.str());
  }
  void start(const std::string& name, const std::string& user, const std::string& before = "true") {
    world_->leave(before + "; exec " + kHttpd + " -DFOREGROUND -f " + configuration(name, user));
    await("apache2", user);
  }
  /// In a place where httpd's own build installs it, for that configuration.
  void install_apachectl(const std::string& name) const {
    const std::string directory = "/usr/local/apache2/bin";
    const ProcessResult installed = world_->in(
        {"sh", "-ec",
         "mount -t tmpfs -o mode=755 none /usr/local; mkdir -p " + directory + "; cd " + directory +
             "; printf %s \"$1\" >apachectl; chmod 755 apachectl; "
             "for known in /usr/sbin/apache2ctl /usr/sbin/apachectl /usr/bin/apachectl; do "
             "[ ! -e $known ] || mount --bind apachectl $known; done",
         "sh",
         "#!/bin/sh\nexec " + std::string(kHttpd) + " -f " + tree_.path(name + ".conf") +
             " \"$@\"\n"});
    ASSERT_EQ(installed.exit_code, 0) << installed.err;
  }

  mutable TempTree tree_;
  std::string script_;
  std::unique_ptr<World> world_;
};

TEST_F(RunningHttpd, ItsChildrensUserIsAskedFor) {
  start("one", "games");
  const ProcessResult answer = explain();
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("as games (uid 5, gid 65534, groups 65534): User of the "
                                    "running httpd, process "));
}

/// A tenant chooses his processes' names, and a program with a set-user-id bit gives him a parent
/// that is root.
TEST_F(RunningHttpd, ANameBelowASetuidProgramIsNoHttpd) {
  tree_.symlink("/bin/sh", "bin/apache2");
  tree_.symlink("/bin/sleep", "child/apache2");
  world_->leave("setpriv --ruid daemon " + tree_.path("bin/apache2") +
                " -p -c 'setpriv --reuid daemon --regid daemon --clear-groups " +
                tree_.path("child/apache2") + " 300; :'");
  await("apache2", "root");  // by its set-user-id bit
  await("apache2", "daemon");
  const ProcessResult answer = explain();
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("as www-data "), HasSubstr("no httpd is running")));
}

/// The program itself may be started by everybody.
TEST_F(RunningHttpd, OneThatATenantStartsIsNoHttpd) {
  tree_.chmod("", 0777);
  start("theirs", "daemon",
        "set -- setpriv --reuid daemon --regid daemon --clear-groups; exec \"$@\" " +
            std::string(kHttpd) + " -DFOREGROUND -f " + configuration("own", "daemon"));
  EXPECT_THAT(explain().out, AllOf(HasSubstr("as www-data "), HasSubstr("no httpd is running")));
}

TEST_F(RunningHttpd, SeveralAreSaidAndNoneIsChosen) {
  start("one", "games");
  start("two", "daemon");
  const ProcessResult answer = explain();
  EXPECT_EQ(answer.exit_code, 2) << answer.out;
  EXPECT_THAT(answer.err, HasSubstr("several httpds are running; name one by --pid: "));
  // Any of those named is taken.
  std::istringstream words(answer.err.substr(answer.err.rfind(": ") + 2));
  std::string pid;
  words >> pid;
  EXPECT_EQ(explain({"--pid", pid}).exit_code, 0) << pid;
}

TEST_F(RunningHttpd, ThePidFileOfTheConfigurationDecides) {
  start("one", "games");
  start("two", "daemon");
  install_apachectl("two");
  const ProcessResult answer = explain();
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("as daemon "), HasSubstr("User of the running httpd")));
}

/// Its number may be another process's by now, or have been written by somebody else.
TEST_F(RunningHttpd, AStalePidFileNamesNobody) {
  start("one", "games");
  configuration("two", "daemon");
  install_apachectl("two");
  world_->leave("exec setpriv --reuid daemon --regid daemon --clear-groups sleep 300");
  await("sleep", "daemon");
  const ProcessResult pid = world_->in({"sh", "-c",
                                        "ps -eo pid=,comm=,euser= | awk '$2==\"sleep\" "
                                        "&& $3==\"daemon\" {print $1}'"});
  tree_.write("two.pid", pid.out);
  EXPECT_THAT(explain().out, HasSubstr("as games "));
}

TEST_F(RunningHttpd, WithoutOneItsConfiguredUserIsAskedFor) {
  configuration("one", "games");
  install_apachectl("one");
  EXPECT_THAT(explain().out, HasSubstr("as games (uid 5, gid 65534"));
  EXPECT_THAT(explain().out, HasSubstr("User of the configuration, no httpd is running"));
}

/// As systemd's PrivateTmp= and ProtectHome= make it.
TEST_F(RunningHttpd, ItsMountsAreLookedAtToo) {
  script_ = tree_.write("hidden/a.cgi", "#!/bin/sh\n", 0755);
  world_->leave("exec unshare --mount sh -c 'mount -t tmpfs none " + tree_.path("hidden") +
                "; exec " + kHttpd + " -DFOREGROUND -f " + configuration("one", "games") + "'");
  await("apache2", "games");
  const ProcessResult answer = explain();
  EXPECT_EQ(answer.exit_code, 1) << answer.out << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("in its mount namespace"), HasSubstr("not-found: "),
                                HasSubstr("the kernel was asked")));
  EXPECT_EQ(explain({"--as", "games"}).exit_code, 0);
  const ProcessResult audit = world_->in({kCommand, "audit", tree_.path("hidden")});
  EXPECT_THAT(audit.out, AllOf(HasSubstr("in its mount namespace"), HasSubstr("\n0 files")));
}

/// Of two files of one name it is httpd's that is broken, and the one here that would be changed.
TEST_F(RunningHttpd, FixChangesOnlyWhatBothSee) {
  script_ = tree_.write("hidden/a.cgi", "#!/bin/sh\n", 0644);
  const std::string seen = tree_.write("b.cgi", "#!/bin/sh\n", 0644);
  world_->leave("exec unshare --mount sh -c 'mount -t tmpfs none " + tree_.path("hidden") +
                "; echo \"#!/bin/sh\" >" + script_ + "; chmod 600 " + script_ + "; exec " + kHttpd +
                " -DFOREGROUND -f " + configuration("one", "games") + "'");
  await("apache2", "games");
  // A command pasted in the caller's shell would change the file that stands here.
  for (const char* command : {"explain", "audit"}) {
    const ProcessResult told = world_->in({kCommand, command, script_});
    EXPECT_THAT(told.out, AllOf(HasSubstr("nsenter --mount"), Not(HasSubstr("chmod")),
                                Not(HasSubstr("setfacl"))));
    EXPECT_THAT(world_->in({kCommand, command, seen}).out, HasSubstr("chmod a+x"));
  }
  const ProcessResult other = world_->in({kCommand, "fix", script_, "--apply"});
  EXPECT_EQ(other.exit_code, 2) << other.out << other.err;
  EXPECT_THAT(other.err, HasSubstr("httpd sees another file under this name"));
  EXPECT_EQ(mode_of(tree_.path("hidden/a.cgi")), 0644U);
  const ProcessResult same = world_->in({kCommand, "fix", seen, "--apply"});
  EXPECT_EQ(same.exit_code, 0) << same.out << same.err;
  EXPECT_EQ(mode_of(seen), 0755U);
}

/// A container's httpd is another machine's.
TEST_F(RunningHttpd, OneInAPidNamespaceOfItsOwnIsLeftOut) {
  start("one", "games",
        "unshare --pid --fork sh -c 'exec " + std::string(kHttpd) + " -DFOREGROUND -f " +
            configuration("boxed", "games") + "'; exit");
  EXPECT_THAT(explain().out, HasSubstr("no httpd is running"));
}

}  // namespace
}  // namespace permguard::test
