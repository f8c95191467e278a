// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checker.h"
#include "core/filesystem.h"
#include "core/identity.h"
#include "core/kernel.h"
#include "httpd/apache.h"

namespace permguard {

/// Asks like AccessKernel, and with AT_EXECVE_CHECK on a helper thread: for requests that have
/// failed, never before dispatch.
class AfterFailureKernel : public AccessKernel {
 public:
  KernelAnswer may_execute(const std::string& path) const override;
};

/// How thoroughly to ask: before dispatch with faccessat2 only.
enum class Moment { before_dispatch, after_failure };

/// What a child process needs to judge requests; made once, when the child starts.
struct Engine {
  SystemFilesystem filesystem{};
  SystemNames names{};
  AccessKernel kernel{};
  AfterFailureKernel thorough_kernel{};
  Surroundings surroundings;
  Identity self;                   ///< of the child when it started
  Identity server_user;            ///< httpd's User and Group; set where the identity switches
  bool identity_switches = false;  ///< mpm-itk or mod_ruid2 changes it for every request

  /// The seams for core. `certain`: the one who will execute is the one who asks, so the
  /// kernel can be asked.
  Examiner examiner(bool certain, Moment moment) const;
};

/// post_config, as root: reads what a child may not.
void prepare_engine(apr_pool_t* pconf);

/// child_init.
void start_engine(apr_pool_t* pchild, server_rec* server);

/// The child's engine; null before child_init.
const Engine* engine() noexcept;

}  // namespace permguard
