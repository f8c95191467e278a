// SPDX-License-Identifier: Apache-2.0
//
// A path that changes while it is looked at: deployments at full speed between two healthy states.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

#include "core/checker.h"
#include "core/second_look.h"
#include "support/fake_filesystem.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

constexpr int kQuestions = 4000;

/// Does something over and over, in a thread, while it lives.
class Meanwhile {
 public:
  explicit Meanwhile(std::function<void()> change)
      : thread_([this, change = std::move(change)] {
          while (!over_) {
            change();
            ++changes_;
          }
        }) {}
  ~Meanwhile() { stop(); }
  /// How many changes there were.
  int stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    return changes_;
  }

 private:
  std::atomic<bool> over_ = false;
  std::atomic<int> changes_ = 0;
  std::thread thread_;
};

class SecondLook : public ::testing::Test {
 protected:
  /// Whether a request for cgi/a.cgi may be refused.
  bool is_refused() {
    Question question;
    question.target = tree_.path("cgi/a.cgi");
    question.who = current_identity();
    question.search_path = "/usr/bin:/bin";
    const Examiner examiner{files_, names_, &kernel_, around_};
    if (passes(examiner, question)) return false;
    const Diagnosis diagnosis = diagnose(examiner, question);
    unsettled_ += diagnosis.unsettled;
    const Finding* lead = diagnosis.lead();
    if (lead == nullptr || lead->certainty == Certainty::modelled) return false;
    last_ = std::string(name_of(lead->role)) + "-" + name_of(lead->code) + " " + lead->path;
    return true;
  }

  void expect_never_refused(std::function<void()> change) {
    ASSERT_FALSE(is_refused()) << last_;
    Meanwhile changing(std::move(change));
    int refused = 0;
    for (int i = 0; i < kQuestions; ++i) refused += is_refused();
    EXPECT_GT(changing.stop(), kQuestions / 10);
    EXPECT_EQ(refused, 0) << last_;
    RecordProperty("unsettled", unsettled_);
  }

  /// Exchanges two names of the tree, as an atomic deployment does.
  std::function<void()> exchange(const std::string& one, const std::string& other) {
    return [one = tree_.path(one), other = tree_.path(other)] {
      renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    };
  }

  void copy(const std::string& from, const std::string& to) {
    std::filesystem::create_directories(std::filesystem::path(tree_.path(to)).parent_path());
    std::filesystem::copy_file(from, tree_.path(to));
    tree_.chmod(to, 0755);
  }

  test::TempTree tree_;
  SystemFilesystem files_;
  SystemNames names_;
  AccessKernel kernel_;
  Surroundings around_ = read_surroundings();
  std::string last_;
  int unsettled_ = 0;
};

TEST_F(SecondLook, AScriptThatAlternatesWithAProgram) {
  tree_.write("cgi/a.cgi", "#!/bin/sh\necho ok\n", 0755);
  copy("/bin/true", "cgi/b.cgi");
  expect_never_refused(exchange("cgi/a.cgi", "cgi/b.cgi"));
}

TEST_F(SecondLook, AnInterpreterThatAlternates) {
  tree_.write("cgi/a.cgi", "#!" + tree_.path("bin/i") + "\n", 0755);
  tree_.write("bin/i", "#!/bin/sh\n", 0755);
  copy("/bin/true", "bin/j");
  expect_never_refused(exchange("bin/i", "bin/j"));
}

TEST_F(SecondLook, DirectoriesWithInterpretersOfTheirOwn) {
  tree_.write("cgi/a.cgi", "#!" + tree_.path("cgi/one") + "\n", 0755);
  copy("/bin/true", "cgi/one");
  tree_.write("next/a.cgi", "#!" + tree_.path("cgi/two") + "\n", 0755);
  copy("/bin/true", "next/two");
  expect_never_refused(exchange("cgi", "next"));
}

TEST_F(SecondLook, ALinkToTheCurrentRelease) {
  for (const std::string release : {"r1", "r2"}) {
    tree_.write(release + "/a.cgi", "#!" + tree_.path("cgi/i-" + release) + "\n", 0755);
    copy("/bin/true", release + "/i-" + release);
  }
  tree_.symlink("r1", "cgi");
  bool second = false;
  expect_never_refused([&, next = tree_.path("next"), link = tree_.path("cgi")] {
    second = !second;
    (void)!symlink(second ? "r2" : "r1", next.c_str());
    std::rename(next.c_str(), link.c_str());
  });
}

/// Not by way of an empty file, which exec would refuse as well.
TEST_F(SecondLook, AFileThatIsWrittenInPlace) {
  const std::string file = tree_.write("cgi/a.cgi", "#!/bin/sh\n", 0755);
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  bool second = false;
  expect_never_refused([&] {
    second = !second;
    (void)!pwrite(fd, second ? "#!/bin/ls\n" : "#!/bin/sh\n", 10, 0);
  });
  close(fd);
}

TEST_F(SecondLook, ACommandThatComesAndGoesElsewhere) {
  tree_.write("cgi/a.cgi", "#!/usr/bin/env -S PATH=" + tree_.path("bin") + " tool\n", 0755);
  for (const char* directory : {"bin", "other"})
    copy("/bin/true", directory + std::string("/tool"));
  expect_never_refused(exchange("bin", "other"));
}

TEST_F(SecondLook, AFaultThatStaysIsCertainAtOnce) {
  tree_.write("cgi/a.cgi", "#!/bin/sh\n", 0644);
  EXPECT_TRUE(is_refused());
  EXPECT_EQ(unsettled_, 0);
}

/// What another machine's clock has stamped is judged like anything else.
TEST(SecondLookAt, AFileFromTheFuture) {
  test::FakeFilesystem files;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  files.file("/srv/a.cgi", "text").mode(0755).changed(now.tv_sec + 3600);
  const SystemNames names;
  const Surroundings around;
  Question question;
  question.target = "/srv/a.cgi";
  const Diagnosis diagnosis = diagnose({files, names, nullptr, around}, question);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].code, Code::no_shebang);
  EXPECT_FALSE(diagnosis.unsettled);
}

}  // namespace
}  // namespace permguard
