// SPDX-License-Identifier: Apache-2.0
#include "httpd/engine.h"

#include <atomic>
#include <utility>

#include "httpd/discovery.h"
#include "httpd/pool.h"

namespace permguard {
namespace {

constinit const Surroundings* seen_by_root = nullptr;
/// mod_watchdog may have started its thread before this child's engine is there.
constinit std::atomic<const Engine*> child_engine = nullptr;

/// The parent sees what a child may not: binfmt_misc may be readable for root alone, so are the
/// first process's namespaces, and a chroot has no /proc.
Surroundings surroundings_of_child() {
  if (seen_by_root && ap_unixd_config.chroot_dir) return *seen_by_root;
  Surroundings surroundings = read_surroundings();
  if (!seen_by_root) return surroundings;
  surroundings.private_mounts = seen_by_root->private_mounts;
  if (surroundings.binfmt.state == BinfmtMisc::State::unreadable) {
    surroundings.binfmt = seen_by_root->binfmt;
  }
  return surroundings;
}

/// A chroot may have no user data base; the name is that of the directive `User`.
Identity identity_of_child() {
  Identity self = current_identity();
  if (self.uid == ap_unixd_config.user_id && self.name.starts_with('#') &&
      ap_unixd_config.user_name) {
    self.name = ap_unixd_config.user_name;
  }
  return self;
}

}  // namespace

KernelAnswer AfterFailureKernel::may_execute(const std::string& path) const {
  return execute_check_on_helper_thread(path);
}

Examiner Engine::examiner(bool certain, Moment moment) const {
  const Kernel* asked = moment == Moment::after_failure ? &thorough_kernel : &kernel;
  return Examiner{.filesystem = filesystem,
                  .names = names,
                  .kernel = certain ? asked : nullptr,
                  .surroundings = surroundings};
}

void prepare_engine(apr_pool_t* pconf) {
  seen_by_root = make_in_pool<Surroundings>(pconf, read_surroundings());
}

void start_engine(apr_pool_t*, server_rec*) {
  // Never freed: a child that is stopped destroys pchild while its threads may still log a request.
  auto* engine = new Engine;
  engine->surroundings = surroundings_of_child();
  engine->self = identity_of_child();
  engine->identity_switches =
      ap_find_linked_module("mpm_itk.c") || ap_find_linked_module("mod_ruid2.c");
  if (engine->identity_switches) engine->server_user = server_identity();
  child_engine.store(engine, std::memory_order_release);
}

const Engine* engine() noexcept {
  return child_engine.load(std::memory_order_acquire);
}

}  // namespace permguard
