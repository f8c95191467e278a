// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "oracle/bodies.h"
#include "oracle/dice.h"
#include "oracle/playground.h"
#include "oracle/tree_plan.h"

namespace permguard::oracle {

/// Invents trees: most of what it makes is sound, so that about half of all cases are healthy
/// and the broken ones have one or two faults each.
class Generator {
 public:
  Generator(Dice& dice, const Playground& ground, const Programs& programs)
      : dice_(dice), ground_(ground), programs_(programs) {}

  TreePlan plan();

 private:
  void add_directories(TreePlan& plan);
  void add_files(TreePlan& plan);
  void add_links(TreePlan& plan);
  void add_targets(TreePlan& plan);
  std::string mount_point();
  std::string link_text(const std::string& from);
  std::string odd_spelling(const std::string& path);
  std::string search_path();
  void give_rights(PlannedFile& file);
  std::string acl(unsigned mode);

  Dice& dice_;
  const Playground& ground_;
  const Programs& programs_;
  std::vector<std::string> directories_, files_, links_;
};

}  // namespace permguard::oracle
