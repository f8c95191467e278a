// SPDX-License-Identifier: Apache-2.0
#include "httpd/shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "httpd/config.h"
#include "httpd/journal.h"

namespace permguard {
namespace {

/// What survives a restart of the configuration: it lies in httpd's own retained data, in the
/// parent's private memory, so nothing in it may point into the DSO, which is loaded anew.
struct Retained {
  void* memory = nullptr;  ///< an anonymous mapping: gone with the last process
  std::size_t size = 0;
  std::uint64_t geometry = 0;
  std::int64_t started = 0;
};

constexpr char kRetainedKey[] = "mod_permguard-2";

constinit std::optional<SharedState> state;
constinit std::int64_t started = 0;

Retained& retained_data() {
  void* found = ap_retained_data_get(kRetainedKey);
  if (!found) {
    found = ap_retained_data_create(kRetainedKey, sizeof(Retained));
    static_cast<Retained*>(found)->started = apr_time_sec(apr_time_now());
  }
  return *static_cast<Retained*>(found);
}

std::size_t page_size() noexcept {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Shared memory between two pages that nobody may touch, or null.
void* map_between_guards(std::size_t size) noexcept {
  const std::size_t page = page_size();
  constexpr int kNothing = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* all = mmap(nullptr, size + 2 * page, PROT_NONE, kNothing, -1, 0);
  if (all == MAP_FAILED) return nullptr;
  void* inner = static_cast<char*>(all) + page;
  constexpr int kShared = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  if (mmap(inner, size, PROT_READ | PROT_WRITE, kShared, -1, 0) != MAP_FAILED) return inner;
  const int error = errno;
  munmap(all, size + 2 * page);
  errno = error;
  return nullptr;
}

/// Children of the generation before have mappings of their own.
void unmap(Retained& retained) noexcept {
  if (!retained.memory) return;
  const std::size_t page = page_size();
  munmap(static_cast<char*>(retained.memory) - page, retained.size + 2 * page);
  retained.memory = nullptr;
}

void* segment_for(Retained& retained, server_rec* server, unsigned incidents) {
  const std::uint64_t geometry = SharedState::geometry(incidents);
  if (retained.memory && retained.geometry == geometry) return retained.memory;
  unmap(retained);
  const std::size_t page = page_size();
  retained.size = (SharedState::size_for(incidents) + page - 1) / page * page;
  retained.geometry = geometry;
  retained.memory = map_between_guards(retained.size);
  if (!retained.memory) {
    log_startup_error(server, errno, "no shared memory: each child process counts for itself");
  }
  return retained.memory;
}

}  // namespace

void open_shared_state(apr_pool_t* pconf, server_rec* server) {
  const unsigned incidents = server_config(server).effective_incidents();
  const std::size_t size = SharedState::size_for(incidents);
  Retained& retained = retained_data();
  started = retained.started;
  void* memory = segment_for(retained, server, incidents);
  state = SharedState::in(memory ? memory : apr_pcalloc(pconf, size), size, incidents);
}

SharedState& shared_state() noexcept {
  return *state;
}

std::int64_t server_started() noexcept {
  return started;
}

}  // namespace permguard
