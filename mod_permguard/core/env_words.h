// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/env_command.h"

namespace permguard {

/// The white space of the C locale, at which `env -S` splits.
inline constexpr std::string_view kEnvBlanks = " \t\n\v\f\r";

/// The words into which `env -S` splits its value, or why it does not.
struct EnvWords {
  std::vector<std::string> words;
  std::string error;  ///< empty: none
};

/// Splits as build_argv() of coreutils 9.1's src/env.c: quotes, backslash escapes, a comment
/// where a word would begin with '#', `\c` to end, ${NAME} expanded outside single quotes
/// without being split again.
EnvWords split_env_string(std::string_view text, const LookUpVariable& lookup);

/// Whether env takes `list`, the value of --default-signal, --ignore-signal or --block-signal:
/// signal names or numbers between commas (operand2sig() of coreutils). `changes_action` is
/// false for --block-signal, which may name KILL and STOP.
bool is_env_signal_list(std::string_view list, bool changes_action);

}  // namespace permguard
