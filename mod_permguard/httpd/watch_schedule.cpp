// SPDX-License-Identifier: Apache-2.0
#include "httpd/watch_schedule.h"

#include <algorithm>

namespace permguard {

std::chrono::milliseconds first_pause(std::chrono::seconds age, std::chrono::seconds pause) {
  using std::chrono::milliseconds;
  const milliseconds settle = std::min(milliseconds(5000), milliseconds(pause) / 2);
  return std::clamp(milliseconds(pause - age), settle, milliseconds(pause));
}

}  // namespace permguard
