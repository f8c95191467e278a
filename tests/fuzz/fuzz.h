// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

/// What every target defines and what libFuzzer, or replay.cpp, calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace permguard::fuzz {

/// Ends the run with `invariant` on stderr where it does not hold.
inline void require(bool holds, const char* invariant) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", invariant);
  std::abort();
}

/// Takes values from the front of the fuzzer's bytes; zeros when they are used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }

  unsigned byte() {
    if (rest_.empty()) return 0;
    const unsigned value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  /// A number below `limit`, which is at most 256.
  unsigned below(unsigned limit) { return byte() % limit; }

  /// Up to the next NUL, which is taken too.
  std::string word() {
    const std::string_view word = rest_.substr(0, rest_.find('\0'));
    rest_.remove_prefix(word.size() < rest_.size() ? word.size() + 1 : word.size());
    return std::string(word);
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace permguard::fuzz
