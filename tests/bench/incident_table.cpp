// SPDX-License-Identifier: Apache-2.0
// What a table of incidents costs that is full of open ones: a healthy request's question whether
// one concerns it, one more sighting of a known incident, and a flood of new ones, for 256 and for
// 65,536 places (PermGuardIncidents). The last column is the ratio of the two.
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "incidents/store.h"

namespace {

using namespace permguard;
using Clock = std::chrono::steady_clock;

Finding broken(const std::string& path) {
  Finding finding;
  finding.code = Code::not_executable;
  finding.target = finding.path = path;
  finding.target_seen = true;
  return finding;
}

SharedState table_of(unsigned incidents) {
  const std::size_t size = SharedState::size_for(incidents);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SharedState state = *SharedState::in(memory, size, incidents);
  const Identity who{.uid = 33, .gid = 33};
  for (unsigned i = 0; i < incidents; ++i) {
    state.record(broken("/srv/sites/" + std::to_string(i) + "/cgi-bin/a.cgi"), who, "v", true, 1,
                 60);
  }
  return state;
}

// Nanoseconds of one call, the median of nine rounds.
double nanoseconds(int calls, const std::function<void(int)>& work) {
  std::vector<double> rounds;
  for (int round = 0; round < 9; ++round) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i) work(round * calls + i);
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    rounds.push_back(took.count() / calls);
  }
  std::nth_element(rounds.begin(), rounds.begin() + 4, rounds.end());
  return rounds[4];
}

}  // namespace

int main() {
  SharedState small = table_of(256);
  SharedState big = table_of(65'536);
  const Identity who{.uid = 33, .gid = 33};
  struct Row {
    const char* name;
    int calls;
    std::function<void(SharedState&, int)> work;
  };
  const std::vector<Row> rows = {
      {"healthy target", 20'000,
       [](SharedState& state, int) { state.concerns("/srv/sites/good/cgi-bin/a.cgi", 33); }},
      {"known incident", 20'000,
       [&](SharedState& state, int i) {
         state.record(broken("/srv/sites/" + std::to_string(i % 200) + "/cgi-bin/a.cgi"), who, "v",
                      true, 2, 60);
       }},
      {"flood of new ones", 2'000,
       [&](SharedState& state, int i) {
         state.record(broken("/srv/flood/" + std::to_string(i) + "/a.cgi"), who, "v", true, 3, 60);
       }},
  };
  std::printf("%-20s %12s %12s %8s\n", "nanoseconds a call", "256", "65,536", "ratio");
  for (const Row& row : rows) {
    const double few = nanoseconds(row.calls, [&](int i) { row.work(small, i); });
    const double many = nanoseconds(row.calls, [&](int i) { row.work(big, i); });
    std::printf("%-20s %12.0f %12.0f %8.2f\n", row.name, few, many, many / few);
  }
}
