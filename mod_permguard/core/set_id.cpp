// SPDX-License-Identifier: Apache-2.0
#include "core/set_id.h"

namespace permguard {
namespace {

constexpr unsigned kSetUid = 04000;
constexpr unsigned kSetGid = 02010;

bool sets_group(const FileStatus& file) {
  return (file.mode & kSetGid) == kSetGid;
}

}  // namespace

bool has_set_id(const FileStatus& file) {
  return (file.mode & kSetUid) != 0 || sets_group(file);
}

Identity identity_after_exec(const Identity& caller, const FileStatus& file) {
  Identity after = caller;
  if (sets_group(file)) after.gid = file.gid;
  if ((file.mode & kSetUid) != 0) {
    after.uid = file.uid;
    after.dac_override = after.dac_read_search = file.uid == 0;
  }
  return after;
}

}  // namespace permguard
