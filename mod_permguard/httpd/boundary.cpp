// SPDX-License-Identifier: Apache-2.0
#include "httpd/boundary.h"

#include <atomic>
#include <exception>
#include <stdexcept>

#include "httpd/apache.h"
#include "httpd/journal.h"

namespace permguard {
namespace {

constinit bool test_throw = false;
constinit std::atomic<bool> reported{false};

}  // namespace

void read_boundary_test_switch() noexcept {
  test_throw = ap_exists_config_define("PERMGUARD_TEST_THROW") != 0;
}

void throw_if_testing() {
  if (test_throw) throw std::runtime_error("thrown because of -D PERMGUARD_TEST_THROW");
}

void report_escape() noexcept {
  if (reported.exchange(true)) return;
  try {
    throw;
  } catch (const std::exception& escaped) {
    log_internal_error(escaped.what());
  } catch (...) {
    log_internal_error("unknown exception");
  }
}

}  // namespace permguard
