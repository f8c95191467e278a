// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/checker.h"
#include "support/temp_tree.h"

namespace permguard::oracle {

/// Real files in which one of them, the part, plays a role for a target that www-data asks for:
/// the script itself, its interpreter, the command env looks up, a program's loader, a socket.
/// The part is ROOT/way/part, sound until a test spoils it.
class Stage {
 public:
  /// Needs root. `mount_options`: the part's directory is a mount of its own with these.
  explicit Stage(Role role, const std::string& mount_options = "");
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  test::TempTree& tree() { return tree_; }
  std::string part() const { return tree_.path(kPart); }
  std::string way() const { return tree_.path(kWay); }
  Question& question() { return question_; }
  Surroundings& surroundings() { return surroundings_; }

  /// Puts other bytes into the part; it stays executable.
  void fill(const std::string& bytes) { tree_.write(kPart, bytes, 0755); }

  /// Asked of the kernel as www-data; `exec_check` false as a kernel before Linux 6.14 is asked.
  Diagnosis ask(bool exec_check = true) const;
  /// From mode, ACL and mounts alone.
  Diagnosis ask_model() const;

  static constexpr const char* kWay = "way";
  static constexpr const char* kPart = "way/part";

 private:
  void make_part(Role role);
  std::string make_target(Role role);

  test::TempTree tree_;
  Question question_;
  Surroundings surroundings_ = read_surroundings();
  int socket_ = -1;
};

}  // namespace permguard::oracle
