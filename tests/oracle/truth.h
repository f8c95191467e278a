// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/identity.h"

namespace permguard::oracle {

/// What really happened.
struct Truth {
  bool ran = false;  ///< the marker was printed
  int error = 0;     ///< errno of execve, or of what came before it; 0 where it succeeded
  /// false: killed after the time limit, or the text was busy, or what ran ended well without a
  /// word. A file of comments only does so where env hands it to a shell: execvp(3).
  bool sure = true;
};

/// Runs `target` as httpd's mod_cgi would: a child becomes `who`, changes to the target's
/// directory and calls execve with PATH alone in its environment. Needs root.
Truth run(const std::string& target, const Identity& who, const std::string& search_path);

/// A line only a program that really ran prints.
inline constexpr char kMarker[] = "PGMARK";

}  // namespace permguard::oracle
