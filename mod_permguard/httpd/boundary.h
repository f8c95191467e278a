// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace permguard {

/// Writes what escaped to the error log, once a process. Call it inside a catch clause only.
void report_escape() noexcept;

/// Reads whether httpd was started with `-D PERMGUARD_TEST_THROW`: then every guarded entry
/// throws, so that a test can see that httpd lives on. No request can set such a define.
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

/// What a directive answers that failed for want of memory: httpd does not start.
inline constexpr char kDirectiveFailed[] = "mod_permguard could not take in this directive";

/// The same for the handler of a directive; the test switch does not reach it, because httpd
/// would not start.
template <auto Function>
inline constexpr auto guarded_directive = &Boundary<Function, kDirectiveFailed, false>::call;

}  // namespace permguard
