// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "unit/shared_memory.h"

namespace permguard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Due = SharedState::Due;
using Recorded = SharedState::Recorded;

constexpr std::int64_t kNow = 1700000000;
constexpr std::int64_t kInterval = 60;

class Incidents : public testing::Test {
 protected:
  Recorded lead(const Finding& finding, std::int64_t now = kNow) {
    return memory->record(finding, www_data(), "vhost", true, now, kInterval);
  }
  Recorded also(const Finding& finding, std::int64_t now = kNow) {
    return memory->record(finding, www_data(), "vhost", false, now, kInterval);
  }
  Recorded watch(const Finding& finding, std::int64_t now = kNow) {
    return memory->record(finding, www_data(), "", true, now, kInterval, false);
  }
  void sight(const std::string& path, int times, std::int64_t now = kNow) {
    for (int i = 0; i < times; ++i) lead(broken(path), now);
  }
  IncidentView only() { return incidents_of(memory).at(0); }
  std::uint64_t evicted() { return memory->counters().incidents_evicted; }

  SharedMemory memory{4};
};

TEST_F(Incidents, KeepsWhatItWasTold) {
  const Recorded recorded = lead(broken("/srv/a.cgi"));
  const IncidentView view = only();
  EXPECT_EQ(view.id, recorded.id);
  EXPECT_NE(view.id, 0u);
  EXPECT_EQ(view.finding.path, "/srv/a.cgi");
  EXPECT_EQ(view.finding.file, broken("/srv/a.cgi").file);
  EXPECT_EQ(view.finding.remedy, broken("/srv/a.cgi").remedy);
  EXPECT_EQ(view.who, www_data());
  EXPECT_EQ(view.vhost, "vhost");
  EXPECT_EQ(view.count, 1u);
  EXPECT_EQ(view.first_seen, kNow);
  EXPECT_EQ(view.last_seen, kNow);
  EXPECT_TRUE(view.open);
  EXPECT_EQ(view.closed, 0);
}

TEST_F(Incidents, AreDueWholeThenRepeatedOnceAnInterval) {
  EXPECT_EQ(lead(broken("/a")).due, Due::whole);
  EXPECT_EQ(lead(broken("/a"), kNow + 1).due, Due::nothing);
  EXPECT_EQ(lead(broken("/a"), kNow + 59).due, Due::nothing);
  const Recorded repeat = lead(broken("/a"), kNow + 61);
  EXPECT_EQ(repeat.due, Due::repeat);
  EXPECT_EQ(repeat.more, 3u);
  EXPECT_EQ(repeat.seconds, 61);
  EXPECT_EQ(lead(broken("/a"), kNow + 62).due, Due::nothing);
  EXPECT_EQ(lead(broken("/a"), kNow + 122).more, 2u);
  EXPECT_EQ(only().count, 6u);
  EXPECT_EQ(only().first_seen, kNow);
  EXPECT_EQ(only().last_seen, kNow + 122);
}

TEST_F(Incidents, AreAlwaysDueWholeWithoutInterval) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(memory->record(broken("/a"), www_data(), "", true, kNow, 0).due, Due::whole);
  }
  EXPECT_EQ(only().count, 3u);
}

TEST_F(Incidents, OnlyMentionedAreDueWholeWhenTheyFirstLead) {
  EXPECT_EQ(also(broken("/a")).due, Due::nothing);
  EXPECT_EQ(also(broken("/a"), kNow + 100).due, Due::nothing);
  EXPECT_EQ(lead(broken("/a"), kNow + 101).due, Due::whole);
  EXPECT_EQ(lead(broken("/a"), kNow + 102).due, Due::nothing);
  EXPECT_EQ(also(broken("/a"), kNow + 200).due, Due::nothing);
  EXPECT_EQ(lead(broken("/a"), kNow + 201).more, 3u) << "mentions count";
  EXPECT_EQ(only().count, 6u);
}

TEST_F(Incidents, TheFirstRequestIsToldWholeThoughTheWatchToldBefore) {
  EXPECT_EQ(watch(broken("/a")).due, Due::whole);
  EXPECT_EQ(lead(broken("/a"), kNow + 1).due, Due::whole);
  EXPECT_EQ(lead(broken("/a"), kNow + 2).due, Due::nothing);
}

TEST_F(Incidents, TheWatchCountsNoRequest) {
  EXPECT_EQ(watch(broken("/a")).due, Due::whole);
  EXPECT_EQ(watch(broken("/a"), kNow + 100).due, Due::nothing) << "no request, nothing to tell";
  EXPECT_EQ(only().count, 0u);
  EXPECT_EQ(only().last_seen, kNow + 100);
  EXPECT_EQ(lead(broken("/a"), kNow + 101).due, Due::whole);
  EXPECT_EQ(lead(broken("/a"), kNow + 102).due, Due::nothing);
  const Recorded repeat = watch(broken("/a"), kNow + 200);
  EXPECT_EQ(repeat.due, Due::repeat);
  EXPECT_EQ(repeat.more, 1u);
}

TEST_F(Incidents, DifferByRoleCodeCulpritUserAndNeed) {
  SharedMemory roomy(16);
  const Finding finding = broken("/a");
  std::vector<Finding> all(5, finding);
  all[1].role = Role::interpreter;
  all[2].code = Code::execute_denied;
  all[3].path = "/b";
  all[4].need = Need::read;
  for (const Finding& each : all) {
    EXPECT_EQ(roomy->record(each, www_data(), "", true, kNow, kInterval).due, Due::whole);
  }
  Identity other = www_data();
  other.uid = 34;
  EXPECT_EQ(roomy->record(finding, other, "", true, kNow, kInterval).due, Due::whole);
  EXPECT_THAT(incidents_of(roomy), SizeIs(6));
}

TEST_F(Incidents, DifferByTargetOnlyWhereItWasSeen) {
  lead(hidden("/locked", "/locked/random1"));
  EXPECT_EQ(lead(hidden("/locked", "/locked/random2")).due, Due::nothing);
  EXPECT_THAT(incidents_of(memory), SizeIs(1));
  EXPECT_EQ(only().finding.target, "/locked/random1");
  Finding first = hidden("/locked", "/locked/a");
  Finding second = hidden("/locked", "/locked/b");
  first.target_seen = second.target_seen = true;
  EXPECT_EQ(lead(first).due, Due::whole);
  EXPECT_EQ(lead(second).due, Due::whole);
}

TEST_F(Incidents, TellTheLatestOfTheirCulprit) {
  lead(broken("/a"));
  Finding changed = broken("/a");
  changed.file->mode = 0600;
  EXPECT_EQ(lead(changed).due, Due::nothing);
  EXPECT_EQ(only().finding.file->mode, 0600u);
  EXPECT_EQ(only().count, 2u);
}

TEST_F(Incidents, CloseForOneCaller) {
  const std::uint64_t id = lead(broken("/a")).id;
  sight("/a", 4, kNow + 5);
  EXPECT_TRUE(memory->any_open());
  const auto closed = memory->close(id, kNow + 192);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->after_seconds, 192);
  EXPECT_EQ(closed->requests, 5u);
  EXPECT_FALSE(memory->close(id, kNow + 192));
  EXPECT_FALSE(memory->close(id + 100, kNow));
  EXPECT_FALSE(memory->any_open());
  EXPECT_FALSE(only().open);
  EXPECT_EQ(only().closed, kNow + 192);
}

TEST_F(Incidents, OpenAnewAfterTheyClosed) {
  const std::uint64_t first = lead(broken("/a")).id;
  memory->close(first, kNow + 1);
  const Recorded second = lead(broken("/a"), kNow + 2);
  EXPECT_EQ(second.due, Due::whole);
  EXPECT_NE(second.id, first);
  EXPECT_THAT(incidents_of(memory), SizeIs(2)) << "the recovered one stays visible";
}

TEST_F(Incidents, ExpireAfterADayWithoutSightOrQuestion) {
  constexpr std::int64_t kDay = 86400;
  lead(broken("/old"));
  const std::uint64_t asked = lead(broken("/asked")).id;
  lead(broken("/seen"));
  EXPECT_TRUE(memory->claim_question(asked, kNow + kDay));
  lead(broken("/seen"), kNow + kDay);
  memory->expire(kNow + kDay);
  EXPECT_THAT(incidents_of(memory), SizeIs(3));
  memory->expire(kNow + kDay + 1);
  EXPECT_THAT(open_paths(memory), ElementsAre("/asked", "/seen"));
  memory->expire(kNow + 3 * kDay);
  EXPECT_THAT(incidents_of(memory), IsEmpty());
  EXPECT_FALSE(memory->any_open());
}

// --- a full table ---

TEST_F(Incidents, FullTableGivesUpTheLongestClosedFirst) {
  for (const char* path : {"/a", "/b", "/c", "/d"}) sight(path, 1);
  std::uint64_t ids[4] = {};
  for (const IncidentView& view : incidents_of(memory)) ids[view.finding.path[1] - 'a'] = view.id;
  memory->close(ids[1], kNow + 20);
  memory->close(ids[2], kNow + 10);
  sight("/e", 1);
  std::vector<std::string> paths;
  for (const IncidentView& view : incidents_of(memory)) paths.push_back(view.finding.path);
  EXPECT_THAT(paths, testing::UnorderedElementsAre("/a", "/b", "/d", "/e"));
  EXPECT_EQ(evicted(), 0u) << "a recovered one is no loss";
}

TEST_F(Incidents, FullTableGivesUpTheLightestThenTheLongestUnseen) {
  sight("/heavy", 9);
  sight("/one-late", 1, kNow + 20);
  sight("/one-early", 1, kNow + 10);
  sight("/two", 2, kNow + 1);
  EXPECT_EQ(lead(broken("/new"), kNow + 30).due, Due::whole);
  EXPECT_THAT(open_paths(memory), ElementsAre("/heavy", "/new", "/one-late", "/two"));
  EXPECT_EQ(evicted(), 1u);
}

TEST_F(Incidents, FullTableKeepsTheHeavierAndLogsTheNewcomerOnceAnInterval) {
  for (const char* path : {"/a", "/b", "/c", "/d"}) sight(path, 5);
  const Recorded refused = lead(broken("/new"));
  EXPECT_EQ(refused.due, Due::whole);
  EXPECT_EQ(refused.id, 0u);
  EXPECT_EQ(lead(broken("/new"), kNow + 1).due, Due::nothing);
  EXPECT_EQ(also(broken("/other")).due, Due::nothing);
  EXPECT_EQ(lead(broken("/new"), kNow + 60).due, Due::whole);
  EXPECT_THAT(open_paths(memory), ElementsAre("/a", "/b", "/c", "/d"));
  EXPECT_EQ(evicted(), 4u);
}

TEST_F(Incidents, ANewcomerGetsInWhenItHasBecomeTheHeavier) {
  for (const char* path : {"/a", "/b", "/c"}) sight(path, 9);
  sight("/light", 5);
  sight("/new", 7);
  EXPECT_THAT(open_paths(memory), ElementsAre("/a", "/b", "/c", "/new"));
  for (const IncidentView& view : incidents_of(memory)) {
    EXPECT_EQ(view.count, view.finding.path == "/new" ? 7u : 9u) << view.finding.path;
  }
}

TEST_F(Incidents, ThatComeAndGoKeepTheirWeightAndAreToldOnceAnInterval) {
  SharedMemory one(1);
  const auto sighted = [&](const char* path, std::int64_t now) {
    return one->record(broken(path), www_data(), "", true, now, kInterval).due;
  };
  EXPECT_EQ(sighted("/a", kNow), Due::whole);
  EXPECT_EQ(sighted("/b", kNow), Due::whole);
  for (int i = 1; i < 60; ++i) {
    EXPECT_EQ(sighted("/a", kNow + i), Due::nothing) << i;
    EXPECT_EQ(sighted("/b", kNow + i), Due::nothing) << i;
  }
  EXPECT_NE(sighted("/a", kNow + 60), Due::nothing);
  EXPECT_NE(sighted("/b", kNow + 60), Due::nothing);
  EXPECT_EQ(incidents_of(one).at(0).count, 61u);
}

TEST_F(Incidents, AnEvictedOneIsNoLongerThere) {
  SharedMemory one(1);
  const Recorded first = one->record(broken("/a"), www_data(), "", true, kNow, kInterval);
  one->record(broken("/b"), www_data(), "", true, kNow, kInterval);
  EXPECT_FALSE(one->close(first.id, kNow));
  EXPECT_FALSE(one->claim_question(first.id, kNow));
  EXPECT_FALSE(one->concerns("/a", 33));
  EXPECT_THAT(open_paths(one), ElementsAre("/b"));
}

// --- questions ---

std::vector<std::string> concerned(SharedMemory& memory, const std::string& target, uid_t uid) {
  std::vector<std::string> paths;
  for (const auto& open : memory->open_incidents(target, uid)) paths.push_back(open.finding.path);
  EXPECT_EQ(memory->concerns(target, uid), !paths.empty()) << target;
  return paths;
}

TEST_F(Incidents, ConcernTheSameTargetAndUser) {
  lead(broken("/srv/cgi/a.cgi"));
  EXPECT_THAT(concerned(memory, "/srv/cgi/a.cgi", 33), SizeIs(1));
  EXPECT_THAT(concerned(memory, "/srv/cgi/a.cgi", 34), IsEmpty());
  EXPECT_THAT(concerned(memory, "/srv/cgi/a.cg", 33), IsEmpty());
  EXPECT_THAT(concerned(memory, "/srv/cgi/b.cgi", 33), IsEmpty());
  EXPECT_THAT(concerned(memory, "/srv/cgi/a.cgi/path/info", 33), SizeIs(1));
}

TEST_F(Incidents, ConcernAllBelowTheCulprit) {
  lead(hidden("/home/ann", "/home/ann/cgi/a.cgi"));
  EXPECT_THAT(concerned(memory, "/home/ann/b", 33), SizeIs(1));
  EXPECT_THAT(concerned(memory, "/home/ann/cgi/deep/c", 33), SizeIs(1));
  EXPECT_THAT(concerned(memory, "/home/ann", 33), SizeIs(1));
  EXPECT_THAT(concerned(memory, "/home/anna/b", 33), IsEmpty());
  EXPECT_THAT(concerned(memory, "/home", 33), IsEmpty());
}

TEST_F(Incidents, ConcernEverythingBelowTheRoot) {
  lead(hidden("/", "/a/b"));
  EXPECT_THAT(concerned(memory, "/x/y/z", 33), SizeIs(1));
}

TEST_F(Incidents, ConcernTheDirectoryWhereTheCulpritLiesElsewhere) {
  Finding finding = broken("/srv/cgi/a.cgi");
  finding.role = Role::interpreter;
  finding.path = "/opt/perl";
  lead(finding);
  EXPECT_THAT(concerned(memory, "/srv/cgi/b.cgi", 33), SizeIs(1));
  EXPECT_THAT(concerned(memory, "/srv/cgi/sub/b.cgi", 33), IsEmpty());
  EXPECT_THAT(concerned(memory, "/srv/b.cgi", 33), IsEmpty());
}

TEST_F(Incidents, ConcernPathsOfAnyDepth) {
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "/d";
  lead(hidden(deep, deep + "/a"));
  EXPECT_TRUE(memory->concerns(deep + "/b", 33));
  EXPECT_FALSE(memory->concerns("/d/d/e", 33));
}

// Looking an incident up costs the same in a table of any size: it touches no more memory.
TEST(IncidentTable, IsNotSearchedFromEndToEnd) {
  SharedMemory memory(65'536);
  for (int i = 0; i < 20; ++i) {
    const std::string path = "/srv/www/" + std::to_string(i);
    memory->record(broken(path), www_data(), "", true, kNow, kInterval);
    memory->concerns(path + "/a/b/c", 33);
    memory->has_room_for(broken(path), www_data());
    memory->claim_question(1, kNow);
    memory->open_incidents(path, 33);
  }
  // Of each incident at most four words of the index and twice as many looked at, its record and,
  // with its neighbours, its slot. The table itself has 330,000 pages.
  EXPECT_LT(memory.resident_pages(), 20U * 40U);
}

TEST_F(Incidents, AllAreAskedWithoutTarget) {
  const std::uint64_t closed = lead(broken("/closed")).id;
  memory->close(closed, kNow);
  const std::uint64_t id = lead(broken("/srv/a"), kNow + 3).id;
  memory->claim_question(id, kNow + 9);
  const auto all = memory->open_incidents("", 0);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].id, id);
  EXPECT_EQ(all[0].finding.path, "/srv/a");
  EXPECT_EQ(all[0].who, www_data());
  EXPECT_EQ(all[0].vhost, "vhost");
  EXPECT_EQ(all[0].first_seen, kNow + 3);
  EXPECT_EQ(all[0].last_asked, kNow + 9);
}

TEST_F(Incidents, AreAskedOnceASecond) {
  const std::uint64_t id = lead(broken("/a")).id;
  EXPECT_TRUE(memory->claim_question(id, kNow));
  EXPECT_FALSE(memory->claim_question(id, kNow));
  EXPECT_TRUE(memory->claim_question(id, kNow + 1));
  memory->close(id, kNow + 2);
  EXPECT_FALSE(memory->claim_question(id, kNow + 2));
}

}  // namespace
}  // namespace permguard
