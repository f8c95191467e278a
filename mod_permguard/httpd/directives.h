// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

/// The module's directives, terminated as httpd wants it.
extern const command_rec kDirectives[];

}  // namespace permguard
