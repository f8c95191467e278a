// SPDX-License-Identifier: Apache-2.0
//
// `permguard explain` for a running process, and inside sandboxes: what that process is, sees and
// is refused counts, not what the user data base says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include <fstream>
#include <memory>

#include "contract/explain.h"
#include "support/temp_tree.h"

namespace permguard::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kScript = "#!/bin/sh\necho\n";
constexpr const char* kSandbox = PERMGUARD_BUILD "/tests/sandbox";

class ExplainProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }

  /// Starts `launcher` and a sleep at its end; waits until that sleeps.
  void start(std::vector<std::string> launcher, const std::string& sleep = "sleep") {
    launcher.insert(launcher.end(), {sleep, "60"});
    process_ = std::make_unique<Child>(launcher);
    ASSERT_TRUE(poll_until([this] {
      std::string name;
      std::ifstream("/proc/" + std::to_string(process_->pid()) + "/comm") >> name;
      return name == "sleep";
    })) << launcher[0];
  }
  ProcessResult explain_process(const std::string& path) const {
    return explain({path, "--pid", std::to_string(process_->pid())});
  }
  /// Runs permguard for www-data in a mount namespace of its own, after `mounts`, which may hide
  /// the program itself.
  ProcessResult explain_after(const std::string& mounts, const std::string& path) const {
    return explain({path, "--as", "www-data"}, {},
                   {"unshare", "--mount", "sh", "-ec",
                    "exec 9<\"$1\"; shift; " + mounts + "; exec /proc/self/fd/9 \"$@\"", "sh"});
  }

  TempTree tree_;
  std::unique_ptr<Child> process_;
};

TEST_F(ExplainProcess, HasTheGroupsItWasStartedWith) {
  const std::string script = tree_.write("a.cgi", kScript, 0750);
  tree_.chown("a.cgi", "root", "adm");
  start({"setpriv", "--reuid", "33", "--regid", "33", "--groups", "4,20"});
  const ProcessResult healthy = explain_process(script);
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out << healthy.err;
  EXPECT_THAT(healthy.out, HasSubstr("as www-data (uid 33, gid 33, groups 4 20): process "));
  EXPECT_EQ(explain({script, "--as", "www-data"}).exit_code, 1) << "the data base knows no group";
}

TEST_F(ExplainProcess, HasItsCapabilities) {
  const std::string script = tree_.write("a.cgi", kScript, 0700);
  start({"setpriv", "--reuid", "33", "--regid", "33", "--clear-groups", "--inh-caps",
         "+dac_override", "--ambient-caps", "+dac_override"});
  const ProcessResult healthy = explain_process(script);
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out << healthy.err;
  EXPECT_THAT(healthy.out, AllOf(HasSubstr("CAP_DAC_OVERRIDE"),
                                 HasSubstr("may read and execute: capability of www-data")));
  tree_.chmod("a.cgi", 0600);
  EXPECT_EQ(explain_process(script).exit_code, 1) << "not even a capability gives the last x bit";
}

TEST_F(ExplainProcess, RootWithoutCapabilitiesIsAnOrdinaryUser) {
  const std::string script = tree_.write("a.cgi", kScript, 0700);
  tree_.chown("a.cgi", "www-data");
  start({"setpriv", "--bounding-set", "-all"});
  const ProcessResult broken = explain_process(script);
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  EXPECT_THAT(broken.out, HasSubstr("\n  execute-denied: "));
}

TEST_F(ExplainProcess, SeesItsOwnMounts) {
  const std::string script = tree_.write("in/a.cgi", kScript, 0755);
  start({"unshare", "--mount", "sh", "-ec",
         "mount -t tmpfs -o noexec,mode=755 none '" + tree_.path("in") + "'; printf '" +
             "#!/bin/sh\\n' > '" + script + "'; chmod 755 '" + script +
             "'; exec setpriv --reuid 33 --regid 33 --clear-groups \"$@\"",
         "sh"});
  EXPECT_EQ(explain({script, "--as", "www-data"}).exit_code, 0);
  const ProcessResult broken = explain_process(script);
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  EXPECT_THAT(broken.out, AllOf(HasSubstr("\n  noexec-mount: "),
                                HasSubstr("'" + tree_.path("in") + "', which is mounted noexec"),
                                HasSubstr("may come from systemd's NoExecPaths=")));
}

TEST_F(ExplainProcess, SeesItsOwnRoot) {
  tree_.write("jail/cgi/a.cgi", "#!/bin/prog\n", 0755);
  tree_.mkdir("jail/bin");
  ASSERT_TRUE(run({"cp", kSandbox, tree_.path("jail/bin/sleep")}).succeeded());
  start({"chroot", "--userspec=33:33", tree_.path("jail")}, "/bin/sleep");
  const ProcessResult broken = explain_process("/cgi/a.cgi");
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  EXPECT_THAT(broken.out, HasSubstr("\n  interpreter-not-found: "));
  tree_.symlink("sleep", "jail/bin/prog");
  const ProcessResult healthy = explain_process("/cgi/a.cgi");
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out << healthy.err;
  EXPECT_THAT(healthy.out,
              AllOf(HasSubstr("which is '/bin/sleep'"), HasSubstr("the kernel was asked")));
}

TEST_F(ExplainProcess, ALandlockRuleHasNoVisibleReason) {
  const std::string allowed = tree_.write("allowed/a.cgi", kScript, 0755);
  const std::string denied = tree_.write("denied/a.cgi", kScript, 0755);
  const std::vector<std::string> launcher = {
      kSandbox, "landlock", "/usr", "/lib64", PERMGUARD_BUILD, tree_.path("allowed"), "--"};
  EXPECT_EQ(explain({allowed, "--as", "www-data"}, {}, launcher).exit_code, 0);
  const ProcessResult broken = explain({denied, "--as", "www-data"}, {}, launcher);
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  EXPECT_THAT(broken.out, HasSubstr("\n  lsm-denied: "));
  EXPECT_THAT(broken.out, HasSubstr("refuses what mode, ACL and mount allow: no visible reason"));
  EXPECT_THAT(
      explain({tree_.write("allowed/by.cgi", "#!" + denied + "\n", 0755), "--as", "www-data"}, {},
              launcher)
          .out,
      AllOf(HasSubstr("\n  interpreter-lsm-denied: "), HasSubstr("no visible reason")));
}

TEST_F(ExplainProcess, TakesNoFilterForTheKernel) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  for (const int error : {EACCES, ELOOP, ENOTDIR, ENOENT}) {
    const ProcessResult healthy =
        explain({script, "--as", "www-data"}, {},
                {kSandbox, "seccomp", std::to_string(error), "faccessat2", "--"});
    EXPECT_EQ(healthy.exit_code, 0) << error << healthy.out << healthy.err;
  }
}

TEST_F(ExplainProcess, NamesASeccompFilter) {
  const std::string denied = tree_.write("denied/a.cgi", kScript, 0755);
  const ProcessResult broken =
      explain({denied, "--as", "www-data"}, {},
              {kSandbox, "landlock", "/usr", "/lib64", PERMGUARD_BUILD, "--", kSandbox, "seccomp",
               std::to_string(ENOSYS), "statx", "--"});
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  EXPECT_THAT(broken.out, HasSubstr("lsm-denied: "));
  EXPECT_THAT(broken.out, HasSubstr("a seccomp filter is installed"));
  EXPECT_THAT(broken.out, Not(HasSubstr("no visible reason")));
}

// Root of a user namespace has its capabilities over files of mapped owners only:
// user_namespaces(7).
TEST_F(ExplainProcess, NamesAUserNamespaceThatDoesNotMapTheOwner) {
  const std::string script = tree_.write("a.cgi", kScript, 0700);
  tree_.chown("a.cgi", "www-data", "www-data");
  const ProcessResult broken =
      explain({script}, {},
              {"unshare", "--user", "--map-root-user", "sh", "-c", "exec \"$@\" --pid $$", "sh"});
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  EXPECT_THAT(broken.out, HasSubstr("the user namespace does not map the owner"));
}

/// Asked from outside, as for a container: its root is root over its own users' files only.
TEST_F(ExplainProcess, HasCapabilitiesOverTheUsersOfItsNamespace) {
  constexpr uid_t kFirst = 100'000;
  const Child container({"unshare", "--user", "--keep-caps", "sh", "-c",
                         "until grep -q . /proc/self/gid_map; do sleep 0.02; done; "
                         "exec setpriv --reuid 0 --regid 0 --clear-groups sleep 60"});
  const std::string process = "/proc/" + std::to_string(container.pid());
  const auto has = [&](const char* file, const std::string& text) {
    return poll_until([&] { return run({"grep", "-q", text, process + file}).succeeded(); });
  };
  struct stat own {};
  ASSERT_EQ(::stat("/proc/self/ns/user", &own), 0);
  ASSERT_TRUE(poll_until([&] {
    struct stat other {};
    return ::stat((process + "/ns/user").c_str(), &other) == 0 && other.st_ino != own.st_ino;
  }));
  const std::string map = "0 " + std::to_string(kFirst) + " 65536\n";
  for (const char* file : {"/uid_map", "/gid_map"}) std::ofstream(process + file) << map;
  ASSERT_TRUE(has("/status", "^Uid:.100000")) << "user namespaces are forbidden here";
  ASSERT_TRUE(has("/comm", "sleep"));

  const std::string theirs = tree_.write("theirs.cgi", kScript, 0700);
  ASSERT_EQ(::chown(theirs.c_str(), kFirst + 33, kFirst + 33), 0);
  const std::string pid = std::to_string(container.pid());
  const ProcessResult healthy = explain({theirs, "--pid", pid});
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out << healthy.err;
  const ProcessResult broken = explain({tree_.write("ours.cgi", kScript, 0700), "--pid", pid});
  EXPECT_EQ(broken.exit_code, 1) << broken.out << broken.err;
  EXPECT_THAT(broken.out, HasSubstr("the user namespace does not map the owner"));
}

TEST_F(ExplainProcess, NamesMountsThatAServiceManagerMakes) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  const ProcessResult hidden = explain_after("mount -t tmpfs none /home", "/home/ann/a.cgi");
  EXPECT_EQ(hidden.exit_code, 1) << hidden.err;
  EXPECT_THAT(hidden.out, HasSubstr("the mount '/home' (tmpfs) may come from systemd's "
                                    "ProtectHome="));
  const ProcessResult shut = explain_after("mount -t tmpfs -o mode=000 none /home", "/home/a.cgi");
  EXPECT_THAT(shut.out, AllOf(HasSubstr("search-denied: directory '/home' mode 0000"),
                              HasSubstr("ProtectHome=")));
  EXPECT_THAT(explain_after("mount -t tmpfs -o mode=1777 none /tmp", script).out,
              HasSubstr("the mount '/tmp' (tmpfs) may come from systemd's PrivateTmp="));
  const std::string bind = "mount --bind '" + tree_.root() + "' '" + tree_.root() + "'";
  EXPECT_THAT(
      explain_after(bind + "; mount -o remount,bind,noexec '" + tree_.root() + "'", script).out,
      HasSubstr("may come from systemd's NoExecPaths="));
  const std::string none = tree_.write("none", "", 0000);
  EXPECT_THAT(explain_after("mount --bind '" + none + "' '" + script + "'", script).out,
              HasSubstr("may come from systemd's InaccessiblePaths="));
}

/// The operator's shell is in the same namespace: what it cannot do is no fix.
TEST_F(ExplainProcess, AReadOnlyMountIsNotRepairedByChmod) {
  TempTree tree;
  const std::string directory = tree.mkdir("ro");
  const ProcessResult result = explain_after(
      "mount -t tmpfs -o mode=755 t " + directory + "; printf '#!/bin/sh\\n' >" + directory +
          "/s; chmod 600 " + directory + "/s; mount -o remount,ro " + directory,
      directory + "/s");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("is read-only: remount it"), Not(HasSubstr("chmod a+x '"))));
}

/// It may be a script, which could not run, or a program, which can.
TEST_F(ExplainProcess, WhatAnOrdinaryUserCannotReadIsNotCertain) {
  TempTree tree;
  const std::string program = tree.write("true", tree.read("../../bin/true"), 0711);
  const ProcessResult result =
      explain({program, "--format", "json"}, {},
              {"setpriv", "--reuid", "daemon", "--regid", "daemon", "--init-groups"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, Not(HasSubstr("\"certainty\": \"certain\"")));
}

}  // namespace
}  // namespace permguard::test
