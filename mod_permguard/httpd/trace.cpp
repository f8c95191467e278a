// SPDX-License-Identifier: Apache-2.0
#include "httpd/trace.h"

#include <array>
#include <cstddef>

#include "httpd/pool.h"

namespace permguard {
namespace {

constexpr std::size_t kStateCount = 4;
constexpr std::size_t kNeedCount = 3;

constexpr std::size_t index_of(Trace::State state, Handler handler, Need need) {
  return (static_cast<std::size_t>(state) * kHandlerCount + static_cast<std::size_t>(handler)) *
             kNeedCount +
         static_cast<std::size_t>(need);
}

constexpr auto every_plain_trace() {
  std::array<Trace, kStateCount * kHandlerCount * kNeedCount> all{};
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].state = static_cast<Trace::State>(i / kNeedCount / kHandlerCount);
    all[i].handler = static_cast<Handler>(i / kNeedCount % kHandlerCount);
    all[i].need = static_cast<Need>(i % kNeedCount);
  }
  return all;
}

/// Every trace there can be without a diagnosis, so that a request only points to one.
constexpr auto kPlain = every_plain_trace();

void set_trace(request_rec* r, const Trace* trace) noexcept {
  // httpd's slot is not const; nobody writes through it.
  ap_set_module_config(r->request_config, &permguard_module, const_cast<Trace*>(trace));
}

}  // namespace

const Trace* trace_of(const request_rec* r) noexcept {
  return static_cast<const Trace*>(ap_get_module_config(r->request_config, &permguard_module));
}

void leave_trace(request_rec* r, Trace::State state, const Target& target) noexcept {
  if (!target.proxy) {
    set_trace(r, &kPlain[index_of(state, target.handler, target.need)]);
    return;
  }
  set_trace(r, make_in_pool<Trace>(r->pool, Trace{.state = state,
                                                  .handler = target.handler,
                                                  .need = target.need,
                                                  .proxy = target.proxy}));
}

void leave_pending_trace(request_rec* r, const Target& target, const Diagnosis& diagnosis,
                         std::uint64_t nanoseconds) {
  set_trace(r, make_in_pool<Trace>(r->pool, Trace{.state = Trace::State::pending,
                                                  .handler = target.handler,
                                                  .need = target.need,
                                                  .proxy = target.proxy,
                                                  .diagnosis = &diagnosis,
                                                  .nanoseconds = nanoseconds}));
}

}  // namespace permguard
