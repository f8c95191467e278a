// SPDX-License-Identifier: Apache-2.0
#include "core/kernel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "support/temp_tree.h"

namespace permguard {
namespace {

TEST(Answer, OnlyRealRefusalsCount) {
  EXPECT_TRUE(answer_from_errno(0).allowed());
  for (const int error : {EPERM, ENOSYS, EINVAL, EINTR, EIO, ENOMEM}) {
    EXPECT_EQ(answer_from_errno(error).kind, KernelAnswer::Kind::not_asked) << error;
  }
  for (const int error : {EACCES, ENOENT, ELOOP, ETXTBSY, ENOTDIR}) {
    EXPECT_TRUE(answer_from_errno(error).refused()) << error;
  }
}

class KernelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root to become another user";
    }
  }
  test::TempTree tree_;
};

TEST_F(KernelTest, TheDelegateAsksAsTheOtherUser) {
  const std::string script = tree_.write("a", "#!/bin/sh\n", 0700);
  const DelegateKernel other(lookup_identity("www-data").value, true);
  ASSERT_EQ(other.error(), 0);
  EXPECT_EQ(other.may_access(script, kExecute).error, EACCES);
  EXPECT_TRUE(AccessKernel().may_access(script, kExecute).allowed());
  tree_.chmod("a", 0755);
  EXPECT_TRUE(other.may_access(script, kExecute).allowed());
  EXPECT_EQ(other.may_access(script, kWrite).error, EACCES);
}

TEST_F(KernelTest, SupplementaryGroupsCount) {
  tree_.write("a", "x", 0040);
  tree_.chown("a", "root", "adm");
  Identity member = lookup_identity("www-data").value;
  EXPECT_TRUE(DelegateKernel(member, false).may_access(tree_.path("a"), kRead).refused());
  member.groups.push_back(4);
  EXPECT_TRUE(DelegateKernel(member, false).may_access(tree_.path("a"), kRead).allowed());
}

TEST_F(KernelTest, RootNeedsOneExecuteBit) {
  const std::string script = tree_.write("a", "#!/bin/sh\n", 0600);
  const DelegateKernel root(lookup_identity("root").value, true);
  EXPECT_TRUE(root.may_access(script, kRead).allowed());
  EXPECT_EQ(root.may_access(script, kExecute).error, EACCES);
}

TEST_F(KernelTest, ADelegateWithTwoCapabilitiesReadsAnything) {
  Identity reader = lookup_identity("www-data").value;
  reader.dac_read_search = true;
  const std::string secret = tree_.write("secret", "x", 0600);
  EXPECT_TRUE(DelegateKernel(reader, false).may_access(secret, kRead).allowed());
  EXPECT_TRUE(DelegateKernel(reader, false).may_access(secret, kWrite).refused());
}

TEST_F(KernelTest, TheExecCheckSeesAWriterAndTheAccessCheckDoesNot) {
  if (!kernel_has_exec_check()) {
    GTEST_SKIP() << "this kernel has no AT_EXECVE_CHECK";
  }
  const std::string script = tree_.write("a", "#!/bin/sh\n", 0755);
  const DelegateKernel kernel(lookup_identity("www-data").value, true);
  EXPECT_TRUE(kernel.may_execute(script).allowed());
  EXPECT_TRUE(execute_check_on_helper_thread(script).allowed());
  const int writer = open(script.c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(kernel.may_execute(script).error, ETXTBSY);
  EXPECT_EQ(execute_check_on_helper_thread(script).error, ETXTBSY);
  EXPECT_TRUE(kernel.may_access(script, kExecute).allowed());
  close(writer);
}

TEST_F(KernelTest, WithoutTheExecCheckItIsNotAsked) {
  const DelegateKernel kernel(lookup_identity("www-data").value, false);
  EXPECT_EQ(kernel.may_execute("/bin/sh").kind, KernelAnswer::Kind::not_asked);
}

TEST_F(KernelTest, AnIdentityThatCannotBeTakenIsSaid) {
  const Identity nobody = lookup_identity("nobody").value;
  const DelegateKernel kernel(nobody, false, pid_t{0x3fffffff});
  EXPECT_EQ(kernel.error(), ENOENT);
  EXPECT_EQ(kernel.may_access("/", kRead).kind, KernelAnswer::Kind::not_asked);
}

}  // namespace
}  // namespace permguard
