// SPDX-License-Identifier: Apache-2.0
#include "core/kernel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "support/process.h"
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
  const DelegateKernel kernel(nobody, false, "/proc/1073741823");
  EXPECT_EQ(kernel.error(), ENOENT);
  EXPECT_EQ(kernel.may_access("/", kRead).kind, KernelAnswer::Kind::not_asked);
}

/// The children of this process.
std::vector<pid_t> children() {
  std::ifstream list("/proc/self/task/" + std::to_string(getpid()) + "/children");
  return {std::istream_iterator<pid_t>(list), {}};
}

/// The one that is not among `before`.
pid_t new_child(const std::vector<pid_t>& before) {
  for (const pid_t child : children()) {
    if (std::find(before.begin(), before.end(), child) == before.end()) return child;
  }
  return -1;
}

/// The delegate's user may send it any signal.
class HostileUser : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    const std::vector<pid_t> before = children();
    kernel_.emplace(lookup_identity("www-data").value, true);
    ASSERT_EQ(kernel_->error(), 0);
    delegate_ = new_child(before);
    ASSERT_GT(delegate_, 0);
    denied_ = tree_.write("a", "#!/bin/sh\n", 0700);
  }
  int signal_as_user(int number) const {
    return test::run_as("www-data", [&] { return kill(delegate_, number) == 0 ? 0 : errno; });
  }

  std::optional<DelegateKernel> kernel_;
  pid_t delegate_ = -1;
  std::string denied_;
};

TEST_F(HostileUser, AStoppedDelegateIsReplaced) {
  ASSERT_EQ(signal_as_user(SIGSTOP), 0);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(kernel_->may_access(denied_, kExecute).error, EACCES);
  EXPECT_TRUE(kernel_->may_access("/bin/sh", kExecute).allowed());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

TEST_F(HostileUser, AKilledDelegateIsReplaced) {
  ASSERT_EQ(signal_as_user(SIGKILL), 0);
  EXPECT_EQ(kernel_->may_access(denied_, kExecute).error, EACCES);
  EXPECT_TRUE(kernel_->may_access("/bin/sh", kExecute).allowed());
}

TEST_F(HostileUser, AStoppedDelegateEndsWithItsAsker) {
  ASSERT_EQ(signal_as_user(SIGSTOP), 0);
  kernel_.reset();
  EXPECT_EQ(kill(delegate_, 0), -1);
}

TEST_F(HostileUser, OtherSignalsChangeNoAnswer) {
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGALRM, SIGSEGV, SIGPIPE, SIGCONT}) {
    ASSERT_EQ(signal_as_user(number), 0) << number;
    EXPECT_EQ(kernel_->may_access(denied_, kExecute).error, EACCES) << number;
  }
  EXPECT_EQ(kill(delegate_, 0), 0) << "it was never replaced";
}

/// What root has open and in its memory is none of the user's.
TEST_F(HostileUser, ItCannotBeTracedAndHoldsNothingOfTheAskers) {
  EXPECT_EQ(test::run_as(
                "www-data",
                [&] { return ptrace(PTRACE_SEIZE, delegate_, nullptr, nullptr) == 0 ? 0 : errno; }),
            EPERM);
  const std::string descriptors = "/proc/" + std::to_string(delegate_) + "/fd";
  EXPECT_EQ(test::run_as("www-data", [&] { return access(descriptors.c_str(), R_OK); }), 255);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(descriptors), {}), 1);
}

/// The signal of a parent's death is lost where credentials change.
TEST_F(KernelTest, TheDelegateDiesWithItsProcess) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t asker = fork();
  if (asker == 0) {
    const DelegateKernel kernel(lookup_identity("www-data").value, true);
    const pid_t delegate = new_child({});
    // Its end of the socket stays open elsewhere, as where another child was forked meanwhile.
    if (fork() == 0) {
      pause();
      _exit(0);
    }
    (void)!write(ends[1], &delegate, sizeof delegate);
    pause();
    _exit(0);
  }
  pid_t delegate = -1;
  ASSERT_EQ(read(ends[0], &delegate, sizeof delegate), static_cast<ssize_t>(sizeof delegate));
  ASSERT_GT(delegate, 0);
  std::vector<pid_t> others;
  {
    const std::string pid = std::to_string(asker);
    std::ifstream list("/proc/" + pid + "/task/" + pid + "/children");
    others.assign(std::istream_iterator<pid_t>(list), {});
  }
  kill(asker, SIGKILL);
  waitpid(asker, nullptr, 0);
  const std::string status = "/proc/" + std::to_string(delegate) + "/status";
  EXPECT_TRUE(test::poll_until([&] {
    std::ifstream file(status);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return text.empty() || text.find("State:\tZ") != std::string::npos;
  }));
  for (const pid_t other : others) {
    if (other != delegate) kill(other, SIGKILL);
  }
  close(ends[0]);
  close(ends[1]);
}

/// Somebody who stops every one of them gets no answer made up for him, and no endless wait.
TEST_F(HostileUser, WhatIsNeverAnsweredIsLost) {
  const pid_t hunter = fork();
  if (hunter == 0) {
    test::become_user("www-data");
    while (true) {
      const std::string pid = std::to_string(getppid());
      std::ifstream list("/proc/" + pid + "/task/" + pid + "/children");
      for (pid_t each; list >> each;) {
        if (each != getpid()) kill(each, SIGSTOP);
      }
    }
  }
  bool lost = false;
  for (int i = 0; i < 10'000 && !lost; ++i) {
    const KernelAnswer answer = kernel_->may_access(denied_, kExecute);
    lost = answer.lost();
    EXPECT_TRUE(lost || answer.error == EACCES);
  }
  EXPECT_TRUE(lost);
  kill(hunter, SIGKILL);
  waitpid(hunter, nullptr, 0);
}

}  // namespace
}  // namespace permguard
