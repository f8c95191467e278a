// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/checker.h"
#include "report/explain_text.h"

namespace permguard {

/// Whether the user gets through to the end of one file of the chain and may do there what the
/// chain needs, by modes and ACLs.
bool is_open(const Link& link, const Question& question);

/// The components of one file of the chain, one line each, as `namei -l` shows them, with who
/// may pass and what decided.
std::string component_table(const Link& link, const Question& question, const Names& names,
                            const TextStyle& style);

/// What decided, in a few words: "other r-x", "mask r-- cuts user:www-data:rwx".
std::string decision_summary(const AccessDecision& decision, const FileStatus& file,
                             const Identity& who, const Names& names);

/// `text` in the given ANSI colour where the style asks for colours.
enum class Colour { red, green, yellow, bold };
std::string coloured(std::string text, Colour colour, const TextStyle& style);

}  // namespace permguard
