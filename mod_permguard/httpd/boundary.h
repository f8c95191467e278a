// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace permguard {

/// Writes what escaped to the error log, once a process. Call it inside a catch clause only.
void report_escape() noexcept;

/// Reads whether httpd was started with `-D PERMGUARD_TEST_THROW`: then every entry that runs
/// after the start throws, so that a test can see that httpd lives on. No request can set such a
/// define.
void read_boundary_test_switch() noexcept;

/// Throws where that switch is on.
void throw_if_testing();

/// Calls `Function` for httpd, which is C: an exception that left it would end the child with
/// all its requests. What is thrown becomes `Fallback`.
template <auto Function, auto Fallback, bool kMayTestThrow = true>
struct Boundary;

template <class R, class... A, R (*Function)(A...), auto Fallback, bool kMayTestThrow>
struct Boundary<Function, Fallback, kMayTestThrow> {
  static R call(A... arguments) noexcept {
    try {
      if constexpr (kMayTestThrow) throw_if_testing();
      return Function(arguments...);
    } catch (...) {
      report_escape();
    }
    return static_cast<R>(Fallback);
  }
};

/// The entry that is handed to httpd for a hook, filter or pool clean-up.
template <auto Function, auto Fallback>
inline constexpr auto guarded = &Boundary<Function, Fallback>::call;

/// The same for a hook without which the server must not start. The test switch does not reach
/// it: there would be no server to look at.
template <auto Function, auto Fallback>
inline constexpr auto guarded_at_start = &Boundary<Function, Fallback, false>::call;

}  // namespace permguard
