// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "incidents/store.h"
#include "incidents/store_layout.h"

namespace permguard {
namespace {

using shared::Layout;
using shared::WatchSlot;

// A record of the watch: this head, the directory's name, how many of each kind are left out, then
// each finding's record after its length.
struct Head {
  std::uint64_t files;
  std::uint64_t duration;  // bits of the double
  std::int64_t last_run;
  std::uint32_t directory_bytes;
  std::uint32_t findings;
  std::uint32_t kinds;
  std::uint32_t truncated;
};

struct Kind {
  std::uint64_t count, code, role, severity;
};

// More than one directory ever shows.
constexpr std::size_t kMostKinds = 64;

// More than any file system holds; sums of such numbers do not overflow.
constexpr std::uint64_t kMostFiles = std::uint64_t{1} << 48;

std::uint64_t hash_of(std::string_view directory) {
  return shared::spread(shared::hash_bytes(directory));
}

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

bool take(std::string_view& bytes, std::size_t size, std::string_view& taken) {
  if (size > bytes.size()) return false;
  taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

template <class T>
bool take(std::string_view& bytes, T& value) {
  std::string_view taken;
  if (!take(bytes, sizeof value, taken)) return false;
  std::memcpy(&value, taken.data(), sizeof value);
  return true;
}

// Errors first, then drift: what there is no room for is the least that matters.
std::vector<const WatchFinding*> by_weight(const std::vector<WatchFinding>& findings) {
  const auto rank = [](const WatchFinding* found) {
    switch (found->finding.severity) {
      case Severity::error:
        return 0;
      case Severity::drift:
        return 1;
      case Severity::warning:
        break;
    }
    return 2;
  };
  std::vector<const WatchFinding*> sorted;
  sorted.reserve(findings.size());
  for (const WatchFinding& found : findings) sorted.push_back(&found);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](auto* left, auto* right) { return rank(left) < rank(right); });
  return sorted;
}

// The findings there is room for, in `room` bytes; the others are counted in `left_out`.
std::vector<std::string> records_of(const std::vector<WatchFinding>& findings, std::size_t room,
                                    FindingCounts& left_out) {
  shared::FindingRecord record;
  std::vector<std::string> records;
  for (const WatchFinding* found : by_weight(findings)) {
    shared::encode(found->finding, found->who, {}, record);
    const std::size_t size = sizeof(std::uint32_t) + record.size;
    if (records.size() == shared::kWatchFindings || size > room) {
      count(left_out, found->finding);
      continue;
    }
    room -= size;
    records.emplace_back(record.bytes());
  }
  return records;
}

std::uint32_t append_kinds(std::string& bytes, const FindingCounts& counts) {
  std::uint32_t kinds = 0;
  for (const auto& [kind, number] : counts) {
    if (kinds == kMostKinds) break;
    const auto [code, role, severity] = kind;
    append(bytes, Kind{number, static_cast<std::uint64_t>(code), static_cast<std::uint64_t>(role),
                       static_cast<std::uint64_t>(severity)});
    ++kinds;
  }
  return kinds;
}

std::string record_of(const WatchView& view) {
  const std::string_view name = std::string_view(view.directory).substr(0, shared::kPathBytes);
  Head head{view.files,
            std::bit_cast<std::uint64_t>(view.duration_seconds),
            view.last_run,
            static_cast<std::uint32_t>(name.size()),
            0,
            0,
            view.truncated ? 1U : 0U};
  std::string bytes;
  append(bytes, head);
  bytes += name;
  FindingCounts left_out = view.left_out;
  const std::size_t room = shared::kWatchBytes - bytes.size() - kMostKinds * sizeof(Kind);
  const std::vector<std::string> records = records_of(view.findings, room, left_out);
  head.findings = static_cast<std::uint32_t>(records.size());
  head.kinds = append_kinds(bytes, left_out);
  for (const std::string& record : records) {
    append(bytes, static_cast<std::uint32_t>(record.size()));
    bytes += record;
  }
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

bool take_kind(std::string_view& bytes, WatchView& view) {
  Kind kind{};
  if (!take(bytes, kind) || kind.code >= kCodeCount || kind.role >= kRoleCount ||
      kind.severity > static_cast<std::uint64_t>(Severity::drift) || kind.count > kMostFiles) {
    return false;
  }
  view.left_out[{static_cast<Code>(kind.code), static_cast<Role>(kind.role),
                 static_cast<Severity>(kind.severity)}] = kind.count;
  return true;
}

bool take_finding(std::string_view& bytes, WatchView& view) {
  std::uint32_t size = 0;
  std::string_view record;
  if (!take(bytes, size) || !take(bytes, size, record)) return false;
  auto decoded = shared::decode(record);
  if (!decoded) return false;
  view.findings.push_back({std::move(decoded->finding), std::move(decoded->who)});
  return true;
}

// Seconds that a run can have taken; neither NaN nor infinity.
constexpr double kLongestRun = 1e9;

std::optional<WatchView> view_in(std::string_view bytes) {
  Head head{};
  std::string_view name;
  if (!take(bytes, head) || !take(bytes, head.directory_bytes, name)) return std::nullopt;
  const auto duration = std::bit_cast<double>(head.duration);
  const bool possible = head.files <= kMostFiles && duration >= 0 && duration <= kLongestRun;
  if (!possible || head.last_run < 0 || head.last_run > shared::kLastTime) return std::nullopt;
  WatchView view{std::string(name), head.files, head.truncated != 0, {}, head.last_run, duration};
  for (std::uint32_t i = 0; i < head.kinds; ++i) {
    if (!take_kind(bytes, view)) return std::nullopt;
  }
  for (std::uint32_t i = 0; i < head.findings; ++i) {
    if (!take_finding(bytes, view)) return std::nullopt;
  }
  return view;
}

// The directory's own slot, else a free one, which it makes its own; null: all are taken.
WatchSlot* slot_of(std::span<WatchSlot> slots, std::uint64_t directory) {
  const auto own = [&](const WatchSlot& slot) { return slot.directory.load() == directory; };
  const auto found = std::find_if(slots.begin(), slots.end(), own);
  if (found != slots.end()) return &*found;
  for (WatchSlot& slot : slots) {
    std::uint64_t free = 0;
    if (slot.directory.replace(free, directory) || free == directory) return &slot;
  }
  return nullptr;
}

}  // namespace

const std::size_t SharedState::kMostWatched = shared::kWatchDirectories;

void SharedState::store_watch(const WatchView& view) noexcept {
  const Layout layout = this->layout();
  WatchSlot* slot = slot_of(layout.region.watch, hash_of(view.directory));
  if (slot == nullptr) {
    layout.region.counters.incidents_evicted.add(1);
    return;
  }
  try {
    const std::string bytes = record_of(view);
    const shared::Claim claim(slot->latch);
    if (!claim) return;  // the other generation's watch has just looked at the same directory
    const auto index = static_cast<std::size_t>(slot - layout.region.watch.data());
    shared::write_record(slot->latch, layout.watch_records[index], bytes);
  } catch (...) {
    // Out of memory: the last run's result stays.
  }
}

std::vector<std::string> SharedState::retain_watch(
    const std::vector<std::string>& directories) noexcept {
  std::vector<std::string> dropped;
  try {
    StatusSnapshot snapshot;
    shared::fill_watch(layout(), snapshot);
    for (WatchView& view : snapshot.watch) {
      const bool wanted =
          std::find(directories.begin(), directories.end(), view.directory) != directories.end();
      if (!wanted) dropped.push_back(std::move(view.directory));
    }
  } catch (...) {
    // Out of memory: incidents of a directory that left the configuration wait for their requests.
  }
  for (WatchSlot& slot : region().watch) {
    std::uint64_t directory = slot.directory.load();
    const bool wanted =
        std::any_of(directories.begin(), directories.end(),
                    [&](const std::string& name) { return hash_of(name) == directory; });
    if (directory != 0 && !wanted) slot.directory.replace(directory, 0);
  }
  return dropped;
}

std::int64_t SharedState::oldest_watch(const std::vector<std::string>& directories) const noexcept {
  try {
    StatusSnapshot snapshot;
    shared::fill_watch(layout(), snapshot);
    std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
    for (const std::string& directory : directories) {
      const auto result =
          std::find_if(snapshot.watch.begin(), snapshot.watch.end(),
                       [&](const WatchView& view) { return view.directory == directory; });
      if (result == snapshot.watch.end()) return 0;
      oldest = std::min(oldest, result->last_run);
    }
    return directories.empty() ? 0 : oldest;
  } catch (...) {
    return 0;  // out of memory: a run too many does no harm
  }
}

void shared::fill_watch(const Layout& layout, StatusSnapshot& snapshot) {
  std::string buffer;
  for (std::size_t i = 0; i < kWatchDirectories; ++i) {
    const WatchSlot& slot = layout.region.watch[i];
    const std::uint64_t directory = slot.directory.load();
    if (directory == 0 || !read_record(slot.latch, layout.watch_records[i], buffer)) continue;
    std::optional<WatchView> view = view_in(buffer);
    // A slot just taken over still holds the record of the directory before.
    if (view && hash_of(view->directory) == directory) {
      snapshot.watch.push_back(std::move(*view));
    }
  }
}

}  // namespace permguard
