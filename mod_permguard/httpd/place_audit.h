// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/audit.h"
#include "httpd/discovery.h"

namespace permguard {

/// What an audit of one place came to.
struct PlaceReport {
  std::vector<Finding> findings;  ///< at most kMaxPlaceFindings
  FindingCounts left_out;         ///< those beyond
  std::uint64_t files = 0;
  bool truncated = false;         ///< more names than are looked at, or a part was not examined
  bool incomplete = false;        ///< `go_on` ended it
  bool judged_by_suexec = false;  ///< its policy was asked too
};

inline constexpr std::size_t kMaxPlaceFindings = 1000;
inline constexpr std::uint64_t kMostPlaceNames = 100'000;

/// With whose eyes and kernel a place is audited.
struct PlaceEyes {
  const Filesystem& filesystem;
  const Names& names;
  const Surroundings& surroundings;
  KernelFactory make_kernel;  ///< asks as the place's user; empty: everything is modelled
  std::string search_path;
  std::function<bool()> go_on;         ///< asked before every file
  KernelFactory make_server_kernel{};  ///< asks as httpd's User, who calls suexec
};

/// Whether suexec's policy decides about the files of `place`: mod_cgi, mod_cgid and mod_fcgid call
/// it for what they execute.
bool is_for_suexec(const ScriptPlace& place);

/// Audits `place` in the calling thread: all scripts of a directory, or the one file or socket. A
/// directory that does not exist is a warning not-found, a wrapper or socket an error.
/// Drift and forbidden risks are those of the place's own settings. Findings by target.
PlaceReport audit_place(const ScriptPlace& place, const PlaceEyes& eyes);

/// The PATH that what is executed at `place` gets.
std::string search_path_for(const ScriptPlace& place);

/// An asker for `who` in a child process, for a caller who is root; empty function otherwise.
KernelFactory delegate_for(const Identity& who);

}  // namespace permguard
