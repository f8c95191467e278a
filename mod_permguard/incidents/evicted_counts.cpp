// SPDX-License-Identifier: Apache-2.0
#include "incidents/evicted_counts.h"

#include <algorithm>

namespace permguard::shared {
namespace {

// A cell: 32 bits of the key, 32 bits of weight.
constexpr std::uint64_t kWeightMask = 0xffffffffULL;

bool belongs(std::uint64_t cell, std::uint64_t key) {
  return cell >> 32 == key >> 32;
}
std::uint64_t weight_in(std::uint64_t cell) {
  return cell & kWeightMask;
}

std::uint64_t with_more(std::uint64_t cell, std::uint64_t key, std::uint64_t sightings) {
  const std::uint64_t weight = weight_in(cell);
  if (belongs(cell, key)) return cell + std::min(sightings, kWeightMask - weight);
  if (sightings < weight) return cell - sightings;
  return (key & ~kWeightMask) | std::min(sightings, kWeightMask);
}

}  // namespace

std::uint64_t WaitingRoom::weight(std::uint64_t key) const noexcept {
  const std::uint64_t cell = cell_of(key).load();
  return belongs(cell, key) ? weight_in(cell) : 0;
}

void WaitingRoom::add(std::uint64_t key, std::uint64_t sightings) noexcept {
  Word& cell = cell_of(key);
  std::uint64_t seen = cell.load();
  for (int turn = 0; turn < kOvertaken; ++turn) {
    if (cell.replace(seen, with_more(seen, key, sightings))) return;
  }
}

std::uint64_t WaitingRoom::take(std::uint64_t key) noexcept {
  Word& cell = cell_of(key);
  std::uint64_t seen = cell.load();
  for (int turn = 0; turn < kOvertaken && belongs(seen, key) && weight_in(seen) != 0; ++turn) {
    const std::uint64_t weight = weight_in(seen);
    if (cell.replace(seen, 0)) return weight;
  }
  return 0;
}

}  // namespace permguard::shared
