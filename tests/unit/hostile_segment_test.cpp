// SPDX-License-Identifier: Apache-2.0
// The shared state against a process that writes what it likes into it. The memory lies between
// pages that nobody may touch, and what lies around it in this process is compared.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <random>
#include <span>
#include <thread>

#include "incidents/table.h"
#include "report/json.h"
#include "report/pages.h"
#include "unit/shared_memory.h"

namespace permguard {
namespace {

constexpr std::int64_t kNow = 1700000000;
constexpr unsigned kIncidents = 64;

// A segment as httpd's processes have it.
class Segment {
 public:
  Segment() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    size_ = (SharedState::size_for(kIncidents) + page_ - 1) / page_ * page_;
    void* all = mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::runtime_error("mmap");
    memory_ = static_cast<char*>(all) + page_;
    if (mprotect(memory_, size_, PROT_READ | PROT_WRITE) != 0) throw std::runtime_error("mprotect");
    state_ = SharedState::in(memory_, size_, kIncidents);
    if (!state_) throw std::runtime_error("too small");
  }
  ~Segment() { munmap(memory_ - page_, size_ + 2 * page_); }
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  SharedState* operator->() { return &*state_; }
  std::span<std::uint64_t> words() {
    return {reinterpret_cast<std::uint64_t*>(memory_), size_ / sizeof(std::uint64_t)};
  }
  // The words before the results of the watch, of which only the first pages are ever used.
  std::span<std::uint64_t> small_words() {
    const shared::Layout layout(memory_, kIncidents);
    const auto* end = reinterpret_cast<const char*>(layout.watch_records.data());
    return words().first(static_cast<std::size_t>(end + 4096 - memory_) / sizeof(std::uint64_t));
  }

 private:
  std::size_t page_;
  std::size_t size_ = 0;
  char* memory_ = nullptr;
  std::optional<SharedState> state_;
};

WatchView watched(const std::string& directory) {
  return {directory, 3, false, {{broken(directory + "/a"), www_data()}}, kNow, 0.5};
}

// Everything that a process does with the state, and every page made of it.
void use(SharedState& state, int round) {
  const std::int64_t now = kNow + round;
  const Finding finding = broken("/srv/cgi/" + std::to_string(round % 90));
  state.count_check(Handler::cgi, CheckResult::reported, 100);
  state.count_finding(finding.code, finding.role);
  state.count_exonerated(Handler::php);
  state.drop_is_due(now, 60, kNow);
  state.has_room_for(finding, www_data());
  const auto recorded = state.record(finding, www_data(), "v", true, now, 60);
  state.record(hidden("/srv", finding.target), www_data(), "v", false, now, 60);
  state.concerns(finding.target, 33);
  state.exoneration_due(finding.target, now, 60);
  for (const auto& open : state.open_incidents(finding.target, 33)) {
    state.claim_question(open.id, now);
    if (round % 3 == 0) state.close(open.id, now);
  }
  state.close(recorded.id, now);
  state.store_watch(watched("/d" + std::to_string(round % 5)));
}

void show(SharedState& state, int round) {
  state.expire(kNow + round);
  state.drop_damaged();
  state.retain_watch({"/d1", "/d2"});
  state.oldest_watch({"/d1", "/d2"});
  state.open_incidents({}, 0);
  StatusSnapshot snapshot;
  snapshot.now = kNow;
  state.fill(snapshot);
  health_of(snapshot);
  EXPECT_FALSE(status_page(snapshot, std::nullopt, "/s").body.empty());
  EXPECT_FALSE(dump(status_json(snapshot)).empty());
  EXPECT_FALSE(status_auto(snapshot).empty());
  EXPECT_FALSE(status_metrics(snapshot, MetricsFormat::prometheus).empty());
}

void fill_with_something(SharedState& state) {
  for (int round = 0; round < 100; ++round) use(state, round);
  for (int i = 0; i < 40; ++i) {
    state.record(broken("/srv/cgi/" + std::to_string(i)), www_data(), "v", true, kNow, 60);
  }
}

class HostileSegment : public testing::Test {
 protected:
  void use_and_show(int rounds) {
    for (int round = 0; round < rounds; ++round) use(*segment.operator->(), round);
    show(*segment.operator->(), rounds);
  }
  Segment segment;
  std::mt19937_64 random{20240601};
};

TEST_F(HostileSegment, FullOfOneByteDoesNoHarm) {
  for (const int byte : {0x00, 0xff, 0x41, 0x80, 0x01}) {
    fill_with_something(*segment.operator->());
    std::memset(segment.words().data(), byte, segment.words().size_bytes());
    use_and_show(200);
  }
}

TEST_F(HostileSegment, FullOfRandomWordsDoesNoHarm) {
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t& word : segment.small_words()) word = random();
    use_and_show(200);
  }
}

// What a word may be mistaken for: a count, a length, a time, an index, an address, a state.
std::uint64_t hostile_word(std::mt19937_64& random) {
  constexpr std::uint64_t kOne = 1;
  const std::array<std::uint64_t, 14> values = {0,
                                                1,
                                                7,
                                                kIncidents,
                                                0x7fffffff,
                                                0xffffffff,
                                                kOne << 32,
                                                kOne << 40,
                                                (kOne << 43) | 5,
                                                0x7fffffffffffffff,
                                                kOne << 63,
                                                ~std::uint64_t{0},
                                                0x7fff00000000,
                                                0x4141414141414141};
  const std::size_t choice = random() % (values.size() + 2);
  return choice < values.size() ? values[choice] : random();
}

TEST_F(HostileSegment, EachWordInTurnDoesNoHarm) {
  fill_with_something(*segment.operator->());
  const std::span<std::uint64_t> words = segment.small_words();
  // Every word up to the records, whose words are bytes of text, then a sample.
  const shared::Layout layout(reinterpret_cast<char*>(words.data()), kIncidents);
  const auto records = static_cast<std::size_t>(
      reinterpret_cast<std::uint64_t*>(layout.records.data()) - words.data());
  int round = 0;
  for (std::size_t at = 0; at < words.size(); at += at < records ? 1 : 1 + random() % 60) {
    std::atomic_ref<std::uint64_t>(words[at]).store(hostile_word(random));
    use(*segment.operator->(), ++round);
    if (round % 199 == 0) show(*segment.operator->(), round);
  }
  show(*segment.operator->(), round);
}

TEST_F(HostileSegment, WordsThatChangeAllTheTimeHoldNobodyUp) {
  fill_with_something(*segment.operator->());
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    std::mt19937_64 dice(7);
    const std::span<std::uint64_t> words = segment.small_words();
    while (!stop) {
      std::atomic_ref<std::uint64_t>(words[dice() % words.size()])
          .store(hostile_word(dice), std::memory_order_relaxed);
    }
  });
  use_and_show(2000);
  stop = true;
  writer.join();
}

TEST_F(HostileSegment, ItsStateIsWellAgainWhenTheWritingEnds) {
  for (std::uint64_t& word : segment.small_words()) word = random();
  EXPECT_GT(segment->drop_damaged(), 0U);
  std::memset(segment.words().data(), 0xff, segment.words().size_bytes());
  for (int i = 0; i < 3; ++i) segment->expire(kNow + i * 60);
  const Finding finding = broken("/srv/a.cgi");
  const auto recorded = segment->record(finding, www_data(), "v", true, kNow, 60);
  EXPECT_TRUE(segment->concerns("/srv/a.cgi", 33));
  EXPECT_TRUE(segment->any_open());
  ASSERT_EQ(segment->open_incidents("/srv/a.cgi", 33).size(), 1U);
  EXPECT_TRUE(segment->close(recorded.id, kNow + 1));
}

// The number of open incidents is a word like any other: too low, it would keep them open for ever.
TEST_F(HostileSegment, AWrongNumberOfOpenIncidentsIsCorrectedBothWays) {
  segment->record(broken("/a"), www_data(), "v", true, kNow, 60);
  const shared::Layout layout(reinterpret_cast<char*>(segment.words().data()), kIncidents);
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{77}}) {
    layout.region.open.store(wrong);
    segment->expire(kNow);
    segment->expire(kNow + 60);
    EXPECT_EQ(layout.region.open.load() & shared::kOpenMask, 1U) << wrong;
  }
}

// --- forged records ---

std::string record_with(const std::function<void(Finding&)>& change) {
  Finding finding = broken("/srv/a.cgi");
  change(finding);
  shared::FindingRecord record;
  shared::encode(finding, www_data(), "v", record);
  return std::string(record.bytes());
}

bool is_believed(const std::function<void(Finding&)>& change) {
  return shared::decode(record_with(change)).has_value();
}

TEST(ForgedRecord, IsNoFindingWithACommandThatGivesTooMuch) {
  for (const char* spec : {"a+w", "u+s", "o=rwx", "+x,o+w", "-R", "--reference=/x", "", "a+x,",
                           "a+x; rm -rf /", "77777 /etc", "g+rwx", "+t"}) {
    EXPECT_FALSE(is_believed([&](Finding& finding) { finding.remedy.steps[0].spec = spec; }))
        << spec;
  }
  for (const char* spec : {"a+x", "u+rx", "a+x,o-w", "go-w", "ug-s", "0755", "2750", "o+x"}) {
    EXPECT_TRUE(is_believed([&](Finding& finding) { finding.remedy.steps[0].spec = spec; }))
        << spec;
  }
}

TEST(ForgedRecord, IsNoFindingWithAnotherKindOfCommandThatIsNone) {
  const auto step = [](FixStep::Kind kind, const std::string& spec, const std::string& path) {
    return [=](Finding& finding) { finding.remedy.steps = {{kind, path, 1, spec, false}}; };
  };
  using Kind = FixStep::Kind;
  EXPECT_TRUE(is_believed(step(Kind::setfacl, "u:www-data:x", "/a")));
  EXPECT_TRUE(is_believed(step(Kind::chown, "ann:ann", "/a")));
  EXPECT_FALSE(is_believed(step(Kind::setfacl, "-R", "/a")));
  EXPECT_FALSE(is_believed(step(Kind::chown, "--from=0", "/a")));
  EXPECT_TRUE(is_believed(step(Kind::chown, "www-data", "/a")));
  EXPECT_TRUE(is_believed(step(Kind::chown, ":daemon", "/a")));
  EXPECT_FALSE(is_believed(step(Kind::chown, "", "/a")));
  EXPECT_FALSE(is_believed(step(Kind::restore_acl, "-b", "/a")));
  EXPECT_FALSE(is_believed(step(Kind::chmod, "a+x", "a"))) << "a path of nobody's directory";
}

TEST(ForgedRecord, HasNumbersThatExist) {
  EXPECT_FALSE(is_believed([](Finding& finding) { finding.file->mode = 0x80000000; }));
  EXPECT_FALSE(is_believed([](Finding& finding) { finding.file->changed_ns = -1; }));
  EXPECT_FALSE(is_believed([](Finding& finding) { finding.error = 1 << 30; }));
  EXPECT_FALSE(is_believed([](Finding& finding) { finding.decision.mask = 8; }));
  const auto far =
      shared::decode(record_with([](Finding& finding) { finding.file->changed = INT64_MIN; }));
  ASSERT_TRUE(far);
  EXPECT_EQ(far->finding.file->changed, 0);
}

}  // namespace
}  // namespace permguard
