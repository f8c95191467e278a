// SPDX-License-Identifier: Apache-2.0
//
// A file with chattr(1)'s i or a: its verdict is an ordinary one, its remedy is no plain command.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/audit.h"
#include "core/checker.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Sets one inode flag for as long as it lives.
class InodeFlag {
 public:
  InodeFlag(const std::string& path, int flag) : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    done_ = ioctl(file_, FS_IOC_GETFLAGS, &before_) == 0 && set(before_ | flag);
  }
  ~InodeFlag() {
    if (done_) set(before_);
    close(file_);
  }
  InodeFlag(const InodeFlag&) = delete;
  InodeFlag& operator=(const InodeFlag&) = delete;

  bool done() const { return done_; }

 private:
  bool set(int flags) const { return ioctl(file_, FS_IOC_SETFLAGS, &flags) == 0; }

  int file_;
  int before_ = 0;
  bool done_ = false;
};

struct DriftSink : AuditSink {
  void examined(const std::string&, std::vector<Finding> findings) override {
    for (const Finding& finding : findings) {
      if (finding.code == Code::mode_drift) advice = finding.remedy.advice;
    }
  }
  void unexamined(const std::string&, int) override {}
  void truncated(const std::string&) override {}
  std::string advice;
};

class ImmutableTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to set inode flags";
    question_.target = tree_.write("a.cgi", "#!/bin/sh\n", 0646);
    question_.who = lookup_identity("www-data").value;
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
  Question question_;
};

TEST_P(ImmutableTest, ACommandThatWouldFailIsAdvice) {
  const Examiner examiner{filesystem_, names_, nullptr, surroundings_};
  {
    const InodeFlag flag(question_.target, GetParam());
    if (!flag.done()) GTEST_SKIP() << "this file system has no inode flags";
    ASSERT_EQ(chmod(question_.target.c_str(), 0755), -1);
    const Diagnosis diagnosis = diagnose(examiner, question_);
    ASSERT_EQ(diagnosis.findings.size(), 1U);
    EXPECT_EQ(diagnosis.findings[0].code, Code::not_executable);
    EXPECT_THAT(diagnosis.findings[0].remedy.steps, IsEmpty());
    EXPECT_THAT(diagnosis.findings[0].remedy.advice, HasSubstr("chattr -ia, then chmod a+x"));
    const auto risk = risks(examiner, question_, diagnosis.chain.at(0).walk).at(0);
    EXPECT_THAT(risk.remedy.advice, HasSubstr("chattr -ia, then chmod o-w"));
    AuditOptions options;
    options.all = true;
    options.desired.mode = 0755;
    DriftSink sink;
    audit({filesystem_, names_, surroundings_, {}, question_.who, ""}, {question_.target}, options,
          1, sink);
    EXPECT_THAT(sink.advice, HasSubstr("chattr -ia, then chmod 0755"));
  }
  EXPECT_EQ(diagnose(examiner, question_).findings.at(0).remedy.steps.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Flags, ImmutableTest, testing::Values(FS_IMMUTABLE_FL, FS_APPEND_FL));

}  // namespace
}  // namespace permguard
