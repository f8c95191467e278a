// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/filesystem.h"
#include "core/finding.h"
#include "core/identity.h"
#include "core/interpreter.h"
#include "core/kernel.h"
#include "core/lead.h"
#include "core/path_walk.h"

namespace permguard {

/// What is asked.
struct Question {
  std::string target;  ///< absolute path, links allowed
  Need need = Need::execute;
  Role role = Role::script;  ///< script, wrapper, socket, htaccess, directory
  Identity who;
  std::string search_path;        ///< PATH the program gets; "" is the empty PATH
  std::string working_directory;  ///< at exec; empty: the target's directory, as httpd sets it
  Certainty certainty = Certainty::certain;  ///< of findings: modelled where `who` is a guess
  /// What else than the administrator names the target, or sets `search_path`: .htaccess. Asked
  /// only where a command would be told.
  FindLeads named_by{};
  FindLeads search_path_set_by{};
  std::string outside{};  ///< what stands before the paths for who reads advice: a chroot
  bool may_quote = true;  ///< false: of the target no byte is told, whatever `who` may seem to read
};

/// The ids that a user namespace maps: user_namespaces(7). Capabilities count for files whose
/// owner and group are mapped only.
struct MappedIds {
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  bool all = true;  ///< the initial namespace
  /// Seen from inside, where an id that is not mapped shows as 65534; else `ranges` are in the
  /// numbers of the namespace that looks.
  bool from_inside = true;
  std::vector<Range> ranges{};

  bool hold(std::uint32_t id) const;
};

/// Reads /proc/PID/uid_map or gid_map. Pure; lines it cannot read map nothing.
MappedIds parse_id_map(std::string_view text, bool from_inside);

/// What surrounds the process that will execute. Read once; a value.
struct Surroundings {
  Machine machine;
  BinfmtMisc binfmt;
  bool protected_symlinks = false;
  bool no_new_privs = false;  ///< execve gives no privileges, so set-id bits nothing: prctl(2)
  MappedIds users{};          ///< whom the user namespace maps
  MappedIds groups{};
  std::uint64_t bounding = ~std::uint64_t{0};  ///< capability bounding set; all ones: no limit
  std::uint64_t inheritable = 0;               ///< inheritable capabilities
  bool seccomp = false;                        ///< a filter is installed (proc(5), status: Seccomp)
  bool private_mounts = false;       ///< a mount namespace of its own, not the first process's
  bool asker_shares_mounts = false;  ///< who reads the answer sees the files as the process does
  std::string process_label;         ///< SELinux context or AppArmor profile; empty: none visible
};

/// The surroundings of the calling process (proc(5)); `pid` 0. What cannot be read is left at
/// its default.
Surroundings read_surroundings(pid_t pid = 0);
/// Those of the process whose directory of proc(5) is `process`: Process::path().
Surroundings read_surroundings(const std::string& process);

/// Whom to ask. `kernel` may be null: then everything is computed from mode, ACL and mounts,
/// and denials are modelled.
struct Examiner {
  const Filesystem& filesystem;
  const Names& names;
  const Kernel* kernel = nullptr;
  const Surroundings& surroundings;
};

/// One file of the chain: the script, its interpreter, that one's interpreter or loader.
struct Link {
  Role role = Role::script;
  std::string path;  ///< as named by the one before
  Walk walk;
  FileHead head;  ///< meaningful where `head_read`
  bool head_read = false;
  /// Which one of the chain names it: by its #! line, as its loader, or by env. kNamedByQuestion:
  /// none.
  std::size_t named_by = kNamedByQuestion;
  static constexpr std::size_t kNamedByQuestion = static_cast<std::size_t>(-1);
  /// Whether the asked user may read it. Of what he may not read no byte is told, though this
  /// process has read it: no first line, and no name that leads to nothing.
  bool quotable = true;
};

/// The answer with its grounds.
struct Diagnosis {
  Question question;
  std::vector<Finding> findings;  ///< the one the kernel meets first leads
  std::vector<Link> chain;        ///< the script, then interpreter, command, loader
  bool exists = false;  ///< the target itself was seen, or is hidden behind a denial (then false)
  /// Files changed while they were looked at, each time: the findings are modelled and may hold for
  /// no moment at all, so nobody may be refused for them.
  bool unsettled = false;
  /// The errno that this process gets in place of the kernel's answers (an old kernel, a filter on
  /// system calls); 0: it answers. What the identity may do is then modelled.
  int unheard = 0;
  int unanswered = 0;  ///< errno of a question that the kernel was to answer and that got none

  bool healthy() const { return findings.empty(); }
  /// The first finding of severity error, or null.
  const Finding* lead() const;
};

/// The whole examination: walks every component, reads heads, follows the interpreter chain,
/// reports every fault that can be seen at once, asks the kernel where it can be asked and lets
/// its answer decide: what it allows is no finding; what it refuses without a visible reason is
/// lsm-denied. A fault is believed only if nothing that was looked at changed meanwhile; else it
/// looks again, some times. Each finding carries its least remedy. A plain target that does not
/// exist gives not-found; the caller decides whether that is its business. Never throws for
/// anything a disk may hold; std::bad_alloc only.
Diagnosis diagnose(const Examiner& examiner, const Question& question);

/// The cheap positive answer: true if the kernel itself agrees, by a few calls and no walk,
/// that `question.who` can run the whole chain. False means "diagnose". Needs a kernel that
/// asks as `question.who`.
bool passes(const Examiner& examiner, const Question& question);

/// Risks of a target that works (contract section 4, severity warning): world-writable,
/// group-writable (some group's entry has w and the mask lets it), server-writable (not for root,
/// nor where everybody may), setuid, setgid, dir-world-writable. From `walk`'s end, its parent and
/// the parents of the links that lead to it; sticky directories are no risk.
std::vector<Finding> risks(const Examiner& examiner, const Question& question, const Walk& walk);

}  // namespace permguard
