// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/remedy_list.h"
#include "cli/whose_rights.h"
#include "core/repair.h"
#include "report/json.h"

namespace permguard::cli {

/// Something that is not changed because a link leads to it which somebody could point elsewhere.
struct Refusal {
  std::string target;   ///< what was asked for
  std::string link;     ///< the link on the way
  std::string owner;    ///< whose it is
  std::string instead;  ///< link-free path that may be named; empty where there is none
};

/// What `permguard fix` looks at.
struct FixQuestion {
  std::vector<std::string> targets;   ///< absolute
  std::string against;                ///< instead: a snapshot
  std::optional<WhoseRights> rights;  ///< with targets
  bool by_pid = false;                ///< they are those of a process named by --pid
  Need need = Need::execute;
};

/// What was found: remedies, and what no command changes.
struct Found {
  RemedyList remedies;
  std::vector<Finding> findings;  ///< errors and drift
  std::vector<Unexamined> unexamined;
  std::vector<Refusal> refused;
};

/// Looks. Throws CommandError: no snapshot, or one whose roots are not what they were.
Found find_remedies(const FixQuestion& question);

/// What is to be changed, and what came of it.
struct Work {
  std::optional<Identity> who;  ///< none where a desired state is restored
  Found found;
  Plan plan;
  std::vector<std::uint64_t> hard_links;  ///< by change: how many names the file has
  std::vector<int> results;               ///< by change, as apply_plan(), where they were applied
  std::vector<Finding> afterwards;        ///< what is still wrong though a command was for it
};

/// Everything but the commands that may be pasted goes through printable(). What could not be
/// examined or changed goes to standard error.
void print_text(const Work& work, bool hard_links_wanted);
void print_json(const Work& work);
void say_failures(const Work& work);

}  // namespace permguard::cli
