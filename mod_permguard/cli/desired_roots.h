// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/result.h"
#include "report/desired.h"

namespace permguard::cli {

/// Where `path` leads, and which inode that is; an errno where it leads nowhere.
Result<DesiredRoot> root_at(const std::string& path);

/// A root of a desired state as it is now.
struct PresentRoot {
  DesiredRoot then;
  std::string real{};   ///< link-free path of what it leads to; empty where it leads nowhere
  std::string place{};  ///< where its files are looked for: behind no link but one that it was then
  std::string moved{};  ///< in which way it is not what the snapshot was taken of; empty: it is
};

/// The roots of `desired` now. One has moved where it leads elsewhere than then, or another inode
/// stands there; where an older snapshot does not say what it was, where a link on the way belongs
/// to neither root nor `asker`, so that it may lead anywhere.
std::vector<PresentRoot> present_roots(const DesiredTree& desired, uid_t asker);

/// "'/srv/current' leads to '/srv/releases/8', and led to '/srv/releases/7' when the snapshot was
/// taken", and how to name what is there now. One line.
std::string words_of(const PresentRoot& root);

}  // namespace permguard::cli
