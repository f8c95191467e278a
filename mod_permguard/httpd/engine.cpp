// SPDX-License-Identifier: Apache-2.0
#include "httpd/engine.h"

#include <utility>

#include "httpd/pool.h"

namespace permguard {
namespace {

constinit const BinfmtMisc* binfmt_seen_by_root = nullptr;
constinit const Engine* child_engine = nullptr;

/// binfmt_misc may be readable for root alone; a list that was read beats one that was not.
Surroundings surroundings_of_child() {
  Surroundings surroundings = read_surroundings();
  if (surroundings.binfmt.state == BinfmtMisc::State::unreadable && binfmt_seen_by_root) {
    surroundings.binfmt = *binfmt_seen_by_root;
  }
  return surroundings;
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
  binfmt_seen_by_root = make_in_pool<BinfmtMisc>(pconf, read_surroundings().binfmt);
}

void prepare_child_engine(Engine& engine) {
  engine.surroundings = surroundings_of_child();
  engine.self = current_identity();
  engine.identity_switches =
      ap_find_linked_module("mpm_itk.c") || ap_find_linked_module("mod_ruid2.c");
}

void start_engine(apr_pool_t* pchild, server_rec*) {
  Engine* engine = make_in_pool<Engine>(pchild);
  prepare_child_engine(*engine);
  child_engine = engine;
}

const Engine* engine() noexcept {
  return child_engine;
}

}  // namespace permguard
