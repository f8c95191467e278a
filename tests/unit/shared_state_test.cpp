// SPDX-License-Identifier: Apache-2.0
#include "incidents/store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "unit/shared_memory.h"

namespace permguard {
namespace {

using testing::ElementsAre;

TEST(SharedState, IsFoundAgainWithAllItHolds) {
  SharedMemory memory(8);
  memory->record(broken("/a"), www_data(), "v", true, 100, 60);
  memory->count_event_dropped();
  std::optional<SharedState> again = SharedState::in(memory.base(), memory.size(), 8);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->any_open());
  EXPECT_EQ(again->counters().events_dropped, 1u);
}

TEST(SharedState, HasAnotherGeometryForAnotherNumberOfIncidents) {
  EXPECT_EQ(SharedState::geometry(8), SharedState::geometry(8));
  EXPECT_NE(SharedState::geometry(8), SharedState::geometry(7));
}

TEST(SharedState, WritesNothingUntilSomethingIsTold) {
  SharedMemory memory(8);
  EXPECT_FALSE(memory->any_open());
  EXPECT_FALSE(memory->concerns("/a", 33));
  EXPECT_TRUE(incidents_of(memory).empty());
  EXPECT_EQ(std::count(memory.base(), memory.base() + memory.size(), '\0'),
            static_cast<std::ptrdiff_t>(memory.size()));
}

TEST(SharedState, NeedsItsSizeAtAnyAlignment) {
  const std::size_t size = SharedState::size_for(3);
  std::vector<std::uint64_t> memory(size / 8 + 16);
  for (std::size_t offset = 0; offset < 9; ++offset) {
    EXPECT_TRUE(SharedState::in(memory.data() + offset, size, 3));
  }
  EXPECT_FALSE(SharedState::in(memory.data(), size - 128, 3));
  EXPECT_FALSE(SharedState::in(nullptr, size, 3));
  EXPECT_FALSE(SharedState::in(memory.data(), size, 0));
}

TEST(SharedState, CommitsOnlyWhatItUses) {
  SharedMemory memory(256);
  memory->count_event_dropped();
  EXPECT_LT(memory.resident_pages(), 16U);
}

TEST(Exoneration, PassesOnceAnIntervalAndTarget) {
  SharedMemory memory(1);
  EXPECT_TRUE(memory->exoneration_due("/a", 1000, 60));
  EXPECT_FALSE(memory->exoneration_due("/a", 1000, 60));
  EXPECT_FALSE(memory->exoneration_due("/a", 1059, 60));
  EXPECT_TRUE(memory->exoneration_due("/b", 1059, 60));
  EXPECT_TRUE(memory->exoneration_due("/a", 1060, 60));
  EXPECT_FALSE(memory->exoneration_due("/a", 1061, 60));
  EXPECT_TRUE(memory->exoneration_due("/a", 1061, 0));
  EXPECT_TRUE(incidents_of(memory).empty());
}

TEST(Exoneration, SurvivesAClockSetBack) {
  SharedMemory memory(1);
  EXPECT_TRUE(memory->exoneration_due("/a", 100000, 60));
  EXPECT_FALSE(memory->exoneration_due("/a", 99990, 60));
  EXPECT_TRUE(memory->exoneration_due("/a", 90000, 60));
}

TEST(Exoneration, KeepsHundredsOfTargetsApart) {
  SharedMemory memory(1);
  for (int i = 0; i < 300; ++i) {
    EXPECT_TRUE(memory->exoneration_due("/t" + std::to_string(i), 1000, 60)) << i;
  }
  for (int i = 0; i < 300; ++i) {
    EXPECT_FALSE(memory->exoneration_due("/t" + std::to_string(i), 1001, 60)) << i;
  }
}

TEST(Exoneration, TakesNewTargetsForEver) {
  SharedMemory memory(1);
  for (int i = 0; i < 20000; ++i) {
    ASSERT_TRUE(memory->exoneration_due("/t" + std::to_string(i), 1000, 60)) << i;
  }
}

TEST(Exoneration, HasOneWinnerAmongThreads) {
  SharedMemory memory(1);
  std::atomic<int> winners = 0;
  std::barrier step(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::int64_t now = 1000; now < 6000; now += 10) {
        step.arrive_and_wait();
        for (const char* target : {"/a", "/b", "/c"}) {
          if (memory->exoneration_due(target, now, 10)) ++winners;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 3 * 500);
}

WatchView watch_of(const std::string& directory, std::size_t findings) {
  WatchView view{directory, 12, false, {}, 1700000000, 0.25};
  for (std::size_t i = 0; i < findings; ++i) {
    view.findings.push_back({broken(directory + "/" + std::to_string(i)), www_data()});
  }
  return view;
}

std::vector<WatchView> watch_in(SharedMemory& memory) {
  StatusSnapshot snapshot;
  memory->fill(snapshot);
  return snapshot.watch;
}

std::vector<std::string> watched(SharedMemory& memory) {
  std::vector<std::string> names;
  for (const WatchView& view : watch_in(memory)) names.push_back(view.directory);
  return names;
}

TEST(Watch, GivesBackWhatWasStored) {
  SharedMemory memory(1);
  memory->store_watch(watch_of("/srv/cgi", 2));
  const auto views = watch_in(memory);
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].directory, "/srv/cgi");
  EXPECT_EQ(views[0].files, 12u);
  EXPECT_FALSE(views[0].truncated);
  EXPECT_EQ(views[0].last_run, 1700000000);
  EXPECT_EQ(views[0].duration_seconds, 0.25);
  ASSERT_EQ(views[0].findings.size(), 2u);
  EXPECT_EQ(views[0].findings[1].finding.path, "/srv/cgi/1");
  EXPECT_EQ(views[0].findings[1].who, www_data());
}

TEST(Watch, ReplacesTheLastResultOfADirectory) {
  SharedMemory memory(1);
  memory->store_watch(watch_of("/srv/cgi", 2));
  memory->store_watch(watch_of("/srv/other", 1));
  memory->store_watch(watch_of("/srv/cgi", 0));
  const auto views = watch_in(memory);
  ASSERT_EQ(views.size(), 2u);
  EXPECT_TRUE(views[0].findings.empty());
  EXPECT_EQ(views[1].findings.size(), 1u);
}

TEST(Watch, CountsFindingsThatFoundNoRoom) {
  SharedMemory memory(1);
  WatchView view = watch_of("/srv/cgi", shared::kWatchFindings + 10);
  for (std::size_t i = 0; i < shared::kWatchFindings; ++i) {
    view.findings[i].finding.severity = Severity::warning;
  }
  memory->store_watch(view);
  view.left_out[{Code::mode_drift, Role::script, Severity::drift}] = 7;
  memory->store_watch(view);
  const WatchView kept = watch_in(memory).at(0);
  EXPECT_FALSE(kept.truncated) << "every file was looked at";
  ASSERT_EQ(kept.findings.size(), shared::kWatchFindings);
  EXPECT_EQ(total(kept.left_out), 17U);
  EXPECT_EQ(total(kept.left_out, Severity::error), 0U);
  EXPECT_EQ(total(kept.left_out, Severity::drift), 7U);
  EXPECT_EQ(kept.findings[9].finding.severity, Severity::error) << "the worst are kept";
  EXPECT_EQ(kept.findings[10].finding.severity, Severity::warning);
}

TEST(Watch, CountsFindingsWhoseLongPathsFoundNoRoom) {
  SharedMemory memory(1);
  memory->store_watch(watch_of("/" + std::string(4000, 'd'), 60));
  const WatchView kept = watch_in(memory).at(0);
  EXPECT_EQ(kept.findings.size() + total(kept.left_out), 60U);
  EXPECT_LT(kept.findings.size(), 60u);
  EXPECT_GT(kept.findings.size(), 5u);
}

TEST(Watch, DropsWhatTheConfigurationNoLongerNames) {
  SharedMemory memory(1);
  for (const char* name : {"/a", "/b", "/c"}) memory->store_watch(watch_of(name, 1));
  memory->retain_watch({"/c", "/a", "/new"});
  EXPECT_THAT(watched(memory), ElementsAre("/a", "/c"));
  memory->store_watch(watch_of("/new", 1));
  EXPECT_THAT(watched(memory), ElementsAre("/a", "/new", "/c"));
}

TEST(Watch, KnowsWhichDirectoryHasWaitedLongest) {
  SharedMemory memory(1);
  WatchView view = watch_of("/a", 0);
  memory->store_watch(view);
  view.directory = "/b";
  view.last_run += 50;
  memory->store_watch(view);
  EXPECT_EQ(memory->oldest_watch({"/a", "/b"}), 1700000000);
  EXPECT_EQ(memory->oldest_watch({"/b"}), 1700000050);
  EXPECT_EQ(memory->oldest_watch({"/a", "/new"}), 0);
}

TEST(Watch, CountsDirectoriesWithoutPlace) {
  SharedMemory memory(1);
  for (std::size_t i = 0; i < shared::kWatchDirectories + 2; ++i) {
    memory->store_watch(watch_of("/d" + std::to_string(i), 1));
  }
  EXPECT_EQ(watched(memory).size(), shared::kWatchDirectories);
  EXPECT_EQ(memory->counters().incidents_evicted, 2u);
}

TEST(Watch, IsReadWholeWhileItIsWritten) {
  SharedMemory memory(1);
  memory->store_watch(watch_of("/d", 3));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (std::size_t i = 0; !stop; ++i) memory->store_watch(watch_of("/d", i % 2 == 0 ? 1 : 9));
  });
  for (int i = 0; i < 300; ++i) {
    for (const WatchView& view : watch_in(memory)) {
      const std::size_t findings = view.findings.size();
      EXPECT_TRUE(findings == 1 || findings == 3 || findings == 9) << findings;
    }
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace permguard
