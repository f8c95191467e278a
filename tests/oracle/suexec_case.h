// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "oracle/dice.h"
#include "oracle/suexec_run.h"
#include "support/suexec_world.h"

namespace permguard::oracle {

/// One random tree and question.
struct SuexecCase {
  std::string script;  ///< its path
  std::string caller;  ///< who calls suexec
  uid_t uid = test::kAnn;
  gid_t gid = test::kAnn;
  bool userdir = false;
  std::string description;  ///< what was done to the tree, for a failed test
};

/// Builds a tree that suexec accepts and spoils it in up to three ways.
SuexecCase build_suexec_case(test::SuexecWorld& world, Dice& dice);

}  // namespace permguard::oracle
