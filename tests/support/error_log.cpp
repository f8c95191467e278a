// SPDX-License-Identifier: Apache-2.0
#include "support/error_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "support/process.h"

namespace permguard::test {
namespace {

constexpr std::array<std::string_view, 5> kBadLevels = {":warn]", ":error]", ":crit]", ":alert]",
                                                        ":emerg]"};

/// What a crash or a sanitizer leaves in the log, at whatever level or without one. AH00052: a
/// child was ended by a signal.
constexpr std::array<std::string_view, 6> kDisasters = {"AH00052",        "AddressSanitizer",
                                                        "LeakSanitizer",  "ThreadSanitizer",
                                                        "runtime error:", "terminate called"};

/// Default format: "[date] [module:level] [pid …] …".
bool is_bad_level(std::string_view line) {
  if (!line.starts_with('[')) return false;
  const auto level = line.find("] [");
  if (level == std::string_view::npos) return false;
  const auto end = line.find(']', level + 3);
  if (end == std::string_view::npos) return false;
  const std::string_view field = line.substr(level + 3, end - level - 2);
  return std::ranges::any_of(kBadLevels, [&](auto bad) { return field.ends_with(bad); });
}

bool is_disaster(std::string_view line) {
  return std::ranges::any_of(kDisasters, [&](auto text) { return line.find(text) != line.npos; });
}

/// A crash is excused only by words about crashes: "AH" for all that httpd says while it restarts
/// would hide one.
bool excuses(std::string_view allowed, std::string_view line) {
  if (line.find(allowed) == line.npos) return false;
  return !is_disaster(line) || is_disaster(allowed) || allowed.find("signal") != allowed.npos;
}

}  // namespace

std::vector<std::string> ErrorLog::lines() const {
  std::ifstream file(file_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    lines.push_back(text.substr(start, end - start));
  }
  return lines;
}

std::size_t ErrorLog::count(std::string_view text) const {
  const auto all = lines();
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [&](const auto& line) { return line.find(text) != line.npos; }));
}

std::string ErrorLog::expect(std::string_view text, std::chrono::milliseconds limit) {
  std::string found;
  const bool seen = poll_until(
      [&] {
        const auto all = lines();
        expected_.resize(std::max(expected_.size(), all.size()));
        for (std::size_t i = 0; i < all.size(); ++i) {
          if (expected_[i] || all[i].find(text) == std::string::npos) continue;
          expected_[i] = true;
          found = all[i];
          return true;
        }
        return false;
      },
      limit);
  EXPECT_TRUE(seen) << "no line with: " << text << "\nthe error log:\n"
                    << [this] {
                         std::string whole;
                         for (const auto& line : lines()) whole += line + '\n';
                         return whole;
                       }();
  return found;
}

void ErrorLog::skip() {
  expected_.assign(lines().size(), true);
}

std::string ErrorLog::problems() const {
  const auto all = lines();
  std::string problems;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < expected_.size() && expected_[i]) continue;
    if (!is_bad_level(all[i]) && !is_disaster(all[i])) continue;
    const bool allowed =
        std::ranges::any_of(allowed_, [&](const auto& text) { return excuses(text, all[i]); });
    if (!allowed) problems += all[i] + '\n';
  }
  return problems;
}

}  // namespace permguard::test
