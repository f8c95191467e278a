// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "hostile.h"

namespace hostile {
namespace {

std::uint64_t next_random(std::uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

std::uint64_t seed() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (static_cast<std::uint64_t>(now.tv_nsec) << 20 ^ static_cast<std::uint64_t>(getpid())) | 1;
}

std::int64_t milliseconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

std::uintptr_t any_word(const std::vector<Range>& ranges, std::uint64_t random) {
  const Range& range = ranges[random % ranges.size()];
  return range.begin + (random >> 8) % ((range.end - range.begin) / 8) * 8;
}

std::uint64_t hostile_value(std::uint64_t random) {
  constexpr std::array<std::uint64_t, 12> kValues = {0,
                                                     1,
                                                     2,
                                                     7,
                                                     1ULL << 31,
                                                     1ULL << 32,
                                                     1 << 16,
                                                     1ULL << 63,
                                                     ~0ULL,
                                                     ~7ULL,
                                                     0x4141414141414141ULL,
                                                     0x7fffffffffffffffULL};
  if (random % 3 == 0) return random;
  return kValues[(random >> 4) % kValues.size()];
}

/// Half of the stores meet words that were in use, and their neighbours.
[[noreturn]] void scribble_until(const std::vector<Range>& ranges,
                                 const std::vector<std::uintptr_t>& used, std::int64_t end) {
  std::uint64_t random = seed();
  while (milliseconds_now() < end) {
    for (int i = 0; i < 4096; ++i) {
      const std::uint64_t choice = next_random(random);
      const bool anywhere = used.empty() || choice % 2 == 0;
      const std::uintptr_t address =
          anywhere ? any_word(ranges, choice) : used[(choice >> 8) % used.size()];
      word_at(address) = hostile_value(next_random(random));
    }
  }
  _exit(0);
}

std::uintptr_t number(std::string_view text) {
  std::uintptr_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

}  // namespace

std::vector<Range> ranges_in(std::string_view text) {
  std::vector<Range> ranges;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const auto dash = item.find('-');
    if (dash == item.npos) continue;
    ranges.push_back({number(item.substr(0, dash)), number(item.substr(dash + 1))});
  }
  return ranges;
}

bool fill(const std::vector<Range>& ranges, std::string_view pattern) {
  constexpr std::array<std::pair<std::string_view, int>, 3> kBytes = {
      {{"zeros", 0}, {"ones", 0xff}, {"letters", 0x41}}};
  std::uint64_t random = seed();
  for (const Range& range : ranges) {
    const auto* known = std::find_if(kBytes.begin(), kBytes.end(),
                                     [&](const auto& entry) { return entry.first == pattern; });
    if (known != kBytes.end()) {
      std::memset(reinterpret_cast<void*>(range.begin), known->second, range.end - range.begin);
    } else if (pattern == "random") {
      for (auto at = range.begin; at < range.end; at += 8) word_at(at) = next_random(random);
    } else {
      return false;
    }
  }
  return true;
}

std::vector<std::uintptr_t> used_words(const std::vector<Range>& ranges) {
  std::vector<std::uintptr_t> used;
  for (const Range& range : ranges) {
    for (auto at = range.begin; at < range.end; at += 8) {
      if (word_at(at) != 0) used.push_back(at);
    }
  }
  return used;
}

int scribble(const std::vector<Range>& ranges, int milliseconds) {
  const std::vector<std::uintptr_t> used = used_words(ranges);
  std::array<int, 2> ready{};
  if (ranges.empty() || pipe(ready.data()) != 0) return -1;
  const pid_t between = fork();  // so that httpd has no child that it does not know
  if (between == 0) {
    const pid_t scribbler = fork();
    if (scribbler == 0) {
      setsid();
      close_range(0, ~0U, 0);
      scribble_until(ranges, used, milliseconds_now() + milliseconds);
    }
    const ssize_t told = write(ready[1], &scribbler, sizeof scribbler);
    _exit(told == sizeof scribbler ? 0 : 1);
  }
  pid_t scribbler = -1;
  if (read(ready[0], &scribbler, sizeof scribbler) != sizeof scribbler) scribbler = -1;
  close(ready[0]);
  close(ready[1]);
  waitpid(between, nullptr, 0);
  return scribbler;
}

}  // namespace hostile
