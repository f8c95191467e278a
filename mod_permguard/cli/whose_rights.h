// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "cli/options.h"
#include "core/checker.h"
#include "core/filesystem.h"
#include "core/identity.h"
#include "core/kernel.h"
#include "core/process.h"

namespace permguard::cli {

/// Whose rights are examined, with whose eyes, and how certain the answers can be.
struct WhoseRights {
  Identity who;
  std::string reason;       ///< why this identity: "User of the running httpd, process 812"
  std::string search_path;  ///< PATH the scripts get
  std::string root;         ///< put before every path: "" or the root of `surroundings` in proc(5)
  std::optional<Process> surroundings;  ///< the process whose sandbox counts; none: this one's
  bool no_httpd = false;                ///< this process only stands for an httpd that does not run
  std::string enter;        ///< the process whose mount namespace and root are entered: its
                            ///< directory in proc(5); empty: none
  bool ask_kernel = false;  ///< a child can become `who` and ask there

  /// Looks as `process` does: in its sandbox and, where it sees other files, with its eyes. Errors:
  /// those of compare_view(): then nothing is changed.
  int look_as(const Process& process);

  /// Throws CommandError where the process whose files were looked at has ended: then they only
  /// seem to be missing. For the end of a look.
  void check_still_there() const;

  /// Takes the command of a finding away whose file is another one for who pastes it: what `root`
  /// shows under a name need not stand there for the caller.
  void withhold_elsewhere(Finding& finding) const;

  /// An asker that answers as `who`; null where nobody can be asked.
  std::unique_ptr<Kernel> make_kernel() const;
  Certainty certainty() const { return ask_kernel ? Certainty::certain : Certainty::modelled; }
  /// "as www-data (uid 33, …): User of the running httpd, process 812; the kernel was asked".
  std::string words() const;
};

/// What surrounds the process that will execute; read once.
Surroundings surroundings_of(const WhoseRights& rights);

/// Whether a child can become `rights.who`, and ask there; capabilities may be missing.
bool can_ask(const WhoseRights& rights);

/// By the rules of contract section 7. Throws CommandError: unknown user, no such process, a
/// process that may not be looked into, nobody to ask for, several httpds.
WhoseRights whose_rights(const WhoseOptions& options);

/// The same for an audit of an httpd's configuration, which tells users and httpd itself: without
/// --as and --pid nobody's yet.
WhoseRights rights_for_configuration(const WhoseOptions& options);

}  // namespace permguard::cli
