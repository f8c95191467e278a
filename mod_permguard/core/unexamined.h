// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checker.h"

namespace permguard {

/// The errno that kept this process from knowing; 0 where the verdict stands. A file whose first
/// bytes cannot be read may be a healthy program or a script with any fault. Pure.
int unexamined(const Diagnosis& diagnosis);

/// What kept it, for people.
std::string unexamined_words(int error);

}  // namespace permguard
