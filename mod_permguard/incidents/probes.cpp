// SPDX-License-Identifier: Apache-2.0
#include "incidents/probes.h"

#include <sys/stat.h>
#include <time.h>

#include <cstring>

namespace permguard {
namespace {

/// What stat(2) says that a change of the file's contents or rights alters; 0: it failed.
std::uint64_t identity_of(const struct stat& file) noexcept {
  return Fingerprint()
      .add(file.st_dev)
      .add(file.st_ino)
      .add(static_cast<std::uint64_t>(file.st_size))
      .add(static_cast<std::uint64_t>(file.st_ctim.tv_sec))
      .add(static_cast<std::uint64_t>(file.st_ctim.tv_nsec))
      .add(file.st_mode)
      .value();
}

/// A file that changed a moment ago may have changed between being read and this stat, and may
/// change once more within the clock's tick.
bool changed_just_now(const struct stat& file) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return file.st_ctim.tv_sec >= now.tv_sec - 1;
}

}  // namespace

Fingerprint& Fingerprint::add(std::string_view bytes) noexcept {
  for (const char byte : bytes) {
    hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return add(bytes.size());
}

Fingerprint& Fingerprint::add(std::uint64_t number) noexcept {
  hash_ ^= number;
  // The finaliser of MurmurHash3: each bit of the number reaches each bit of the hash.
  hash_ = (hash_ ^ (hash_ >> 33)) * 0xff51afd7ed558ccd;
  hash_ = (hash_ ^ (hash_ >> 33)) * 0xc4ceb9fe1a85ec53;
  hash_ ^= hash_ >> 33;
  return *this;
}

bool Probe::holds(const char* target) const noexcept {
  const char* asked = path[0] != '\0' ? path.data() : target;
  if (wanted != 0) {
    return static_cast<std::uint64_t>(effective_access(asked, wanted)) == answer;
  }
  struct stat file {};
  return ::stat(asked, &file) == 0 && identity_of(file) == answer;
}

void Probes::record_access(const std::string& path, Permissions wanted, int error) noexcept {
  add(path, wanted, static_cast<std::uint64_t>(error));
  if (error == 0 && path != target_) record_status(path);
}

void Probes::record_status(const std::string& path) noexcept {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0 || changed_just_now(file)) {
    complete_ = false;
    return;
  }
  add(path, 0, identity_of(file));
}

void Probes::add(std::string_view path, Permissions wanted, std::uint64_t answer) noexcept {
  if (path == target_) path = {};
  if (count_ == kMost || path.size() >= sizeof(Probe::path)) {
    complete_ = false;
    return;
  }
  Probe& probe = probes_[count_++];
  if (!path.empty()) std::memcpy(probe.path.data(), path.data(), path.size());
  probe.wanted = wanted;
  probe.answer = answer;
}

KernelAnswer RecordingKernel::may_access(const std::string& path, Permissions wanted) const {
  const KernelAnswer answer = AccessKernel::may_access(path, wanted);
  probes_.record_access(path, wanted, answer.error);
  return answer;
}

}  // namespace permguard
