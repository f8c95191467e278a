// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace permguard::cli {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr unsigned kWidth = 12;
constexpr unsigned kMark = 3;
constexpr std::uint64_t kNamesALook = 64;  ///< the clock is asked once in so many

std::string bar(unsigned frame) {
  const unsigned way = kWidth - kMark;
  const unsigned at = frame % (2 * way);
  std::string text(kWidth, ' ');
  text.replace(at < way ? at : 2 * way - at, kMark, kMark, '=');
  return "[" + text + "]";
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::step(std::uint64_t scripts, std::uint64_t findings) {
  if (!terminal_ || ++names_ % kNamesALook != 0) return;
  const Clock::time_point now = Clock::now();
  if (now - last_ >= kPause) show(now, scripts, findings);
}

void Progress::show(Clock::time_point now, std::uint64_t scripts, std::uint64_t findings) {
  const double seconds = std::chrono::duration<double>(now - began_).count();
  std::fprintf(stderr, "\r\033[K%s %llu files, %.0f/s, %llu scripts, %llu findings",
               bar(frame_++).c_str(), static_cast<unsigned long long>(names_),
               static_cast<double>(names_) / seconds, static_cast<unsigned long long>(scripts),
               static_cast<unsigned long long>(findings));
  last_ = now;
  shown_ = true;
}

}  // namespace permguard::cli
