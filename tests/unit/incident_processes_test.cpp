// SPDX-License-Identifier: Apache-2.0
// The incident table under processes and threads that work at once, and die at work.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <set>
#include <thread>

#include "unit/shared_memory.h"

namespace permguard {
namespace {

using Due = SharedState::Due;
constexpr std::int64_t kNow = 1700000000;
constexpr int kChildren = 4;

pid_t start(const std::function<void()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(50);  // a child never outlives the test's time
    work();
    _exit(0);
  }
  return pid;
}

void run_children(const std::function<void(int)>& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < kChildren; ++i) children.push_back(start([&] { work(i); }));
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

void run_threads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kChildren; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

// Tallies that survive the processes that keep them.
struct Lines {
  std::atomic<std::uint64_t> whole = 0, repeat = 0, more = 0, closed = 0, requests = 0;
};
class SharedLines {
 public:
  SharedLines() {
    void* memory =
        mmap(nullptr, sizeof(Lines), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    lines_ = new (memory) Lines;
  }
  ~SharedLines() { munmap(lines_, sizeof(Lines)); }
  Lines* operator->() { return lines_; }

 private:
  Lines* lines_;
};

SharedState::Recorded sight(SharedMemory& memory, SharedLines& lines, const Finding& finding,
                            std::int64_t now, std::int64_t interval) {
  const auto recorded = memory->record(finding, www_data(), "v", true, now, interval);
  if (recorded.due == Due::whole) ++lines->whole;
  if (recorded.due == Due::repeat) {
    ++lines->repeat;
    lines->more += recorded.more;
  }
  return recorded;
}

std::string path_of(int number) {
  return "/srv/cgi/" + std::to_string(number);
}

void expect_exact(SharedMemory& memory, SharedLines& lines, int paths, int rounds) {
  const auto views = incidents_of(memory);
  ASSERT_EQ(views.size(), static_cast<std::size_t>(paths));
  for (const IncidentView& view : views) {
    EXPECT_EQ(view.count, static_cast<std::uint64_t>(kChildren * rounds)) << view.finding.path;
  }
  EXPECT_EQ(lines->whole, static_cast<std::uint64_t>(paths));
  EXPECT_EQ(memory->counters().incidents_evicted, 0u);
}

TEST(IncidentProcesses, CountEachSightingOnceAndOpenEachIncidentOnce) {
  constexpr int kPaths = 60, kRounds = 300;
  SharedMemory memory(64);
  SharedLines lines;
  run_children([&](int) {
    for (int round = 0; round < kRounds; ++round) {
      for (int path = 0; path < kPaths; ++path) {
        sight(memory, lines, broken(path_of(path)), kNow, 60);
      }
    }
  });
  expect_exact(memory, lines, kPaths, kRounds);
  EXPECT_EQ(lines->repeat, 0u);
}

TEST(IncidentThreads, CountEachSightingOnceAndOpenEachIncidentOnce) {
  constexpr int kPaths = 30, kRounds = 100;
  SharedMemory memory(32);
  SharedLines lines;
  run_threads([&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      for (int path = 0; path < kPaths; ++path) {
        Finding finding = broken(path_of(path));
        finding.file->mode = 0600u + static_cast<unsigned>(thread);  // records change all the time
        sight(memory, lines, finding, kNow, 60);
        memory->open_incidents(finding.target, 33);
      }
    }
  });
  expect_exact(memory, lines, kPaths, kRounds);
}

// Both look for the incident, find none, and open it: as close together as it gets.
TEST(IncidentThreads, OpenOneIncidentWhereTwoMeetItAtOnce) {
  constexpr int kRounds = 20000, kThreads = 2;
  SharedMemory memory(64);
  SharedLines lines;
  std::atomic<int> arrived = 0;
  const auto meet = [&](int times) {
    ++arrived;
    while (arrived < times * kThreads) std::this_thread::yield();
  };
  const auto work = [&] {
    for (int round = 0; round < kRounds; ++round) {
      meet(2 * round + 1);
      const auto recorded = sight(memory, lines, broken(path_of(round)), kNow, 60);
      meet(2 * round + 2);
      if (memory->close(recorded.id, kNow)) ++lines->closed;
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(lines->whole, static_cast<std::uint64_t>(kRounds));
  EXPECT_EQ(lines->closed, static_cast<std::uint64_t>(kRounds));
  EXPECT_FALSE(memory->any_open());
}

// What all lines tell adds up to what was counted, and no interval has two lines.
TEST(IncidentProcesses, WriteOneLineAnInterval) {
  constexpr int kRounds = 20000, kSeconds = 100;
  SharedMemory memory(4);
  SharedLines lines;
  run_children([&](int) {
    for (int round = 0; round < kRounds; ++round) {
      const std::int64_t now = kNow + std::int64_t{round} * kSeconds / kRounds;
      sight(memory, lines, broken("/a"), now, 10);
    }
  });
  const std::uint64_t count = incidents_of(memory).at(0).count;
  EXPECT_EQ(count, std::uint64_t{kChildren} * kRounds);
  EXPECT_EQ(lines->whole, 1u);
  // A child may come an interval after the others have gone through: a clock set back.
  EXPECT_GE(lines->repeat, 9u);
  EXPECT_LT(lines->more, count);
  const auto last = sight(memory, lines, broken("/a"), kNow + 1000, 10);
  EXPECT_EQ(last.due, Due::repeat);
  EXPECT_EQ(lines->more, count);
}

TEST(IncidentProcesses, LoseNoRequestBetweenClosingAndOpeningAnew) {
  constexpr int kRounds = 3000;
  SharedMemory memory(4);
  SharedLines lines;
  run_children([&](int) {
    for (int round = 0; round < kRounds; ++round) {
      const auto recorded = sight(memory, lines, broken("/a"), kNow, 60);
      if (round % 3 != 0) continue;
      if (const auto closed = memory->close(recorded.id, kNow + 1)) {
        ++lines->closed;
        lines->requests += closed->requests;
      }
    }
  });
  std::uint64_t still_open = 0;
  for (const IncidentView& view : incidents_of(memory)) {
    if (!view.open) continue;
    still_open += view.count;
    ++lines->closed;
  }
  EXPECT_EQ(lines->requests + still_open, std::uint64_t{kChildren} * kRounds);
  EXPECT_EQ(lines->whole, lines->closed) << "each incident is told once and closed once";
}

TEST(IncidentProcesses, StayWithinAFullTable) {
  constexpr int kPaths = 40, kRounds = 100;
  SharedMemory memory(8);
  SharedLines lines;
  run_children([&](int child) {
    for (int i = 0; i < kPaths * kRounds; ++i) {
      sight(memory, lines, broken(path_of((i * 7 + child) % kPaths)), kNow, 60);
    }
  });
  const auto views = incidents_of(memory);
  std::set<std::string> paths;
  for (const IncidentView& view : views) paths.insert(view.finding.path);
  EXPECT_EQ(paths.size(), views.size()) << "no incident twice";
  EXPECT_EQ(views.size(), 8u);
  EXPECT_GT(memory->counters().incidents_evicted, 0u);
}

// Works without end: new incidents, changed records, closing, evictions.
void work_for_ever(SharedMemory& memory, int seed) {
  for (int i = seed;; ++i) {
    Finding finding = broken(path_of(i % 40));
    finding.file->mode = static_cast<unsigned>(i % 512);
    finding.detail.assign(static_cast<std::size_t>(i % 1000), 'd');
    const auto recorded = memory->record(finding, www_data(), "v", true, kNow + i, 1);
    if (i % 5 == 0) memory->close(recorded.id, kNow + i);
    if (i % 50 == 0) memory->store_watch({"/d", 1, false, {{finding, www_data()}}, kNow, 1});
  }
}

void expect_usable(SharedMemory& memory) {
  StatusSnapshot snapshot;
  memory->fill(snapshot);
  for (const IncidentView& view : snapshot.incidents) {
    EXPECT_EQ(view.finding.code, Code::not_executable);
    EXPECT_EQ(view.finding.path, view.finding.target);
    EXPECT_EQ(view.finding.detail, std::string(view.finding.detail.size(), 'd'));
  }
}

TEST(IncidentProcesses, GoOnWhenOthersAreKilledAtWork) {
  constexpr int kKills = 150;
  constexpr unsigned kPlaces = 16;
  SharedMemory memory(kPlaces);
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = start([&] { work_for_ever(memory, i * 1000); });
    usleep(static_cast<useconds_t>(500 + (i * 37) % 1500));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    expect_usable(memory);
  }
  // At once, without waiting for any claim to grow old: a new incident is counted and told.
  const auto recorded = memory->record(broken("/after"), www_data(), "v", true, kNow, 60);
  EXPECT_EQ(recorded.due, Due::whole);
  // Later every place is as good as new.
  usleep(2'100'000);
  constexpr int kHeavier = 10'000;  // than anything a killed child has left
  for (int i = 0; i < kHeavier; ++i) {
    for (unsigned place = 0; place < kPlaces; ++place) {
      const Finding finding = broken("/later" + std::to_string(place));
      memory->record(finding, www_data(), "v", true, kNow, 60);
    }
  }
  const auto paths = open_paths(memory);
  EXPECT_EQ(std::count_if(paths.begin(), paths.end(),
                          [](const std::string& path) { return path.starts_with("/later"); }),
            kPlaces);
}

// The state a process leaves that is killed at one certain point.
class KilledAt : public testing::Test {
 protected:
  shared::Slot& slot(std::size_t index) { return layout().slots[index]; }
  shared::Layout layout() { return memory.layout(2); }
  SharedMemory memory{2};
};

TEST_F(KilledAt, HalfARecordIsSkippedAndWrittenAnewWhenItsClaimIsOld) {
  memory->record(broken("/a"), www_data(), "v", true, kNow, 60);
  memory->record(broken("/b"), www_data(), "v", true, kNow, 60);
  slot(0).latch.claim.store(1);  // long ago
  slot(0).latch.sequence.store(slot(0).latch.sequence.load() + 1);
  slot(0).fingerprint.store(0);
  EXPECT_THAT(open_paths(memory), testing::ElementsAre("/b"));
  EXPECT_TRUE(memory->concerns("/a", 33)) << "what is not in the record goes on";
  memory->record(broken("/a"), www_data(), "v", true, kNow, 60);
  EXPECT_THAT(open_paths(memory), testing::ElementsAre("/a", "/b"));
  EXPECT_EQ(incidents_of(memory).at(0).count, 2u);
}

TEST_F(KilledAt, ScribbledWordsAreSeenByTheChecksum) {
  memory->record(broken("/a"), www_data(), "v", true, kNow, 60);
  layout().records[0][5].add(1);
  EXPECT_TRUE(incidents_of(memory).empty());
  EXPECT_TRUE(memory->open_incidents("", 0).empty());
}

TEST_F(KilledAt, AReservedPlaceIsUsedAgain) {
  constexpr std::uint64_t kReserved = (std::uint64_t{7} << 44) | (std::uint64_t{1} << 41);
  slot(0).tally.store(kReserved);
  slot(0).latch.claim.store(1);
  slot(0).latch.sequence.store(1);
  memory->record(broken("/a"), www_data(), "v", true, kNow, 60);
  memory->record(broken("/b"), www_data(), "v", true, kNow, 60);
  EXPECT_THAT(open_paths(memory), testing::ElementsAre("/a", "/b"));
}

TEST_F(KilledAt, ATentativeIncidentHoldsNobodyUp) {
  memory->record(broken("/a"), www_data(), "v", true, kNow, 60);
  const std::uint64_t open = slot(0).tally.load();
  slot(0).tally.store(open - (std::uint64_t{1} << 41));  // open → tentative
  const auto recorded = memory->record(broken("/a"), www_data(), "v", true, kNow, 60);
  EXPECT_EQ(recorded.due, Due::whole);
  EXPECT_THAT(open_paths(memory), testing::ElementsAre("/a"));
}

TEST_F(KilledAt, ANumberOfOpenIncidentsLeftTooHighIsCorrected) {
  layout().region.open.add((std::uint64_t{1} << 32) + 1);
  EXPECT_TRUE(memory->any_open());
  memory->expire(kNow);
  memory->expire(kNow + 60);
  EXPECT_FALSE(memory->any_open());
}

}  // namespace
}  // namespace permguard
