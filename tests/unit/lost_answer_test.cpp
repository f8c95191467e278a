// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a question whose answer is lost: nobody is called healthy for it.
#include <gtest/gtest.h>

#include <cerrno>

#include "core/audit.h"
#include "core/unexamined.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

/// As a delegate that its user stops whenever he sees it.
class StoppedKernel : public Kernel {
 public:
  KernelAnswer may_access(const std::string&, Permissions) const override { return lost(); }
  KernelAnswer may_execute(const std::string&) const override { return lost(); }

 private:
  static KernelAnswer lost() { return {KernelAnswer::Kind::lost, ETIMEDOUT}; }
};

class Sink : public AuditSink {
 public:
  void examined(const std::string&, std::vector<Finding> more) override {
    findings.insert(findings.end(), more.begin(), more.end());
  }
  void unexamined(const std::string&, int error) override { errors.push_back(error); }
  void truncated(const std::string&) override {}

  std::vector<Finding> findings;
  std::vector<int> errors;
};

class LostAnswer : public ::testing::Test {
 protected:
  Question question(const std::string& path) const {
    Question question;
    question.target = path;
    question.who = {.uid = 4711, .gid = 4711, .name = "tenant"};
    return question;
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
  StoppedKernel kernel_;
  Examiner examiner_{filesystem_, names_, &kernel_, surroundings_};
};

TEST_F(LostAnswer, IsNoHealth) {
  const Diagnosis diagnosis =
      diagnose(examiner_, question(tree_.write("a.cgi", "#!/bin/sh\n", 0755)));
  EXPECT_EQ(unexamined(diagnosis), ETIMEDOUT);
  EXPECT_NE(unexamined_words(ETIMEDOUT).find("was stopped"), std::string::npos);
}

TEST_F(LostAnswer, LeavesDenialsModelled) {
  const Diagnosis diagnosis =
      diagnose(examiner_, question(tree_.write("a.cgi", "#!/bin/sh\n", 0700)));
  ASSERT_FALSE(diagnosis.findings.empty());
  EXPECT_EQ(diagnosis.findings[0].code, Code::execute_denied);
  EXPECT_EQ(diagnosis.findings[0].certainty, Certainty::modelled);
}

TEST_F(LostAnswer, IsUnexaminedInAnAudit) {
  tree_.write("a.cgi", "#!/bin/sh\n", 0755);
  Auditor auditor{filesystem_,      names_,
                  surroundings_,    [] { return std::make_unique<StoppedKernel>(); },
                  question("").who, "/bin"};
  Sink sink;
  audit(auditor, {tree_.root()}, {}, 1, sink);
  EXPECT_EQ(sink.errors, std::vector<int>{ETIMEDOUT});
  EXPECT_TRUE(sink.findings.empty());
}

}  // namespace
}  // namespace permguard
