// SPDX-License-Identifier: Apache-2.0
//
// What one examination of a healthy script below six directories costs, as a multiple of one
// faccessat2(2) of the same path in the same run: passes(), the check of every request that
// could not be answered from a remembered verdict, and diagnose(), the whole walk.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "core/checker.h"

namespace {

using namespace permguard;

/// /tmp/XXXXXX/a/b/c/script: six components. Gone with the object.
class ScriptTree {
 public:
  ScriptTree() {
    if (mkdtemp(root_.data()) == nullptr) std::abort();
    std::string path = root_.data();
    chmod(path.c_str(), 0755);
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      path += kNames[i];
      directories_[i] = path;
      if (mkdir(path.c_str(), 0755) != 0) std::abort();
    }
    script_ = path + "/script";
    const int fd = open(script_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    constexpr std::string_view kBody = "#!/bin/sh\necho\n";
    if (fd < 0 || write(fd, kBody.data(), kBody.size()) < 0) std::abort();
    close(fd);
  }

  ~ScriptTree() {
    unlink(script_.c_str());
    for (std::size_t i = kNames.size(); i > 0; --i) rmdir(directories_[i - 1].c_str());
    rmdir(root_.data());
  }

  ScriptTree(const ScriptTree&) = delete;
  ScriptTree& operator=(const ScriptTree&) = delete;

  const std::string& script() const { return script_; }

 private:
  static constexpr std::array<const char*, 3> kNames = {"/a", "/b", "/c"};
  std::array<char, 32> root_ = {"/tmp/permguard-bench.XXXXXX"};
  std::array<std::string, kNames.size()> directories_;
  std::string script_;
};

/// Everything diagnose() needs, for the calling user.
struct Subject {
  ScriptTree tree;
  SystemFilesystem filesystem;
  SystemNames names;
  AccessKernel kernel;
  Surroundings surroundings = read_surroundings();
  Examiner examiner{filesystem, names, &kernel, surroundings};
  Question question;

  Subject() {
    question.target = tree.script();
    question.who = current_identity();
    question.search_path = "/usr/local/bin:/usr/bin:/bin";
    if (!diagnose(examiner, question).healthy() || !passes(examiner, question)) {
      std::fprintf(stderr, "the script is not healthy\n");
      std::abort();
    }
  }
};

constexpr const char* kCall = "faccessat2";

/// Prints each result as a multiple of kCall's, which runs first.
class Multiples : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const double time = run.GetAdjustedRealTime();
      if (run.run_name.function_name == kCall) call_ = time;
      std::printf("%-12s %10.0f ns %8.1f x %s\n", run.run_name.function_name.c_str(), time,
                  call_ > 0 ? time / call_ : 0.0, kCall);
    }
  }

 private:
  double call_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Subject subject;
  benchmark::Initialize(&argc, argv);
  benchmark::RegisterBenchmark(kCall, [&](benchmark::State& state) {
    for (auto _ : state)
      benchmark::DoNotOptimize(effective_access(subject.question.target.c_str(), kExecute));
  });
  benchmark::RegisterBenchmark("passes", [&](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(passes(subject.examiner, subject.question));
  });
  benchmark::RegisterBenchmark("diagnose", [&](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(diagnose(subject.examiner, subject.question));
  });
  Multiples multiples;
  benchmark::RunSpecifiedBenchmarks(&multiples);
}
