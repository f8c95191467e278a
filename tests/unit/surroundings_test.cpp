// SPDX-License-Identifier: Apache-2.0
//
// What is told of a refusal that mode, ACL and mount do not explain, and of mounts that a service
// manager makes. Security modules are faked: the kernel of a test machine may have none.
#include "core/surroundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "support/fake_filesystem.h"

namespace permguard {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Refuses to execute, as a security module does that access(2) does not ask.
class RefusingKernel : public Kernel {
 public:
  KernelAnswer may_access(const std::string&, Permissions) const override {
    return answer_from_errno(0);
  }
  KernelAnswer may_execute(const std::string&) const override { return answer_from_errno(EACCES); }
};

/// What a filter on system calls answers in the kernel's place.
class FilteredKernel : public Kernel {
 public:
  explicit FilteredKernel(int error) : error_(error) {}
  KernelAnswer may_access(const std::string&, Permissions) const override {
    return answer_from_errno(error_);
  }
  KernelAnswer may_execute(const std::string&) const override { return answer_from_errno(error_); }
  bool refuses_by_itself(const KernelAnswer&, Permissions) const override { return false; }
  bool refuses_execution_by_itself() const override { return false; }

 private:
  int error_;
};

class NumberNames : public Names {
 public:
  std::string user(uid_t uid) const override { return "#" + std::to_string(uid); }
  std::string group(gid_t gid) const override { return "#" + std::to_string(gid); }
};

class SurroundingsTest : public ::testing::Test {
 protected:
  SurroundingsTest() {
    files_.file("/srv/a.cgi", "#!/bin/sh\n").mode(0755);
    files_.file("/bin/sh", "#!/srv/real\n").mode(0755);
    around_.machine = native_machine();
  }

  Finding refusal() {
    Question question;
    question.target = "/srv/a.cgi";
    question.who = {.uid = 33, .gid = 33, .name = "www-data"};
    const Diagnosis diagnosis = diagnose({files_, names_, &kernel_, around_}, question);
    EXPECT_FALSE(diagnosis.findings.empty());
    return diagnosis.findings.empty() ? Finding{} : diagnosis.findings.front();
  }

  std::string hint(Code code, const std::string& culprit, const Mount& mount, unsigned mode = 0) {
    FileStatus file;
    file.mode = mode;
    return sandbox_hint(around_, code, culprit, mount, file);
  }

  test::FakeFilesystem files_;
  NumberNames names_;
  RefusingKernel kernel_;
  Surroundings around_;
};

TEST_F(SurroundingsTest, NothingIsVisible) {
  const Finding finding = refusal();
  EXPECT_EQ(finding.code, Code::lsm_denied);
  EXPECT_EQ(finding.decided_by, DecidedBy::lsm);
  EXPECT_EQ(finding.certainty, Certainty::certain);
  EXPECT_EQ(finding.detail, "no visible reason");
  around_.no_new_privs = true;
  EXPECT_EQ(refusal().detail, "no visible reason (no_new_privs is set)");
}

TEST_F(SurroundingsTest, NamesSelinuxLabels) {
  files_.at("/srv/a.cgi")
      .attribute("security.selinux", std::string("system_u:object_r:user_home_t:s0\0", 33));
  around_.process_label = "system_u:system_r:httpd_sys_script_t:s0";
  EXPECT_EQ(refusal().detail,
            "process label system_u:system_r:httpd_sys_script_t:s0, file label "
            "system_u:object_r:user_home_t:s0");
}

TEST_F(SurroundingsTest, NamesAnApparmorProfile) {
  around_.process_label = "/usr/sbin/apache2 (enforce)";
  EXPECT_EQ(refusal().detail, "process label /usr/sbin/apache2 (enforce)");
}

TEST_F(SurroundingsTest, NamesAllOfASandbox) {
  files_.at("/srv/a.cgi").owner(65534, 0);
  around_.users = parse_id_map("0 1000 1\n", true);
  around_.seccomp = true;
  around_.no_new_privs = true;
  EXPECT_EQ(refusal().detail,
            "the user namespace does not map the owner, a seccomp filter is installed "
            "(no_new_privs is set)");
  files_.at("/srv/a.cgi").owner(0, 0);
  EXPECT_EQ(refusal().detail, "a seccomp filter is installed (no_new_privs is set)");
}

TEST(MappedIds, AreThoseOfTheMapsLines) {
  const MappedIds inside = parse_id_map("         0     100000      65536\n 70000 1000 1\n", true);
  EXPECT_TRUE(inside.hold(0));
  EXPECT_TRUE(inside.hold(65535));
  EXPECT_FALSE(inside.hold(65536));
  EXPECT_TRUE(inside.hold(70000));
  EXPECT_FALSE(inside.hold(65534));  // shown for all that are not mapped
  const MappedIds outside = parse_id_map("0 100000 65536\n", false);
  EXPECT_FALSE(outside.hold(0));
  EXPECT_TRUE(outside.hold(100000 + 65534));
  EXPECT_FALSE(outside.hold(100000 + 65536));
  EXPECT_FALSE(parse_id_map("", false).hold(0));  // nothing is mapped yet
  EXPECT_FALSE(parse_id_map("rubbish\n", true).hold(0));
  EXPECT_TRUE(parse_id_map("0 0 4294967295\n", true).hold(65534));
  EXPECT_TRUE(MappedIds().hold(7));
}

TEST_F(SurroundingsTest, NamesTheSettingThatMakesSuchAMount) {
  around_.private_mounts = true;
  const Mount home{.point = "/home", .fstype = "tmpfs"};
  EXPECT_EQ(hint(Code::not_found, "/home/ann", home),
            "the mount '/home' (tmpfs) may come from systemd's ProtectHome=");
  EXPECT_THAT(hint(Code::search_denied, "/home", home), HasSubstr("ProtectHome="));
  EXPECT_THAT(hint(Code::not_found, "/tmp/a", {.point = "/tmp"}), HasSubstr("PrivateTmp="));
  EXPECT_THAT(hint(Code::noexec_mount, "/srv/a", {.noexec = true, .point = "/srv"}),
              HasSubstr("NoExecPaths="));
  EXPECT_THAT(hint(Code::not_executable, "/srv/a", {.point = "/srv/a"}),
              HasSubstr("InaccessiblePaths="));
  EXPECT_THAT(hint(Code::search_denied, "/home/ann", {.point = "/home/ann"}),
              HasSubstr("InaccessiblePaths="));
}

TEST_F(SurroundingsTest, OrdinaryMountsExplainNothing) {
  const Mount home{.point = "/home", .fstype = "tmpfs"};
  EXPECT_THAT(hint(Code::not_found, "/home/ann", home), IsEmpty()) << "the machine's own mount";
  around_.private_mounts = true;
  EXPECT_THAT(hint(Code::not_found, "/srv/a", {.point = "/"}), IsEmpty());
  EXPECT_THAT(hint(Code::noexec_mount, "/srv/a", {.noexec = true, .point = "/"}), IsEmpty());
  EXPECT_THAT(hint(Code::search_denied, "/home/ann", home, 0700), IsEmpty());
  EXPECT_THAT(hint(Code::search_denied, "/tmp/a", {.point = "/tmp"}, 0), IsEmpty());
}

TEST_F(SurroundingsTest, AHiddenFileIsNotRepairedByACommand) {
  around_.private_mounts = true;
  files_.at("/srv/a.cgi").mode(0);
  files_.mount_at("/srv/a.cgi", {.point = "/srv/a.cgi", .fstype = "tmpfs"});
  Question question;
  question.target = "/srv/a.cgi";
  question.who = {.uid = 33, .gid = 33, .name = "www-data"};
  const Diagnosis diagnosis = diagnose({files_, names_, nullptr, around_}, question);
  ASSERT_FALSE(diagnosis.findings.empty());
  const Finding& finding = diagnosis.findings.front();
  EXPECT_THAT(finding.hint, HasSubstr("InaccessiblePaths="));
  EXPECT_THAT(finding.remedy.steps, IsEmpty());
  EXPECT_THAT(finding.remedy.advice, HasSubstr("unit"));
}

TEST_F(SurroundingsTest, AFilterOnSystemCallsIsNotTheKernel) {
  files_.file("/bin/sh").mode(0755);  // empty: certain, whoever asks
  for (const int error : {EACCES, EPERM, ELOOP, ENOTDIR, ENOENT, ENOSYS, ETXTBSY}) {
    const FilteredKernel filtered(error);
    Question question;
    question.target = "/srv/a.cgi";
    question.who = {.uid = 33, .gid = 33, .name = "www-data"};
    for (const unsigned mode : {0755U, 0700U}) {
      files_.at("/srv/a.cgi").mode(mode);
      const Diagnosis diagnosis = diagnose({files_, names_, &filtered, around_}, question);
      EXPECT_EQ(diagnosis.unheard, error);
      for (const Finding& finding : diagnosis.findings) {
        const bool is_format = finding.code == Code::empty_file;
        EXPECT_TRUE(is_format || finding.code == Code::execute_denied ||
                    finding.code == Code::read_denied)
            << name_of(finding.code);
        EXPECT_EQ(finding.certainty, is_format ? Certainty::certain : Certainty::modelled);
      }
      EXPECT_EQ(diagnosis.findings.size() > 1, mode == 0700);
    }
  }
}

}  // namespace
}  // namespace permguard
