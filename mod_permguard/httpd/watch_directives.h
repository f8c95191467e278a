// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

// The directives about the desired state and the background audit, for the command table. Each
// returns null, or what is wrong with the value and what is allowed.

const char* forbid(cmd_parms* command, void* config, const char* code);
const char* expect(cmd_parms* command, void* config, const char* one, const char* two,
                   const char* three);
const char* watch(cmd_parms* command, void*, const char* one, const char* two, const char* three);
const char* set_config_test(cmd_parms* command, void*, const char* word);

}  // namespace permguard
