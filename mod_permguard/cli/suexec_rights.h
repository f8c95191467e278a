// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/whose_rights.h"
#include "core/suexec.h"

namespace permguard::cli {

/// Who runs scripts by way of the installed suexec, and for whom.
class SuexecRights {
 public:
  /// The target is the user of --as, else the owner and group of `targets`: suexec takes no
  /// other. The caller is the user of --pid, or the one whose_rights() chooses. Throws
  /// CommandError: no suexec, no right to ask it, unknown user, scripts of several owners.
  SuexecRights(const WhoseOptions& options, const std::vector<std::string>& targets);

  const Identity& who() const { return target_.who; }
  Diagnosis diagnose(const std::string& script) const;
  /// "as ann (uid …), to whom suexec '/usr/lib/apache2/suexec' changes for www-data".
  std::string words() const;

 private:
  WhoseRights caller_;
  SystemFilesystem filesystem_;
  SuexecSettings settings_;
  SuexecTarget target_;
  Surroundings surroundings_;
  std::unique_ptr<Kernel> caller_kernel_;
  std::unique_ptr<Kernel> target_kernel_;
};

}  // namespace permguard::cli
