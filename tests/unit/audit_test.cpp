// SPDX-License-Identifier: Apache-2.0
#include "core/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "support/process.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class Collector : public AuditSink {
 public:
  void examined(const std::string& path, std::vector<Finding> findings) override {
    std::vector<std::string>& codes = seen[path];
    for (const Finding& finding : findings) {
      codes.push_back((finding.role == Role::socket ? "socket-" : "") +
                      std::string(name_of(finding.code)) +
                      (finding.severity == Severity::error ? "" : "?"));
    }
  }
  void unexamined(const std::string& path, int error) override { refused[path] = error; }
  void truncated(const std::string& directory) override { cut.insert(directory); }
  bool go_on() override { return budget-- > 0; }

  std::map<std::string, std::vector<std::string>> seen;
  std::map<std::string, int> refused;
  std::set<std::string> cut;
  int budget = 1 << 30;
};

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root to examine with another user's rights";
    }
  }

  std::string bind_socket(const std::string& name, mode_t mode) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    tree_.path(name).copy(address.sun_path, sizeof address.sun_path - 1);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(listener);
    tree_.chmod(name, mode);
    return tree_.path(name);
  }

  Collector run(const AuditOptions& options = {}, unsigned jobs = 1) {
    Collector collector;
    run_with(collector, {tree_.root()}, options, jobs);
    return collector;
  }

  void run_with(Collector& collector, const std::vector<std::string>& roots,
                const AuditOptions& options = {}, unsigned jobs = 1) {
    const Identity who = lookup_identity("www-data").value;
    const Auditor auditor{
        filesystem_,   names_,
        surroundings_, [who] { return std::make_unique<DelegateKernel>(who, true); },
        who,           "/usr/bin:/bin"};
    audit(auditor, roots, options, jobs, collector);
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
};

constexpr const char* kScript = "#!/bin/sh\necho\n";

TEST_F(AuditTest, FilesWithAnExecuteBitOrAShebangCount) {
  tree_.write("a/good.cgi", kScript, 0755);
  tree_.write("a/plain.cgi", kScript, 0644);
  tree_.write("readme.txt", "words", 0644);
  tree_.write("program", "words", 0755);
  EXPECT_THAT(run().seen,
              UnorderedElementsAre(Pair(tree_.path("a/good.cgi"), IsEmpty()),
                                   Pair(tree_.path("a/plain.cgi"), ElementsAre("not-executable")),
                                   Pair(tree_.path("program"), ElementsAre("no-shebang"))));
}

TEST_F(AuditTest, AllTakesEveryRegularFile) {
  tree_.write("readme.txt", "words", 0644);
  AuditOptions options;
  options.all = true;
  EXPECT_THAT(run(options).seen, Contains(Pair(tree_.path("readme.txt"),
                                               ElementsAre("not-executable", "no-shebang"))));
}

TEST_F(AuditTest, NeedReadAsksForReading) {
  tree_.write("a.php", "<?php", 0644);
  tree_.write("b.php", "<?php", 0600);
  AuditOptions options;
  options.need = Need::read;
  EXPECT_THAT(run(options).seen,
              UnorderedElementsAre(Pair(tree_.path("a.php"), IsEmpty()),
                                   Pair(tree_.path("b.php"), ElementsAre("read-denied"))));
}

TEST_F(AuditTest, NeedConnectAsksTheSockets) {
  tree_.write("a.cgi", kScript, 0755);
  const std::string open = bind_socket("open.sock", 0666);
  const std::string shut = bind_socket("shut.sock", 0660);
  AuditOptions options;
  options.need = Need::connect;
  EXPECT_THAT(run(options).seen,
              UnorderedElementsAre(Pair(open, IsEmpty()),
                                   Pair(shut, ElementsAre("socket-connect-denied"))));
}

/// A 0711 program runs; a script of that mode would not. Only a watch takes it for a script.
TEST_F(AuditTest, WhatMayBeAProgramIsUnexamined) {
  const std::string program = tree_.write("a", kScript, 0711);
  EXPECT_EQ(test::run_as("www-data",
                         [&] {
                           const Auditor auditor{
                               filesystem_,        names_,
                               surroundings_,      [] { return std::make_unique<AccessKernel>(); },
                               current_identity(), "/bin"};
                           Collector collector;
                           audit(auditor, {tree_.root()}, {}, 1, collector);
                           AuditOptions counting;
                           counting.unreadable_counts = true;
                           Collector all;
                           audit(auditor, {tree_.root()}, counting, 1, all);
                           const bool undecided = collector.seen[program].empty() &&
                                                  collector.refused[program] == EACCES;
                           return (undecided ? 0 : 1) + (all.seen[program].empty() ? 2 : 0);
                         }),
            0);
}

TEST_F(AuditTest, RisksAreWarningsUnlessForbidden) {
  const std::string script = tree_.write("a.cgi", kScript, 0757);
  EXPECT_THAT(run().seen[script], ElementsAre("world-writable?"));
  AuditOptions options;
  options.forbidden = {Code::world_writable};
  EXPECT_THAT(run(options).seen[script], ElementsAre("world-writable"));
}

TEST_F(AuditTest, OddFilesNeitherBlockNorLoop) {
  ASSERT_EQ(mkfifo(tree_.path("fifo").c_str(), 0777), 0);
  tree_.symlink(".", "loop");
  tree_.symlink("ring", "ring");
  tree_.symlink("nowhere", "lost");
  tree_.write("real/good.cgi", kScript, 0755);
  tree_.symlink("real/good.cgi", "link.cgi");
  EXPECT_THAT(run({}, 2).seen,
              UnorderedElementsAre(Pair(tree_.path("real/good.cgi"), IsEmpty()),
                                   Pair(tree_.path("link.cgi"), IsEmpty()),
                                   Pair(tree_.path("ring"), ElementsAre("symlink-loop")),
                                   Pair(tree_.path("lost"), ElementsAre("dangling-symlink"))));
}

TEST_F(AuditTest, MoreNamesThanAllowedAreSaid) {
  for (int i = 0; i < 5; ++i) {
    tree_.write("f" + std::to_string(i), kScript, 0755);
  }
  AuditOptions options;
  options.most_names = 3;
  const Collector collector = run(options);
  EXPECT_EQ(collector.seen.size(), 3U);
  EXPECT_THAT(collector.cut, ElementsAre(tree_.root()));
}

TEST_F(AuditTest, TheSinkEndsIt) {
  for (int i = 0; i < 50; ++i) {
    tree_.write("f" + std::to_string(i), kScript, 0755);
  }
  Collector collector;
  collector.budget = 11;
  run_with(collector, {tree_.root()});
  EXPECT_EQ(collector.seen.size(), 10U);
}

TEST_F(AuditTest, NamedFilesAreExaminedAndMissingOnesSaid) {
  const std::string plain = tree_.write("plain.txt", "words", 0644);
  Collector collector;
  run_with(collector, {plain, tree_.path("none")});
  EXPECT_THAT(collector.seen[plain], ElementsAre("not-executable", "no-shebang"));
  EXPECT_THAT(collector.refused, ElementsAre(Pair(tree_.path("none"), ENOENT)));
}

TEST_F(AuditTest, SeveralJobsFindTheSame) {
  for (int i = 0; i < 200; ++i) {
    const std::string name = "d" + std::to_string(i % 17) + "/f" + std::to_string(i);
    tree_.write(name, kScript, i % 3 == 0 ? 0644 : 0755);
  }
  const Collector one = run({}, 1);
  EXPECT_EQ(one.seen.size(), 200U);
  EXPECT_EQ(run({}, 4).seen, one.seen);
}

/// A handler is for *.cgi: those count, whatever they look like, and no others.
TEST_F(AuditTest, NamesOfAHandlerChooseTheFiles) {
  tree_.write("page.html", "<p>", 0755);
  const std::string script = tree_.write("a.cgi", "words", 0644);
  AuditOptions options;
  options.names.handled.extensions = {"cgi"};
  EXPECT_THAT(run(options).seen, IsEmpty()) << "neither x bit nor #!";
  options.all = true;
  EXPECT_THAT(run(options).seen,
              ElementsAre(Pair(script, ElementsAre("not-executable", "no-shebang"))));
}

/// What the one who looks cannot read or reach is told by somebody.
TEST_F(AuditTest, WhatCannotBeSeenIsNeverSilent) {
  tree_.write("home/a.cgi", kScript, 0755);
  tree_.chmod("home", 0700);
  tree_.symlink(tree_.path("home/a.cgi"), "link.cgi");
  tree_.write("private.cgi", kScript, 0600);
  tree_.write("names-only/a.cgi", kScript, 0755);
  tree_.chmod("names-only", 0744);
  EXPECT_EQ(
      test::run_as("www-data",
                   [this] {
                     Collector collector;
                     const Auditor auditor{
                         filesystem_,        names_,
                         surroundings_,      [] { return std::make_unique<AccessKernel>(); },
                         current_identity(), "/bin"};
                     audit(auditor, {tree_.root()}, {}, 1, collector);
                     const bool link = collector.seen[tree_.path("link.cgi")] ==
                                       std::vector<std::string>{"search-denied"};
                     const bool unsearchable = collector.seen[tree_.path("names-only/a.cgi")] ==
                                               std::vector<std::string>{"search-denied"};
                     const bool unread = collector.refused[tree_.path("private.cgi")] == EACCES &&
                                         collector.refused[tree_.path("names-only")] == EACCES;
                     AuditOptions counting;
                     counting.unreadable_counts = true;
                     Collector all;
                     audit(auditor, {tree_.root()}, counting, 1, all);
                     const bool counted = !all.seen[tree_.path("private.cgi")].empty();
                     return (link ? 0 : 1) + (unsearchable ? 0 : 2) + (unread ? 0 : 4) +
                            (counted ? 0 : 8);
                   }),
      0);
}

/// Files and directories come and go and change all the time; the rest is examined as ever.
TEST_F(AuditTest, WhatVanishesMeanwhileIsNoFinding) {
  for (int i = 0; i < 50; ++i) tree_.write("d/" + std::to_string(i) + ".cgi", kScript, 0755);
  test::TempTree elsewhere;
  elsewhere.write("new.cgi", kScript, 0755);
  elsewhere.write("new/a.cgi", kScript, 0755);
  std::jthread restless([&](const std::stop_token& stop) {
    for (unsigned i = 0; !stop.stop_requested(); ++i) {
      const std::string name = i % 2 == 0 ? "new.cgi" : "new";
      const std::string here = tree_.path("d/" + std::to_string(i % 7) + name);
      std::filesystem::rename(elsewhere.path(name), here);
      std::filesystem::rename(here, elsewhere.path(name));
    }
  });
  for (int i = 0; i < 60; ++i) {
    const Collector collector = run({}, 1 + static_cast<unsigned>(i) % 3);
    EXPECT_GE(collector.seen.size(), 50U);
    EXPECT_THAT(collector.refused, IsEmpty());
    for (const auto& [path, codes] : collector.seen) EXPECT_THAT(codes, IsEmpty()) << path;
  }
}

/// Somebody replaces a file by unlink and create: it is there, gone for a moment, and there.
TEST_F(AuditTest, WhatIsGoneForAMomentIsLookedAtAgain) {
  class Flickering : public SystemFilesystem {
   public:
    explicit Flickering(std::string path) : path_(std::move(path)) {}
    Result<FileStatus> status(const std::string& path) const override {
      if (path == path_ && ++looks_ == 2) return failure<FileStatus>(ENOENT);
      return SystemFilesystem::status(path);
    }

   private:
    std::string path_;
    mutable int looks_ = 0;
  };
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  const Flickering files(script);
  const Auditor auditor{files,
                        names_,
                        surroundings_,
                        [] { return nullptr; },
                        lookup_identity("www-data").value,
                        "/usr/bin:/bin"};
  Collector collector;
  audit(auditor, {tree_.root()}, {}, 1, collector);
  EXPECT_THAT(collector.seen, ElementsAre(Pair(script, IsEmpty())));
}

/// More directories than may wait: the rest is entered at once, and nothing is lost.
TEST_F(AuditTest, ManyDirectoriesDoNotWaitAllAtOnce) {
  for (int i = 0; i < 4200; ++i) {
    ASSERT_EQ(mkdir(tree_.path("d" + std::to_string(i)).c_str(), 0755), 0);
  }
  tree_.write("d0/a.cgi", kScript, 0755);
  tree_.write("d4199/deep/b.cgi", kScript, 0755);
  EXPECT_EQ(run({}, 2).seen.size(), 2U);
}

TEST_F(AuditTest, ADirectoryThatCannotBeListedIsAFinding) {
  tree_.write("locked/a.cgi", kScript, 0755);
  tree_.chmod("locked", 0711);
  const int failures = test::run_as("www-data", [this] {
    Collector collector;
    const Identity who = current_identity();
    const Auditor auditor{filesystem_,   names_,
                          surroundings_, [] { return std::make_unique<AccessKernel>(); },
                          who,           "/bin"};
    audit(auditor, {tree_.root()}, {}, 1, collector);
    const bool found =
        collector.seen[tree_.path("locked")] == std::vector<std::string>{"not-listable?"};
    return found && collector.refused[tree_.path("locked")] == EACCES ? 0 : 1;
  });
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace permguard
