// SPDX-License-Identifier: Apache-2.0
// The small words of a sentence: times, modes, tags.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "report/sentence.h"

namespace permguard {
namespace {

// RFC 3339 has four digits for the year.
constexpr std::int64_t kFirstSecond = -62135596800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLastSecond = 253402300799;   // 9999-12-31T23:59:59Z

char type_letter(FileType type) {
  switch (type) {
    case FileType::regular:
      return '-';
    case FileType::directory:
      return 'd';
    case FileType::symlink:
      return 'l';
    case FileType::fifo:
      return 'p';
    case FileType::socket:
      return 's';
    case FileType::character_device:
      return 'c';
    case FileType::block_device:
      return 'b';
    case FileType::unknown:
      break;
  }
  return '?';
}

// The x column of one class, which also shows setuid, setgid or sticky.
char execute_letter(bool executable, bool special, char letter) {
  if (!special) return executable ? 'x' : '-';
  return executable ? letter : static_cast<char>(letter - 'a' + 'A');
}

}  // namespace

std::string age_words(std::int64_t seconds) {
  struct Unit {
    std::int64_t seconds;
    char letter;
  };
  constexpr std::array<Unit, 4> kUnits = {{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  seconds = std::max<std::int64_t>(seconds, 0);
  const auto* unit = std::find_if(kUnits.begin(), kUnits.end() - 1,
                                  [&](const Unit& each) { return seconds >= each.seconds; });
  std::string words = std::to_string(seconds / unit->seconds) + unit->letter;
  if (unit->seconds == 1) return words;
  const std::int64_t rest = seconds % unit->seconds;
  ++unit;
  return words + std::to_string(rest / unit->seconds) + unit->letter;
}

std::string rfc3339(std::int64_t seconds) {
  const std::time_t time = std::clamp(seconds, kFirstSecond, kLastSecond);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text.data();
}

std::string symbolic_mode(const FileStatus& file) {
  std::string text(1, type_letter(file.type));
  for (const unsigned shift : {6U, 3U, 0U}) {
    const unsigned bits = file.mode >> shift;
    text += (bits & kRead) != 0 ? 'r' : '-';
    text += (bits & kWrite) != 0 ? 'w' : '-';
    // setuid, setgid and sticky are 04000, 02000, 01000: one for each class, in order.
    const bool special = (file.mode & (01000U << (shift / 3))) != 0;
    text += execute_letter((bits & kExecute) != 0, special, shift == 0 ? 't' : 's');
  }
  return text;
}

std::string tag(const Finding& finding) {
  if (finding.role == Role::script) return name_of(finding.code);
  return std::string(name_of(finding.role)) + '-' + name_of(finding.code);
}

const char* name_of(FailureCause cause) {
  switch (cause) {
    case FailureCause::no_headers:
      return "no headers from the script";
    case FailureCause::timeout:
      return "timeout";
    case FailureCause::answered:
      return "answered by the script";
    case FailureCause::other:
      break;
  }
  return "other";
}

}  // namespace permguard
