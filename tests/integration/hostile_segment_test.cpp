// SPDX-License-Identifier: Apache-2.0
//
// What a process of httpd can write into the memory that all of them share is hostile input for
// the others: for the parent, which is root, and for its siblings. CVE-2019-0211 was of this kind.
// PERMGUARD_LONG=1 attacks thirty times as long, which is more than ctest gives a test: run the
// program itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <sstream>
#include <thread>

#include "integration/hostile_server.h"

namespace permguard::test {
namespace {

constexpr std::uint64_t kHighest = std::uint64_t{1} << 63;

struct Word {
  std::uintptr_t address = 0;
  std::uint64_t value = 0;
};

std::string text_of(const Word& word) {
  std::ostringstream text;
  text << std::hex << word.address << ' ' << word.value;
  return text.str();
}

/// Numbers that an index, a length, an offset, a time or a pointer should not be.
std::vector<std::uint64_t> hostile_values(const Mapping& segment) {
  return {0,
          1,
          2,
          301,
          segment.size() - 8,
          segment.size() + 8,
          std::uint64_t{1} << 16,
          std::uint64_t{1} << 31,
          std::uint64_t{1} << 32,
          kHighest - 1,
          kHighest,
          ~std::uint64_t{0},
          ~std::uint64_t{7},
          segment.begin,
          segment.end,
          0x4141414141414141};
}

const Mapping& largest(const std::vector<Mapping>& segments) {
  return *std::ranges::max_element(segments, {}, &Mapping::size);
}

/// The words that are in use, with what they hold.
std::vector<Word> used_words(HostileServer& server) {
  std::vector<Word> used;
  std::istringstream lines(server.attack("words"));
  lines >> std::hex;
  for (Word word; lines >> word.address >> word.value;) used.push_back(word);
  EXPECT_GT(used.size(), 50U);
  return used;
}

/// A little off what a word held.
std::uint64_t forged(std::uint64_t value, std::uint64_t random) {
  switch (random % 5) {
    case 0:
      return value + 1;
    case 1:
      return value - 1;
    case 2:
      return ~value;
    case 3:
      return value << 1;
    default:
      return value ^ (std::uint64_t{1} << ((random >> 8) % 64));
  }
}

/// What to store where: every value in each of the first words; then in any word, and in words that
/// are in use any value or nearly what they held.
std::vector<Word> plan(HostileServer& server, std::size_t first, std::size_t further) {
  std::vector<Word> words;
  const std::vector<Mapping> segments = server.segments();
  const Mapping& main = largest(segments);
  const std::vector<std::uint64_t> values = hostile_values(main);
  for (const std::uint64_t value : values) {
    for (std::size_t i = 0; i < first; ++i) words.push_back({main.begin + i * 8, value});
  }
  static std::mt19937_64 random(
      static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()));
  const std::vector<Word> used = used_words(server);
  for (std::size_t i = 0; i < further && !used.empty(); ++i) {
    const Mapping& segment = segments[random() % segments.size()];
    const std::uint64_t value = values[random() % values.size()];
    const Word word = used[random() % used.size()];
    if (i % 4 == 0) {
      words.push_back({segment.begin + random() % (segment.size() / 8) * 8, value});
    } else {
      words.push_back({word.address, i % 2 == 0 ? value : forged(word.value, random())});
    }
  }
  return words;
}

class HostileSegment : public testing::TestWithParam<Stage> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: the parent is the one to protect";
    server.prepare();
  }

  HostileServer server{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Stage, HostileSegment,
                         testing::Values(Stage::event, Stage::prefork, Stage::itk),
                         [](const auto& stage) { return name_of(stage.param); });

bool is_guard(const Mapping& neighbour, std::uintptr_t address) {
  const bool adjacent = neighbour.begin == address || neighbour.end == address;
  return !adjacent || neighbour.permissions == "---p";
}

/// The test itself is sound: without an attack the same questions find nothing, and whoever reads
/// or writes beyond the segment meets a guard.
TEST_P(HostileSegment, NobodyAttacks) {
  const std::vector<Mapping> mappings = mappings_in(server.get("/hostile?maps").body);
  const Mapping segment = largest(server.segments());
  for (const Mapping& neighbour : mappings) {
    if (neighbour.begin == segment.begin) continue;
    EXPECT_TRUE(is_guard(neighbour, segment.begin)) << neighbour.file;
    EXPECT_TRUE(is_guard(neighbour, segment.end)) << neighbour.file;
  }
  server.expect_survives();
}

TEST_P(HostileSegment, OverwrittenAsAWhole) {
  for (const char* pattern : {"zeros", "ones", "letters", "random"}) {
    SCOPED_TRACE(pattern);
    server.attack("fill=" + std::string(pattern));
    server.expect_serves();
    server.attack("fill=" + std::string(pattern));  // what the requests have mended
    server.expect_survives();
    if (HasFailure()) break;
  }
}

/// What one request or one restart costs is bounded for the largest table, too.
TEST(HostileSegmentSize, TheLargestTable) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: the parent is the one to protect";
  HostileServer server(Stage::event,
                       "<IfModule permguard_module>\nPermGuardIncidents 65536\n"
                       "</IfModule>\n");
  server.prepare();
  constexpr std::size_t kMost = std::size_t{24} << 20;  // the whole has more than a gigabyte
  for (const char* pattern : {"ones", "letters", "random"}) {
    SCOPED_TRACE(pattern);
    server.attack("fill=" + std::string(pattern), "plain", kMost);
    server.expect_survives();
    if (testing::Test::HasFailure()) break;
  }
}

/// By the child that serves the request, for the time of that request.
TEST_P(HostileSegment, EachWordWhileRequestsRun) {
  const std::vector<Word> words = plan(server, 30 * effort(), 500 * effort());
  for (std::size_t i = 0; i < words.size() && !HasFailure(); ++i) {
    const std::string text = text_of(words[i]);
    SCOPED_TRACE(text);
    const std::vector<std::string> header = {"X-Hostile-Word: " + text};
    server.expect_answer(500, "/cgi-bin/broken.cgi", header);
    if (i % 2 == 0) server.expect_answer(200, "/permguard-status?json", header);
    if (i % 128 == 0) server.expect_serves();
  }
  server.expect_survives();
}

/// In copies of the parent, at the moment in which the parent itself would do it.
std::string harm_at_a_restart(HostileServer& server, const std::vector<Word>& words,
                              const std::string& kind) {
  std::string sweep;
  for (const Word& word : words) sweep += text_of(word) + ' ' + kind + '\n';
  server.tree().write("rt/sweep", sweep);
  server.graceful();
  std::istringstream results(server.tree().read("rt/sweep.result"));
  std::size_t done = 0;
  std::string harm;
  for (std::string line; std::getline(results, line); ++done) {
    if (!line.ends_with(" ok") && !line.ends_with(" gone")) harm += line + '\n';
  }
  EXPECT_EQ(done, words.size() + 3) << "three copies without a change come first";
  return harm;
}

TEST_P(HostileSegment, EachWordAtARestart) {
  for (std::size_t i = 0; i < effort() && !HasFailure(); ++i) {
    EXPECT_EQ(harm_at_a_restart(server, plan(server, 12, 60), "switches"), "");
    EXPECT_EQ(harm_at_a_restart(server, plan(server, 4, 40), "stays"), "");
  }
  server.expect_survives();
}

/// The answers that other clients get meanwhile, restarts included.
class Clients {
 public:
  explicit Clients(HostileServer& server) : server_(server), thread_([this] { work(); }) {}
  ~Clients() {
    ending_ = true;
    thread_.join();
    EXPECT_EQ(wrong_, 0);
    EXPECT_GT(right_, 0);
  }

 private:
  void work() {
    while (!ending_) {
      count(server_.get("/cgi-bin/broken.cgi").status, 500);
      count(server_.get("/permguard-status?json").status, 200);
      count(server_.get("/").status, 200);
    }
  }
  /// Status 0: httpd closed the connection while it restarted, as it may.
  void count(int status, int expected) {
    if (status == expected) ++right_;
    if (status != expected && status != 0) ++wrong_;
  }

  HostileServer& server_;
  std::atomic<bool> ending_{false};
  std::atomic<int> right_{0};
  std::atomic<int> wrong_{0};
  std::thread thread_;
};

TEST_P(HostileSegment, ScribbledAtFullSpeed) {
  const HostileServer::Scribbler scribbler(server);
  const Clients clients(server);
  for (std::size_t i = 0; i < 4 * effort() && !HasFailure(); ++i) server.expect_survives();
}

}  // namespace
}  // namespace permguard::test
