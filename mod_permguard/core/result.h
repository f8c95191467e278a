// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace permguard {

/// A value, or the errno that stood in its way.
/// `error` is 0 exactly when `value` is meaningful.
template <class T>
struct Result {
  int error = 0;
  T value{};

  explicit operator bool() const { return error == 0; }
};

template <class T>
Result<T> failure(int error) {
  return Result<T>{error, T{}};
}

}  // namespace permguard
