// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/checker.h"
#include "core/filesystem.h"
#include "core/finding.h"
#include "core/lead.h"

namespace permguard {

// What keeps a command that would help from being told: contract, section 3, "Fix". Each of these
// makes advice of a remedy with steps, and leaves one without them alone.

/// Where a finding's culprit was come to by leads, and how they are written for who reads advice.
struct WayThere {
  std::span<const Lead> leads;  ///< the nearest to the culprit first
  std::string goal;             ///< the file that they lead to, by the culprit
  std::string outside{};        ///< Question::outside
};

/// A command would serve whoever can change a lead: where that is neither root nor the culprit's
/// owner, advice says whose lead goes where. What takes rights away is no exception: it would
/// break another's file.
void heed_leads(const Names& names, const WayThere& way, Finding& finding);

/// The same for a finding about the path `named`, which `walk` is the way of.
void heed_links(const Names& names, const Walk& walk, const std::string& named, Finding& finding);

/// Whether `path`, without links, is the system's own: /usr but not /usr/local, /etc, /boot, /root,
/// /bin, /sbin, /lib*, /nix/store, /gnu/store.
bool is_of_the_system(const std::string& path);

/// Where no right is given: on anything below /root, on files below /etc, and, where it is a
/// `program` that runs others (an interpreter, loader or command), on the system's own. Taking
/// rights away is no matter.
void heed_place(Finding& finding, bool program);

/// Nor on a setuid or setgid program.
void heed_set_id(Finding& finding);

/// What the kernel would refuse to root: files of ids that the user namespace does not map, or
/// immutable.
void heed_refusals(const Filesystem& filesystem, const Surroundings& around, Finding& finding);

/// The same on a read-only `mount`.
void heed_mount(const Mount& mount, const Surroundings& around, Finding& finding);

/// A file that is no program gets no x bit: it would be no more of one.
void heed_format(std::vector<Finding>& findings);

/// Makes advice of the remedy.
void withhold(Finding& finding, std::string advice);

}  // namespace permguard
