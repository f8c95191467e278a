// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace permguard::test {

/// An httpd error log in the default ErrorLogFormat. Every line of level warn or worse, every
/// crash of a child and every sanitizer report must be expected or allowed, else problems()
/// names it.
class ErrorLog {
 public:
  explicit ErrorLog(std::string file) : file_(std::move(file)) {}

  /// All whole lines so far.
  std::vector<std::string> lines() const;
  /// How many lines hold `text`.
  std::size_t count(std::string_view text) const;

  /// Waits for a line that holds `text` and was not returned by an earlier expect(); returns it.
  /// A test failure, and "", where none comes.
  std::string expect(std::string_view text,
                     std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// Lines that hold `text` are no problem, now and later; a crash only where `text` is about one.
  void allow(std::string_view text) { allowed_.emplace_back(text); }
  /// Forgets what was logged so far: it is neither a problem nor found by expect().
  void skip();

  /// The unexpected lines, one below the other; "" if there are none.
  std::string problems() const;

 private:
  std::string file_;
  std::vector<std::string> allowed_;
  std::vector<bool> expected_;  ///< by line
};

}  // namespace permguard::test
