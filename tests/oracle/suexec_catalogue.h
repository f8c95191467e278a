// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/finding.h"

namespace permguard::oracle {

/// A finding of role suexec, and what was expected of it.
struct SuexecProduct {
  Code code;
  DecidedBy by;
  std::string culprit;
  Finding found;  ///< the one that led
};

/// Every code only suexec has, from Debian's binaries and real files in a mount namespace of this
/// thread's own. Root only. Throws where the machine forbids that.
std::vector<SuexecProduct> produce_suexec_codes();

}  // namespace permguard::oracle
