// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a compromised process of httpd can do. Nothing here knows how mod_permguard lays out its
// memory: an attack is about the 8-byte words of a range of addresses.
namespace hostile {

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

/// "7f0000001000-7f0000002000,…", as /proc/PID/maps writes addresses.
std::vector<Range> ranges_in(std::string_view text);

inline std::uint64_t& word_at(std::uintptr_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

/// zeros, ones, letters (0x41), random; false for another name.
bool fill(const std::vector<Range>& ranges, std::string_view pattern);

/// The words that are not 0.
std::vector<std::uintptr_t> used_words(const std::vector<Range>& ranges);

/// Forks a process that stays in the session of its own and stores hostile values into the ranges
/// for `milliseconds`, at full speed; its id.
int scribble(const std::vector<Range>& ranges, int milliseconds);

/// Every hook of httpd's core with the functions that are called for it, as offsets into their
/// files: equal in every process of a server and over its restarts.
std::string hooks_text();

/// A sum over the same, for this process only.
std::uint64_t hooks_sum();

/// The words of all loaded objects' data that point to code, and what they hold: global offset
/// tables, tables of functions, callbacks.
std::vector<std::pair<std::uintptr_t, std::uintptr_t>> code_pointers();

}  // namespace hostile
