// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report/explain_text.h"

namespace permguard::cli {

/// Colours only where stdout is a terminal that knows them: TERM is set and not "dumb", and
/// NO_COLOR (no-color.org) is absent.
TextStyle style_of_stdout();

/// A message for stderr: every line as printable() writes it.
std::string printable_message(const std::string& message);

}  // namespace permguard::cli
