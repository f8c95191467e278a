// SPDX-License-Identifier: Apache-2.0
#include "httpd/shared_memory.h"

#include "httpd/config.h"
#include "httpd/journal.h"

namespace permguard {
namespace {

/// What survives a restart of the configuration: it lies in httpd's own retained data and in
/// the pool of the process, so nothing in it may point into the DSO, which is loaded anew.
struct Retained {
  void* memory = nullptr;  ///< an anonymous mapping: gone with the last process
  std::size_t size = 0;
  std::int64_t started = 0;
};

constexpr char kRetainedKey[] = "mod_permguard-1";

constinit SharedState* state = nullptr;
constinit std::int64_t started = 0;

Retained& retained_data() {
  void* found = ap_retained_data_get(kRetainedKey);
  if (!found) {
    found = ap_retained_data_create(kRetainedKey, sizeof(Retained));
    static_cast<Retained*>(found)->started = apr_time_sec(apr_time_now());
  }
  return *static_cast<Retained*>(found);
}

/// A new segment; an old one of another layout stays mapped for the children that still use it.
SharedState* create(Retained& retained, server_rec* server, unsigned incidents) {
  const std::size_t size = SharedState::size_for(incidents);
  apr_shm_t* segment = nullptr;
  const apr_status_t status = apr_shm_create(&segment, size, nullptr, server->process->pool);
  if (status != APR_SUCCESS) {
    log_startup_error(server, status, "no shared memory: each child process counts for itself");
    return nullptr;
  }
  retained.memory = apr_shm_baseaddr_get(segment);
  retained.size = apr_shm_size_get(segment);
  return SharedState::create(retained.memory, retained.size, incidents);
}

SharedState* create_private(apr_pool_t* pconf, unsigned incidents) {
  const std::size_t size = SharedState::size_for(incidents);
  return SharedState::create(apr_pcalloc(pconf, size), size, incidents);
}

}  // namespace

void open_shared_state(apr_pool_t* pconf, server_rec* server) {
  const unsigned incidents = server_config(server).effective_incidents();
  Retained& retained = retained_data();
  started = retained.started;
  state = retained.memory ? SharedState::adopt(retained.memory, retained.size, incidents) : nullptr;
  if (!state) state = create(retained, server, incidents);
  if (!state) state = create_private(pconf, incidents);
}

SharedState& shared_state() noexcept {
  return *state;
}

std::int64_t server_started() noexcept {
  return started;
}

}  // namespace permguard
