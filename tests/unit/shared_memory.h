// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "incidents/store.h"
#include "incidents/store_layout.h"

namespace permguard {

/// A state in memory that children made by fork(2) share, as httpd's children do.
class SharedMemory {
 public:
  explicit SharedMemory(unsigned incidents) : size_(SharedState::size_for(incidents) + kOffset) {
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::runtime_error("mmap");
    state_ = SharedState::in(base(), size(), incidents);
    if (!state_) throw std::runtime_error("too small");
  }
  ~SharedMemory() { munmap(memory_, size_); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  SharedState* operator->() { return &*state_; }
  /// As APR gives it: aligned to 8 bytes only.
  char* base() { return static_cast<char*>(memory_) + kOffset; }
  std::size_t size() const { return size_ - kOffset; }
  std::size_t resident_pages() const {
    constexpr std::size_t kPage = 4096;
    std::vector<unsigned char> resident(size_ / kPage + 1);
    if (mincore(memory_, size_, resident.data()) != 0) throw std::runtime_error("mincore");
    return static_cast<std::size_t>(
        std::count_if(resident.begin(), resident.end(), [](auto page) { return (page & 1) != 0; }));
  }
  /// The parts, as the state itself has them.
  shared::Layout layout(unsigned incidents) {
    const auto address = reinterpret_cast<std::uintptr_t>(base());
    const std::uintptr_t aligned = (address + shared::kAlignment - 1) & ~(shared::kAlignment - 1);
    return {reinterpret_cast<char*>(aligned), incidents};
  }

 private:
  static constexpr std::size_t kOffset = 8;
  std::size_t size_;
  void* memory_;
  std::optional<SharedState> state_;
};

inline Identity www_data() {
  Identity who;
  who.uid = who.gid = 33;
  who.groups = {33};
  who.name = "www-data";
  return who;
}

/// A finding as the checker makes it: `path` of an existing script that nobody may execute.
inline Finding broken(const std::string& path) {
  Finding finding;
  finding.code = Code::not_executable;
  finding.target = finding.path = path;
  finding.file = FileStatus{FileType::regular, 0644, 0, 0, 2049, 131, 12, 1699178292, 7};
  finding.owner = finding.group = "root";
  finding.decided_by = DecidedBy::no_execute_bit;
  finding.error = 13;
  finding.target_seen = true;
  finding.remedy.steps = {{FixStep::Kind::chmod, path, 131, "a+x", false}};
  return finding;
}

/// A script under a directory that may not be searched.
inline Finding hidden(const std::string& directory, const std::string& target) {
  Finding finding = broken(target);
  finding.code = Code::search_denied;
  finding.path = directory;
  finding.target_seen = false;
  finding.remedy.steps[0].path = directory;
  return finding;
}

inline std::vector<IncidentView> incidents_of(SharedMemory& memory) {
  StatusSnapshot snapshot;
  memory->fill(snapshot);
  return snapshot.incidents;
}

inline std::vector<std::string> open_paths(SharedMemory& memory) {
  std::vector<std::string> paths;
  for (const IncidentView& view : incidents_of(memory)) {
    if (view.open) paths.push_back(view.finding.path);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace permguard
